import { addressOf, isPage } from '../address.ts'
import { isDenied } from './denial.ts'
import { requestsIn } from './requests.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

/** The base URL for use and the MCP server, by the words around an address. */
export const addresses: Rule = (statement) => {
  const { line } = statement
  const found: Found[] = []
  const role = roleOf(statement)
  for (const { tokens, text } of statement.clauses) {
    for (const token of tokens) {
      const address = addressOf(token)
      if (!address || !/^https?:/i.test(address.value) || isOther(address.value)) continue
      const { value } = address
      const at = text.indexOf(token.text)
      if (isDenied(text, at, at + token.text.length)) continue
      const near = text.slice(Math.max(0, at - 80), at)
      if (isMcp(value, near)) found.push({ name: 'mcp_url', value, weight: 2, line })
      else if (isBase(value, near)) {
        found.push({ name: 'use_base_url', value, weight: role === 'use' ? 3 : 2, line })
      }
    }
  }
  if (role === 'use' && statement.code !== undefined) {
    for (const { address } of requestsIn(statement.code)) {
      const base = baseOf(address)
      if (base && !isOther(address))
        found.push({ name: 'use_base_url', value: base, weight: 1, line })
    }
  }
  return found
}

function isMcp(value: string, near: string): boolean {
  if (!/\/mcp\/?$/i.test(value) && !/^https?:\/\/mcp\.[^/]+\/?$/i.test(value)) return false
  return /\bMCP\b/i.test(near) || /\/mcp\/?$/i.test(value)
}

function isBase(value: string, near: string): boolean {
  if (/\/mcp\/?$/i.test(value) || isPage(value)) return false
  return (
    /\b(?:requests?|calls?) (?:to|against|is made to|are made to)\W*$/i.test(near) ||
    /\b(?:base url|api base|served (?:from|under|at)|root of the api)\W{0,3}(?:is\W*)?$/i.test(near)
  )
}

/** Origin and version segment of a request's address. */
function baseOf(address: string): string | undefined {
  return /^https?:\/\/[^/\s]+(?:\/(?:api\/)?v\d+(?=\/|$))?/i.exec(address)?.[0]
}

function isOther(value: string): boolean {
  return /\/\.well-known\/|\.(?:md|txt|json|ya?ml|html?)(?:$|[?#])|\/docs?(?:\/|$)/i.test(value)
}
