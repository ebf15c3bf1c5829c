import { addressIn, addressOf } from '../address.ts'
import { requestsIn } from '../requests/in-code.ts'
import { isDenied, saysNo } from './denial.ts'
import type { Found, Rule } from './rule.ts'

const inQuotes = /(?<=["'])https?:\/\/[^\s"']+(?=["'])/g

/** Where RFC 9728 and RFC 8414 documents are said to be, wherever such an address stands. */
export const metadataUrls: Rule = (statement) => {
  const found: Found[] = []
  const see = (value: string, denied = false, host?: string): void => {
    const name = value.includes('/.well-known/oauth-protected-resource')
      ? 'prm_url'
      : /\/\.well-known\/(?:oauth-authorization-server|openid-configuration)/.test(value)
        ? 'as_metadata_url'
        : undefined
    if (!name) return
    const weight = value.includes('openid-configuration') ? 2 : 4
    const { line } = statement
    found.push({ name, value, weight, line, ...(denied && { denied }), ...(host && { host }) })
  }
  const no = saysNo(statement)
  for (const clause of statement.clauses) {
    for (const token of clause.tokens) {
      const value = addressOf(token)?.value
      const at = clause.text.indexOf(token.text)
      const denied = no || isDenied(clause.text, at, at + token.text.length)
      if (value) see(value, denied)
      else if (token.kind === 'code') {
        for (const [quoted] of token.text.matchAll(inQuotes)) see(quoted, denied)
      }
    }
  }
  const { code } = statement
  if (code === undefined) return found
  for (const { address, host } of requestsIn(code)) {
    if (addressIn(address)) see(address, false, host)
  }
  for (const line of code.split('\n').slice(0, 500)) {
    const value = addressIn(line)
    const quoted = /"(https?:\/\/[^"\s]+)"/.exec(line.slice(0, 4096))?.[1]
    if (value && !value.method) see(value.value)
    else if (quoted) see(quoted)
  }
  return found
}
