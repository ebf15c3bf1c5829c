import { addressOf, modeOf } from '../address.ts'
import { type Described, requestsIn } from '../requests/in-code.ts'
import type { Statement } from '../statements.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

/** A section on registering that holds a page and nothing else. */
const lonePage: Rule = (statement) => {
  const { kind, tokens, line, headings, section } = statement
  const [only] = tokens.filter(({ kind: form, text }) => form !== 'text' || text.trim() !== '')
  const value = only && addressOf(only)?.value
  if (kind !== 'paragraph' || !value || !/^https:/i.test(value)) return []
  const about = /\b(?:register|sign up|create an? (?:account|application|client))\b/i
  if (!about.test(headings.at(-1) ?? '') || section.text.trim() !== statement.text) return []
  return [{ name: 'register_uri', value, mode: 'interactive', weight: 1, line }]
}

/** "Create an application at https://…", "tokens can be revoked at https://…". */
export const spokenPlaces: Rule = (statement) => {
  const { kind, clauses, line } = statement
  if (kind === 'code' || kind === 'row') return []
  const found: Found[] = lonePage(statement)
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
  /\b(?:sign(?:s|ing)? up|regist(?:er|ers|ering)|creat(?:e|es|ing)) (?:for )?(?:an? |your )?(?:new |free |user |OAuth |business |developer |merchant |team |personal ){0,2}(?:account|application|app|client|workspace)?\s*(?:(?:at|on|via|in|through)\W*|:\s*)$/i

/** Requests that the text describes, and what they mean by the section they stand in. */
export const requests: Rule = (statement) => {
  const found: Found[] = []
  const role = roleOf(statement)
  const { code, codeLine = statement.line } = statement
  const see = (
    { method, address, host }: Pick<Described, 'method' | 'address' | 'host'>,
    weight: number,
    line: number,
  ): void => {
    found.push({ name: 'request', value: address, method, line, weight, ...(host && { host }) })
    if (role === 'claim' && method === 'GET' && /\/authorize(?:\?|$)/.test(address)) {
      const [value = ''] = address.split('?')
      found.push({ name: 'claim_uri', value, mode: 'interactive', line, weight })
    }
    if (method !== 'POST') return
    const place = placeOf(statement, address) ?? (isIdentity(address) ? 'register_uri' : undefined)
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
  if (code !== undefined) for (const one of requestsIn(code)) see(one, 2, codeLine + one.line)
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
        see({ method, address: address.value }, 1, statement.line)
      }
    }
  }
  return found
}

/** The paths at which the convention has an agent register. */
function isIdentity(address: string): boolean {
  return /\/agent\/(?:auth|identity|register)\/?$/.test(address)
}

function placeOf(statement: Statement, address: string) {
  const role = roleOf(statement)
  if (/\/revoke\/?$/.test(address)) return 'revocation_uri'
  if (
    role === 'revoke' &&
    /\/(?:log-?out|sign-?out|disconnect|deactivate|invalidate)\/?$/.test(address)
  ) {
    return 'revocation_uri'
  }
  if (/\/(?:complete|token)\/?$/.test(address)) return undefined
  if (/[/_-]claim\/?$/.test(address)) return 'claim_uri'
  // "Register / claim": what is no claim by its path is the other.
  const both = role === 'claim' && /\bregist|\bprovision/i.test(statement.headings.at(-1) ?? '')
  return role === 'register' || both ? 'register_uri' : undefined
}
