import type { FactName } from '../../profile.ts'
import { addressOf, firstAddress, modeOf } from '../address.ts'
import type { Statement } from '../statements.ts'
import { plain, type Token } from '../tokens.ts'
import { exact, type Meaning, patterns } from './meanings.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

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
  if (Object.hasOwn(exact, key)) return exact[key]
  // "File service protected resource" is one, too.
  const last = label.includes(' ') ? key.split('_').slice(-2).join('_') : ''
  if (last !== key && Object.hasOwn(exact, last)) return exact[last]
  if (key.length > 60) return undefined
  return patterns.find(([words]) => words.test(key))?.[1]
}

/** `**register_uri (programmatic):** https://…`, its relatives with code or plain labels, and table rows. */
export const labels: Rule = (statement) => {
  if (statement.kind === 'code' || statement.kind === 'heading') return []
  if (statement.cells) {
    const found = labelled(splitCells(statement.cells), statement)
    return found.length > 0 ? found : purposes(statement.cells, statement)
  }
  const [first = [], ...more] = linesOf(statement.tokens)
  return [
    ...labelled(splitLabel(more.length > 0 ? first : statement.tokens), statement),
    ...more.flatMap((line) => labelled(splitLabel(line), statement)),
  ]
}

function labelled(split: Labelled | undefined, statement: Statement): Found[] {
  if (!split) return []
  const address = firstAddress(split.value)
  if (!address || address.before.length > 100) return []
  const isBase = /^https?:.*\/\*+$/i.test(address.value)
  const value = isBase ? address.value.replace(/\/\*+$/, '') : address.value
  const meaning = listed(statement) ?? meaningOf(split.label) ?? inherited(split.label, statement)
  if (!meaning || isMetadata(value) !== isMetadataName(meaning.name)) return []
  if (meaning.name === 'mcp_url' && /\/docs?\/|\.(?:json|md)$/.test(value)) return []
  if (
    meaning.name === 'use_base_url' &&
    /\.\w{2,4}(?:$|[?#])|\/docs?(?:\/|$)|[?:]/.test(withoutHost(value))
  ) {
    return []
  }
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

function withoutHost(value: string): string {
  return value.replace(/^https?:\/\/[^/]*/i, '')
}

/** A table of resources and their identifiers. */
function listed({ columns = [] }: Statement): Meaning | undefined {
  const [first = '', second = ''] = columns
  const told = /^(?:protected )?resources?$/.test(first) && /identifier|uri\b/.test(second)
  return told ? { name: 'resource', weight: 3 } : undefined
}

/** Lines of a paragraph that each begin with a label; one line where they do not. */
function linesOf(tokens: readonly Token[]): readonly Token[][] {
  const lines: Token[][] = [[]]
  for (const token of tokens) {
    const parts = token.kind === 'text' ? token.text.split('\n') : [token.text]
    for (const [index, text] of parts.entries()) {
      if (index > 0) lines.push([])
      if (text !== '' || token.kind !== 'text') lines.at(-1)?.push({ ...token, text })
    }
  }
  const all = lines.filter((line) => line.length > 0)
  const begins = ([first, second]: readonly Token[]) =>
    first?.strong === true ||
    first?.kind === 'code' ||
    (first?.kind === 'text' &&
      second !== undefined &&
      /^\s*[A-Z][\w .-]{1,40}:\s*$/.test(first.text))
  return all.length < 50 && all.slice(1).every(begins) ? all : [tokens.slice()]
}

/** A bare "Interactive:" or "Endpoint:" means what its section is about. */
function inherited(label: string, statement: Statement): Meaning | undefined {
  if (!/^(?:programmatic|interactive|endpoint|URL|URI)\W*$/i.test(label.trim())) return undefined
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

/** A row that begins with an address, and says in another cell what it is for. */
function purposes([first = [], ...rest]: readonly (readonly Token[])[], statement: Statement) {
  const [only, ...more] = first.filter(({ kind, text }) => kind !== 'text' || text.trim() !== '')
  const address = only && more.length === 0 ? addressOf(only) : undefined
  if (!address || isMetadata(address.value)) return []
  return rest.flatMap((cell): Found[] => {
    const meaning = meaningOf(plain(cell))
    if (!meaning?.name.endsWith('_uri')) return []
    const mode = modeOf(plain(rest.flat()), address, meaning.usual)
    return [{ name: meaning.name, value: address.value, mode, weight: 2, line: statement.line }]
  })
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
