/** One challenge of a `WWW-Authenticate` field, RFC 9110 §11.6.1. */
export interface Challenge {
  /** As sent; schemes are compared without case. */
  readonly scheme: string
  readonly token68?: string
  /** Names in lower case. A name sent twice stands twice, in the order sent. */
  readonly params: readonly (readonly [name: string, value: string])[]
}

/** More than any honest answer carries. */
const maxLength = 16_384
const maxChallenges = 64

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const token68 = /[-._~+/0-9A-Za-z]+=*(?=[ \t]*(?:,|$))/y
const blank = /[ \t]*/y

/**
 * Reads `WWW-Authenticate` as RFC 9110 §11.6.1 writes it, leniently: several schemes in one line and
 * several lines (`Headers` joins them by commas), quoted strings with commas and escapes, spaces
 * around `=`, values without quotes. What cannot be read is skipped up to the next comma; never throws.
 *
 * @example
 * ```ts
 * parseChallenges('Basic realm="a,b", Bearer resource_metadata = "https://svc.test/x"')
 * ```
 */
export function parseChallenges(field: string): Challenge[] {
  const text = field.slice(0, maxLength)
  const challenges: { scheme: string; token68?: string; params: [string, string][] }[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  while (at < text.length) {
    take(blank)
    if (text[at] === ',') {
      at += 1
      continue
    }
    const name = take(token)
    if (name === undefined) {
      at = afterItem(text, at)
      continue
    }
    const afterName = at
    take(blank)
    const current = challenges.at(-1)
    if (text[at] === '=' && current !== undefined) {
      at += 1
      take(blank)
      const value = text[at] === '"' ? quoted(text, at) : unquoted(text, at)
      current.params.push([name.toLowerCase(), value.text])
      at = afterItem(text, value.end)
      continue
    }
    if (text[at] === '=') {
      at = afterItem(text, at)
      continue
    }
    if (challenges.length === maxChallenges) break
    const challenge: (typeof challenges)[number] = { scheme: name, params: [] }
    challenges.push(challenge)
    if (at > afterName && !startsParameter(text, at)) {
      const value = take(token68)
      if (value !== undefined) challenge.token68 = value
    }
  }
  return challenges
}

/**
 * The metadata URLs that the challenges of an answer name (RFC 9728 §5.1), each once, in the order
 * sent, whatever the scheme. A repeated parameter is malformed, but each of its values is a candidate.
 */
export function resourceMetadataUrls(headers: Headers): string[] {
  const urls = new Set<string>()
  for (const { params } of parseChallenges(headers.get('www-authenticate') ?? '')) {
    for (const [name, value] of params) if (name === 'resource_metadata') urls.add(value)
  }
  return [...urls].filter((url) => URL.canParse(url))
}

/** The scopes that the challenges of an answer demand (RFC 6750 §3), each once; undefined where none does. */
export function demandedScopes(field: string): readonly string[] | undefined {
  const params = parseChallenges(field).flatMap((one) => one.params)
  const scopes = params.flatMap(([name, value]) => (name === 'scope' ? value.split(/\s+/) : []))
  const named = [...new Set(scopes.filter((scope) => scope !== ''))].slice(0, maxChallenges)
  return named.length === 0 ? undefined : named
}

/** Whether `name =` (and no token68 with its padding) stands here. */
function startsParameter(text: string, at: number): boolean {
  token.lastIndex = at
  const name = token.exec(text)?.[0]
  if (name === undefined) return false
  blank.lastIndex = at + name.length
  const equals = blank.lastIndex + (blank.exec(text)?.[0].length ?? 0)
  if (text[equals] !== '=') return false
  blank.lastIndex = equals + 1
  const value = equals + 1 + (blank.exec(text)?.[0].length ?? 0)
  return value < text.length && text[value] !== '=' && text[value] !== ','
}

function quoted(text: string, start: number): { text: string; end: number } {
  let value = ''
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]
    if (char === '"') return { text: value, end: at + 1 }
    if (char === '\\' && at + 1 < text.length) {
      at += 1
      value += text[at]
    } else value += char
  }
  return { text: value, end: text.length }
}

/** Up to the next comma or blank: more than a token, since servers send URLs without quotes. */
function unquoted(text: string, start: number): { text: string; end: number } {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== ' ' && text[end] !== '\t') end++
  return { text: text.slice(start, end), end }
}

/** Behind the next comma that stands outside a quoted string. */
function afterItem(text: string, start: number): number {
  let at = start
  while (at < text.length && text[at] !== ',') at = text[at] === '"' ? quoted(text, at).end : at + 1
  return at + 1
}
