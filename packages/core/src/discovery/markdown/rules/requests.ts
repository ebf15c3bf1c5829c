import { addressOf, modeOf } from '../address.ts'
import type { Statement } from '../statements.ts'
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

/** "Create an application at https://…", "tokens can be revoked at https://…". */
export const spokenPlaces: Rule = ({ kind, clauses, line }) => {
  if (kind === 'code' || kind === 'row') return []
  const found: Found[] = []
  for (const { tokens, text } of clauses) {
    for (const token of tokens) {
      const value = addressOf(token)?.value
      if (value === undefined || !/^https?:/i.test(value) || /\/\.well-known\//.test(value))
        continue
      const at = text.indexOf(token.text)
      const before = text.slice(Math.max(0, at - 100), at)
      if (isDenied(text, at, at + token.text.length)) continue
      if (signUp.test(before)) {
        found.push({ name: 'register_uri', value, mode: 'interactive', weight: 1, line })
      } else if (revoked.test(before)) {
        const mode = modeOf(text, { value })
        found.push({ name: 'revocation_uri', value, mode, weight: 1, line })
      }
    }
  }
  return found
}

const revoked = /\b(?:revoked?|revoking|invalidated?)\b[^.]{0,40}\b(?:at|on|via)\W*$/i
const signUp =
  /\b(?:sign(?:s|ing)? up|regist(?:er|ers|ering)|creat(?:e|es|ing)) (?:for )?(?:an? |your )?(?:new |free |OAuth )?(?:account|application|app|client|workspace)?\s*(?:at|on|via|in|through)\W*$/i

/** Requests that the text describes, and what they mean by the section they stand in. */
export const requests: Rule = (statement) => {
  const { line } = statement
  const found: Found[] = []
  const role = roleOf(statement)
  const see = ({ method, address, host }: Omit<Described, 'headers'>, weight: number): void => {
    found.push({ name: 'request', value: address, method, line, weight, ...(host && { host }) })
    if (role === 'claim' && method === 'GET' && /\/authorize(?:\?|$)/.test(address)) {
      const [value = ''] = address.split('?')
      found.push({ name: 'claim_uri', value, mode: 'interactive', line, weight })
    }
    if (method !== 'POST') return
    const place = placeOf(statement, address)
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
      const spoken = /\b(GET|POST|PUT|PATCH|DELETE)\b(?:(?:\s+\S+){0,6}?\s+to(?: the)?)?\s*$/.exec(
        before,
      )?.[1]
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

function placeOf(statement: Statement, address: string) {
  const role = roleOf(statement)
  if (/\/revoke\/?$/.test(address)) return 'revocation_uri'
  if (/\/(?:complete|token)\/?$/.test(address)) return undefined
  if (/[/_-]claim\/?$/.test(address)) return 'claim_uri'
  // "Register / claim": what is no claim by its path is the other.
  const both = role === 'claim' && /\bregist|\bprovision/i.test(statement.headings.at(-1) ?? '')
  return role === 'register' || both ? 'register_uri' : undefined
}
