import { addressOf } from '../address.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

/** A request that a block of code or a line of text describes. */
export interface Described {
  readonly method: string
  readonly address: string
  readonly host?: string
  /** Header lines, as written. */
  readonly headers: readonly string[]
}

/** `POST /path` with its headers, and curl commands, in a block of code. */
export function requestsIn(code: string): Described[] {
  const requests: Described[] = []
  const lines = code.replace(/\\\n/g, ' ').split('\n').slice(0, 500)
  for (const [index, line] of lines.entries()) {
    const start = /^\s*(GET|POST|PUT|PATCH|DELETE|HEAD)\s+(\S+)/.exec(line.slice(0, 4096))
    if (start) {
      const headers = headerLines(lines, index + 1)
      const host = headers.map((header) => /^host:\s*(\S+)$/i.exec(header)?.[1]).find(Boolean)
      requests.push({
        method: start[1] ?? '',
        address: start[2] ?? '',
        headers,
        ...(host && { host }),
      })
    } else if (/(?:^|[\s$("])curl\s/.test(line.slice(0, 4096))) {
      const request = curl(line.slice(line.indexOf('curl')))
      if (request) requests.push(request)
    }
  }
  return requests
}

function headerLines(lines: readonly string[], from: number): string[] {
  const headers: string[] = []
  for (let index = from; index < lines.length && index < from + 20; index++) {
    const line = (lines[index] ?? '').trim()
    if (!/^[A-Za-z][\w-]*:\s*\S/.test(line)) break
    headers.push(line)
  }
  return headers
}

function curl(command: string): Described | undefined {
  const words = shellWords(command.slice(0, 8192))
  let method: string | undefined
  let address: string | undefined
  let sends = false
  const headers: string[] = []
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '|' || word === '&&' || word === ';') break
    if (word === '-X' || word === '--request') method = words[++index]?.toUpperCase()
    else if (/^-X[A-Z]+$/.test(word)) method = word.slice(2)
    else if (word === '-H' || word === '--header') headers.push(words[++index] ?? '')
    else if (/^(?:-d|-F|--data\S*|--json|--form)$/.test(word)) {
      sends = true
      index += 1
    } else if (/^-[ouAbem]$/.test(word)) index += 1
    else if (!word.startsWith('-') && /^(?:https?:\/\/|\$\{?[A-Z])/.test(word)) address ??= word
  }
  if (address === undefined) return undefined
  return { method: method ?? (sends ? 'POST' : 'GET'), address, headers }
}

/** Words as a shell would split them; quotes are taken off, nothing is expanded. */
function shellWords(command: string): string[] {
  const words: string[] = []
  for (const match of command.matchAll(/(?:[^\s"'\\|]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|\|/gs)) {
    words.push(match[0].replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, '$1$2'))
  }
  return words
}

/** Requests that the text describes, and what they mean by the section they stand in. */
export const requests: Rule = (statement) => {
  const { line } = statement
  const found: Found[] = []
  const role = roleOf(statement)
  const see = ({ method, address, host }: Omit<Described, 'headers'>, weight: number): void => {
    found.push({ name: 'request', value: address, method, line, weight, ...(host && { host }) })
    if (method !== 'POST') return
    const place = placeOf(role, address)
    if (place) {
      found.push({
        name: place,
        value: address,
        mode: 'programmatic',
        line,
        weight,
        ...(host && { host }),
      })
    }
  }
  if (statement.code !== undefined) for (const one of requestsIn(statement.code)) see(one, 2)
  for (const clause of statement.clauses) {
    let before = ''
    for (const token of clause.tokens) {
      const address = addressOf(token)
      const spoken = /\b(GET|POST|PUT|PATCH|DELETE)\b(?: (?:request )?to)?\s*$/.exec(before)?.[1]
      before += token.text
      const method = address?.method ?? spoken
      if (!address || !method) continue
      const at = clause.text.indexOf(token.text)
      if (!isDenied(clause.text, at, at + token.text.length)) {
        see({ method, address: address.value }, 1)
      }
    }
  }
  return found
}

function placeOf(role: ReturnType<typeof roleOf>, address: string) {
  if (/\/revoke\/?$/.test(address)) return 'revocation_uri'
  if (/\/(?:complete|token)\/?$/.test(address)) return undefined
  if (/\/claim\/?$/.test(address)) return 'claim_uri'
  return role === 'register' ? 'register_uri' : undefined
}
