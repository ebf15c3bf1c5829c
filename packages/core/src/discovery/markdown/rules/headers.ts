import { requestsIn } from '../requests/in-code.ts'
import { isDenied } from './denial.ts'
import type { Found, Rule } from './rule.ts'

/** Headers behind something else in a line: `POST /x   Authorization: Bearer <token>`. */
const inLine =
  /(?<=\S.{0,200}[\s(])(?:Authorization: (?:Bearer|Basic)\b|X-(?:[A-Za-z]\w*-)*(?:Key|Token): \S)/g

/** Header schemes: from header lines in code, from curl's `-H`, from "as a Bearer token". */
export const headers: Rule = (statement) => {
  const { line } = statement
  const found: Found[] = []
  const see = (value: string | undefined, weight: number): void => {
    if (value) found.push({ name: 'header_scheme', value, weight, line })
  }
  if (statement.code !== undefined) {
    for (const { headers: sent } of requestsIn(statement.code)) {
      for (const header of sent) see(schemeOf(header), 3)
    }
    for (const text of statement.code.split('\n').slice(0, 500)) {
      see(schemeOf(text), 3)
      for (const [within] of text.slice(0, 2_048).matchAll(inLine)) see(schemeOf(within.trim()), 2)
    }
  }
  for (const clause of statement.clauses) {
    for (const token of clause.tokens) {
      if (token.kind !== 'code') continue
      const at = clause.text.indexOf(token.text)
      if (isDenied(clause.text, at, at + token.text.length)) continue
      see(schemeOf(token.text), 2)
      const query = /^\?[\w-]{2,40}=/.exec(token.text)?.[0]
      if (query && /\bquery\b/i.test(clause.text)) see(query, 2)
    }
    const named =
      /\bAuthorization: (?:Bearer|Basic|Token|ApiKey|DPoP)\b|\bX-(?:[A-Z]\w*-)*(?:Key|Token)\b/i.exec(
        clause.text,
      )
    if (named && !isDenied(clause.text, named.index, named.index + named[0].length)) {
      see(schemeOf(named[0]), 1)
    }
    const spoken = /\b(?:as an?|via|with|using|by) bearer (?:token|(?:api )?key|header)\b/i.exec(
      clause.text,
    )
    if (spoken && !isDenied(clause.text, spoken.index, spoken.index + spoken[0].length)) {
      see('Authorization: Bearer', 1)
    }
  }
  return found
}

/** What a header line says about how a credential is presented. */
function schemeOf(text: string): string | undefined {
  const match = /^\s*([A-Za-z][\w-]{0,60}):\s*(\S.{0,2000})?$/.exec(text.slice(0, 2100))
  const [, name = '', value = ''] = match ?? []
  const header = name.toLowerCase()
  if (header === 'authorization') {
    const [scheme = '', second] = value.split(/\s+/)
    if (!/^[A-Za-z][\w-]*$/.test(scheme)) return value ? 'Authorization: <key>' : undefined
    return second !== undefined || /^(?:bearer|basic|payment|l402|dpop)$/i.test(scheme)
      ? `Authorization: ${scheme}`
      : undefined
  }
  if (!match)
    return /^X-(?:[A-Z][\w]*-)*(?:Key|Token|Payment)$/i.test(text.trim()) ? text.trim() : undefined
  if (!/^(?:x-.*(?:key|token|auth|identity|payment)|[a-z]+-key|[a-z]+-token)/.test(header)) {
    return undefined
  }
  return /^(?:idempotency|public|cache|surrogate)-key|csrf/.test(header) ? undefined : name
}
