import type { FactName, Mode } from '../../profile.ts'
import { firstAddress, modeOf } from '../address.ts'
import type { Statement } from '../statements.ts'
import { plain, type Token } from '../tokens.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

interface Meaning {
  readonly name: FactName
  readonly weight: number
  readonly usual?: Mode
}

const p = 'programmatic'
const meanings: Readonly<Record<string, Meaning>> = {
  register_uri: { name: 'register_uri', weight: 5 },
  registration_uri: { name: 'register_uri', weight: 5 },
  register_url: { name: 'register_uri', weight: 5 },
  registration_url: { name: 'register_uri', weight: 5 },
  identity_endpoint: { name: 'register_uri', weight: 4, usual: p },
  registration_endpoint: { name: 'register_uri', weight: 4, usual: p },
  client_registration_endpoint: { name: 'register_uri', weight: 3, usual: p },
  dynamic_client_registration: { name: 'register_uri', weight: 3, usual: p },
  registration: { name: 'register_uri', weight: 3 },
  register: { name: 'register_uri', weight: 3 },
  sign_up: { name: 'register_uri', weight: 3 },
  claim_uri: { name: 'claim_uri', weight: 5 },
  claim_url: { name: 'claim_uri', weight: 5 },
  claims_url: { name: 'claim_uri', weight: 5 },
  claim_endpoint: { name: 'claim_uri', weight: 4, usual: p },
  claims_endpoint: { name: 'claim_uri', weight: 4, usual: p },
  claim: { name: 'claim_uri', weight: 3 },
  revocation_uri: { name: 'revocation_uri', weight: 5 },
  revocation_url: { name: 'revocation_uri', weight: 5 },
  revocation_endpoint: { name: 'revocation_uri', weight: 4, usual: p },
  revoke_endpoint: { name: 'revocation_uri', weight: 4, usual: p },
  revocation: { name: 'revocation_uri', weight: 3 },
  revoke: { name: 'revocation_uri', weight: 3 },
  token_revocation: { name: 'revocation_uri', weight: 3, usual: p },
  resource: { name: 'resource', weight: 4 },
  resource_server: { name: 'resource', weight: 3 },
  protected_resource: { name: 'resource', weight: 2 },
  issuer: { name: 'authorization_server', weight: 3 },
  authorization_server: { name: 'authorization_server', weight: 3 },
  authorization_servers: { name: 'authorization_server', weight: 4 },
  base_url: { name: 'use_base_url', weight: 5 },
  api_base_url: { name: 'use_base_url', weight: 5 },
  api_base: { name: 'use_base_url', weight: 4 },
  base: { name: 'use_base_url', weight: 3 },
  mcp: { name: 'mcp_url', weight: 3 },
  mcp_url: { name: 'mcp_url', weight: 5 },
  mcp_server: { name: 'mcp_url', weight: 4 },
  mcp_endpoint: { name: 'mcp_url', weight: 4 },
}

/** What a label or a key means, by its words alone. */
export function meaningOf(label: string): Meaning | undefined {
  const key = label
    .replace(/\([^()]{0,80}\)/g, ' ')
    .replace(/^\s*agent_auth\./i, '')
    .trim()
    .replace(/[:=]+$/, '')
    .replace(/[\s_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
  if (Object.hasOwn(meanings, key)) return meanings[key]
  // "File service protected resource" is one, too.
  const last = label.includes(' ') ? key.split('_').slice(-2).join('_') : ''
  return last !== key && Object.hasOwn(meanings, last) ? meanings[last] : undefined
}

/** `**register_uri (programmatic):** https://…`, its relatives with code or plain labels, and table rows. */
export const labels: Rule = (statement) => {
  if (statement.kind === 'code' || statement.kind === 'heading') return []
  const split = statement.cells ? splitCells(statement.cells) : splitLabel(statement.tokens)
  if (!split) return []
  const address = firstAddress(split.value)
  if (!address || address.before.length > 100) return []
  const { value } = address
  const meaning = meaningOf(split.label) ?? inherited(split.label, statement)
  if (!meaning || isMetadata(value) !== isMetadataName(meaning.name)) return []
  if (meaning.name === 'mcp_url' && /\/docs?\//.test(value)) return []
  const addressed = ['register_uri', 'claim_uri', 'revocation_uri'].includes(meaning.name)
  const mode = addressed
    ? modeOf(`${split.label} ${statement.text}`, address, meaning.usual)
    : undefined
  const { name, weight } = meaning
  const found: Found = { name, value, mode, weight, line: statement.line }
  // Where requests go is often said in this way only.
  const isServer = /^\W*resource[ _]server\b/i.test(split.label)
  return isServer ? [found, { ...found, name: 'use_base_url', weight: 2 }] : [found]
}

/** A bare "Interactive:" means what its section is about. */
function inherited(label: string, statement: Statement): Meaning | undefined {
  if (!/^(?:programmatic|interactive)\W*$/i.test(label.trim())) return undefined
  const role = roleOf(statement)
  if (role === 'register') return { name: 'register_uri', weight: 3 }
  if (role === 'claim') return { name: 'claim_uri', weight: 3 }
  return role === 'revoke' ? { name: 'revocation_uri', weight: 3 } : undefined
}

function isMetadata(value: string): boolean {
  return value.includes('/.well-known/')
}

function isMetadataName(name: FactName): boolean {
  return name === 'prm_url' || name === 'as_metadata_url'
}

interface Labelled {
  readonly label: string
  readonly value: readonly Token[]
}

function splitCells(cells: readonly (readonly Token[])[]): Labelled | undefined {
  const [first, ...rest] = cells
  return first && { label: plain(first), value: rest.flat() }
}

function splitLabel(tokens: readonly Token[]): Labelled | undefined {
  const [first] = tokens
  if (!first) return undefined
  if (first.strong) {
    const end = tokens.findIndex((token) => !token.strong)
    if (end > 0) return { label: plain(tokens.slice(0, end)), value: tokens.slice(end) }
  }
  if (first.kind === 'code') {
    const next = tokens[1]
    const separated = next?.kind === 'text' && /^\s*(?:\([^)]{0,40}\)\s*)?[:=—–-]/.test(next.text)
    return separated ? { label: first.text, value: tokens.slice(1) } : undefined
  }
  if (first.kind !== 'text') return undefined
  const colon = first.text.indexOf(':')
  if (colon <= 0 || colon > 60) return undefined
  const rest: Token = { ...first, text: first.text.slice(colon + 1) }
  return { label: first.text.slice(0, colon), value: [rest, ...tokens.slice(1)] }
}
