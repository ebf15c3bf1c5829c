import { type Outline, parseJson, type Statement, type Token } from '@authmd/core/reading'
import { parse } from 'yaml'

/** A value that a text gives under a name of the convention or of a standard. */
export interface Label {
  readonly name: string
  /** As written; absent where no address stands behind the name. */
  readonly value?: string
  /** The words behind the name. */
  readonly words: string
  readonly mode?: string
  readonly line: number
  /** In words, or in a block of JSON or YAML. */
  readonly in: 'words' | 'block'
}

/** Names that mean one thing only, wherever they stand. */
const names = [
  'register_uri',
  'claim_uri',
  'revocation_uri',
  'identity_endpoint',
  'claim_endpoint',
  'events_endpoint',
  'registration_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'authorization_endpoint',
  'device_authorization_endpoint',
  'jwks_uri',
]
/** What is written for them, and what it should be. */
export const nearMisses: Readonly<Record<string, string>> = {
  claims_url: 'claim_uri',
  claims_uri: 'claim_uri',
  claims_endpoint: 'claim_endpoint',
  register_url: 'register_uri',
  registration_url: 'register_uri',
  registration_uri: 'register_uri',
  revocation_url: 'revocation_uri',
  revoke_uri: 'revocation_uri',
  revoke_url: 'revocation_uri',
  supported_identity_types: 'identity_types_supported',
  identity_types: 'identity_types_supported',
  supported_credential_types: 'credential_types_supported',
  credential_types: 'credential_types_supported',
}
const known = [...names, ...Object.keys(nearMisses)]
const word = new RegExp(
  `^(?:agent_auth\\.)?(${known.join('|')})\\s*(?:\\(([^()]{1,40})\\))?\\s*(:?)$`,
  'i',
)
/** Behind a colon only: a sentence may begin with the name as well. */
const plainLabel = new RegExp(`^(${known.join('|')})\\s*(?:\\([^()\\n]{1,40}\\))?\\s*:`, 'i')
const behind = /^\s*(?:\(([^()\n]{1,40})\))?\s*:/

/** All labels of a text, in its order. */
export function labelsOf({ statements }: Outline): Label[] {
  return statements.flatMap((one) => {
    if (one.kind === 'heading') return []
    if (one.code !== undefined) return inBlock(one)
    return one.cells ? inRow(one, one.cells) : inWords(one)
  })
}

function inRow({ line }: Statement, cells: readonly (readonly Token[])[]): Label[] {
  const [first = [], second = []] = cells
  const match = word.exec(textOf(first))
  const name = match?.[1]?.toLowerCase()
  // A table that explains fields has words there.
  const value = name === undefined ? undefined : addressOf(second)
  if (name === undefined || value === undefined) return []
  return [{ name, value, words: textOf(second), line, in: 'words', ...modeOf(match?.[2]) }]
}

function inWords({ tokens: written, line }: Statement): Label[] {
  const found: Label[] = []
  const tokens = withPlainLabel(written)
  let down = 0
  for (const [at, token] of tokens.entries()) {
    const here = line + down
    down += token.text.split('\n').length - 1
    if (token.kind === 'link' || !(token.strong || token.kind === 'code')) continue
    const match = word.exec(token.text.trim())
    if (!match) continue
    const rest = [...tokens.slice(at + 1)]
    let mode = match[2]
    if (match[3] === '') {
      const next = rest[0]
      const opened = next?.kind === 'text' ? behind.exec(next.text) : null
      if (!next || !opened) continue
      mode ??= opened[1]
      rest[0] = { kind: 'text', text: next.text.slice(opened[0].length), strong: false }
    }
    const own = untilBreak(rest)
    const value = addressOf(own)
    const label = { name: (match[1] ?? '').toLowerCase(), words: textOf(own), line: here }
    found.push({ ...label, in: 'words', ...(value !== undefined && { value }), ...modeOf(mode) })
  }
  return found
}

/** A label that begins a statement without any marks, as if it were code. */
function withPlainLabel(tokens: readonly Token[]): readonly Token[] {
  const [first, ...rest] = tokens
  const name =
    first?.kind === 'text' && !first.strong ? plainLabel.exec(first.text)?.[1] : undefined
  if (!first || name === undefined) return tokens
  const behind = { ...first, text: first.text.slice(name.length) }
  return [{ kind: 'code', text: name, strong: false }, behind, ...rest]
}

function modeOf(text: string | undefined): { mode: string } | undefined {
  return text === undefined ? undefined : { mode: text.trim().toLowerCase() }
}

function textOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ text }) => text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The tokens of the same line. */
function untilBreak(tokens: readonly Token[]): Token[] {
  const own: Token[] = []
  for (const token of tokens) {
    const end = token.kind === 'text' ? token.text.indexOf('\n') : -1
    if (token.kind === 'text' && end >= 0) {
      if (textOf(own) !== '' || token.text.slice(0, end).trim() !== '') {
        own.push({ ...token, text: token.text.slice(0, end) })
        break
      }
      own.push({ ...token, text: token.text.slice(end + 1) })
    } else own.push(token)
  }
  return own
}

const address =
  /^(?:(?:GET|POST|PUT|DELETE)\s+)?(https?:\/\/\S+|\/[^\s/]\S*|(?:[a-z0-9-]+\.)+[a-z]{2,}\/\S*)$/i

function addressOf(tokens: readonly Token[]): string | undefined {
  for (const token of tokens) {
    const text = token.kind === 'link' ? token.url : token.text.trim()
    const found = address.exec(text)?.[1]
    if (found !== undefined) return found
    const inText = token.kind === 'text' && /(?:^|\s)(\/[\w.~/{}-]{2,})/.exec(token.text)?.[1]
    if (inText) return inText.replace(/[.,]$/, '')
  }
  return undefined
}

/** A block of JSON or YAML that holds the fields of the convention. */
function inBlock(statement: Statement): Label[] {
  const { code = '', codeLine = 1 } = statement
  if (!/agent_auth|identity_types/.test(code)) return []
  const pairs = fieldsOf(objectIn(statement) ?? {})
  return pairs.flatMap(([name, value]) =>
    known.includes(name)
      ? [
          {
            name,
            value,
            words: value,
            line: codeLine + lineOf(code, name) - 1,
            in: 'block' as const,
          },
        ]
      : [],
  )
}

/** Longer YAML is no block of metadata, in characters. */
const maxYaml = 20_000

/** An `agent_auth` object that stands in a text. */
export interface Block {
  readonly json: Readonly<Record<string, unknown>>
  /** The line of the first of these members that is there, else of the block. */
  readonly lineOf: (...members: readonly string[]) => number
}

const ofBlock = ['skill', 'identity_endpoint', 'register_uri', 'identity_types_supported']

/** All of them; JSON that is cut short or holds comments is left out. */
export function blocksOf({ statements }: Outline): Block[] {
  return statements.flatMap((statement) => {
    const { code, codeLine = 1, headings, lead = '' } = statement
    const whole = objectIn(statement)
    if (code === undefined || whole === undefined) return []
    // Some give what is in the block only, under its name.
    const isBare =
      /\bagent_auth\b/.test(`${headings.at(-1)} ${lead}`) &&
      ofBlock.some((name) => typeof whole[name] === 'string' || Array.isArray(whole[name]))
    const json = whole.agent_auth ?? (isBare ? whole : undefined)
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return []
    const before = lineOf(code, 'agent_auth') - 1
    const own = code.split('\n').slice(before).join('\n')
    const at = (...members: readonly string[]) => codeLine + before + lineOf(own, ...members) - 1
    return [{ json: json as Record<string, unknown>, lineOf: at }]
  })
}

/** The JSON object that a text is; undefined for anything else. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function fieldsOf(json: Readonly<Record<string, unknown>>, depth = 0): [string, string][] {
  return Object.entries(json).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'string') return [[name, value]]
    if (Array.isArray(value)) return [[name, value.join(' ')]]
    if (typeof value !== 'object' || value === null || depth > 2) return []
    return fieldsOf(value as Record<string, unknown>, depth + 1)
  })
}

/** The object that a block of JSON or YAML is. */
function objectIn({ code = '', info = '' }: Statement): ReturnType<typeof objectOf> {
  if (code.trimStart().startsWith('{')) return objectOf(code)
  if (!/^ya?ml\b/i.test(info) || code.length > maxYaml) return undefined
  try {
    // It names no other place and no program: what refers to itself, or grows by it, is left out.
    const value = parse(code, { maxAliasCount: 0, uniqueKeys: false, logLevel: 'error' })
    return objectOf(JSON.stringify(value))
  } catch {
    return undefined
  }
}

/** The line of a text in which the first of some names that is there stands as a member, from 1. */
export function lineOf(text: string, ...names: readonly string[]): number {
  for (const name of names) {
    const at = text.search(new RegExp(`["']?\\b${name.replace(/[^\w-]/g, '.')}\\b["']?\\s*:`))
    if (at >= 0) return text.slice(0, at).split('\n').length
  }
  return 1
}
