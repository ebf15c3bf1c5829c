import type { Statement } from '../statements.ts'
import { plain } from '../tokens.ts'
import { isDenied, isElliptic, saysNo } from './denial.ts'
import { meaningOf } from './labels.ts'
import { type Found, type Rule, roleOf } from './rule.ts'
import { openness, vocabulary } from './vocabulary.ts'

/** Words of the vocabulary, where a clause speaks for them; and against them, as denials. */
export const methods: Rule = (statement) => {
  const { line } = statement
  if (statement.code !== undefined) return inCode(statement.code, line)
  const found: Found[] = []
  const no = saysNo(statement)
  const { text: whole, lead = '', kind } = statement
  const typed = /\bidentity[ _-]types?(?![a-z])/i.test(kind === 'item' ? `${lead} ${whole}` : whole)
  // "`unsupported_grant_type` (only x and y)" offers neither.
  const offers = roleOf(statement) === 'errors' ? [] : vocabulary
  for (const clause of statement.clauses) {
    const text = clause.text.slice(0, 4096)
    for (const [value, words] of offers) {
      for (const match of text.matchAll(words)) {
        const denied =
          no ||
          (value !== 'none-required' && isDenied(text, match.index, match.index + match[0].length))
        if (denied) found.push({ name: 'method', value, denied: true, weight: 3, line })
        else if (isComparison(text, match.index)) continue
        else if (value === 'none-required' && isAside(statement, text)) continue
        else if (!isElliptic(text)) {
          const weight =
            value === 'none-required' && isPartial(statement, text, text.slice(match.index))
              ? partly
              : 2
          found.push({ name: 'method', value, weight, line })
        }
      }
    }
    for (const match of text.matchAll(openness)) {
      if (isDenied(text, match.index, match.index + match[0].length)) continue
      found.push({ name: 'method', value: 'none-required', weight: partly, line })
    }
    for (const [index, token] of clause.tokens.entries()) {
      // A type of identity is a fact of its own.
      const named = token.kind === 'code' && token.text === 'anonymous' && !typed
      const labelled = token.strong && /^anonymous\b/i.test(token.text)
      if ((named || labelled) && !isElliptic(text)) {
        const at = text.indexOf(token.text)
        const denied = no || isDenied(text, at, at + token.text.length)
        found.push({
          name: 'method',
          value: 'anonymous',
          weight: index === 0 && token.strong && !isReading.test(text) ? 3 : 2,
          line,
          ...(denied && { denied: true }),
        })
      }
    }
  }
  return [...found, ...headed(statement), ...(no ? [] : listed(statement)), ...denials(statement)]
}

/** "### Anonymous" below "Registration". */
function headed(statement: Statement): Found[] {
  const { kind, text, line } = statement
  if (kind !== 'heading' || !/^anonymous(?:\W|$)/i.test(text)) return []
  const role = roleOf(statement)
  return role === 'register' || role === 'method'
    ? [{ name: 'method', value: 'anonymous', weight: 2, line }]
    : []
}

/** The weight of "no key is needed" where it is said of a part only. */
export const partly = 0.5

/** "Its shape borrows from device authorization." */
function isComparison(text: string, at: number): boolean {
  return /\b(?:borrow\w*|shape|style|similar|unlike|collide\w*|resembl\w*)\b[^.;]{0,160}$/i.test(
    text.slice(Math.max(0, at - 200), at),
  )
}

/** "These endpoints need no key" says nothing of the others, and a heading is no statement. */
function isPartial({ headings, cells }: Statement, text: string, rest: string): boolean {
  if (!cells && /\bMCP (?:server|endpoint)\b/i.test(text)) return false
  const part =
    /\b(?:these|following|public|free|read|read-only|\/\S+) (?:endpoints?|APIs?|tier)\b|\bfor (?:the |these )?public (?:content|data|pages)\b|\bpublic (?:\w+ )?information\b|\btier\b|\bmost (?:content|pages)\b|\b(?:evaluation|light usage) /i
  return (
    cells !== undefined ||
    /^[^,;.]{0,80}:\s*$/.test(rest) ||
    part.test(`${headings.slice(1).join(' ')} ${text}`)
  )
}

/** A heading is no statement, and what one request needs says nothing of the others. */
function isAside({ kind, ...statement }: Statement, text: string): boolean {
  // What is called without a credential only to be refused.
  const probes = /\b(?:40[12]|WWW-Authenticate|challenge)\b/i.test(statement.text.slice(0, 600))
  return kind === 'heading' || probes || /^(?:[A-Z]+ )?\/\S+/.test(text)
}

/** "Supported methods" and a list of them; a table whose column of auth says "none". */
function listed({ kind, headings, text, line, cells, columns = [] }: Statement): Found[] {
  const auth = columns.findIndex((column) => /^(?:auth(?:entication)?|credentials?)\b/.test(column))
  if (cells && auth >= 0 && /^\s*none\b/i.test(plain(cells[auth] ?? []))) {
    return [{ name: 'method', value: 'none-required', weight: partly, line }]
  }
  const heading = headings.at(-1) ?? ''
  if (kind !== 'item' || !/\b(?:methods?|flows?|grants?|grant types?)$/i.test(heading)) return []
  const named: readonly (readonly [string, RegExp])[] = [
    ['anonymous', /^anonymous\b/i],
    ['email-otp', /^verified e-?mail\b/i],
    ['client-credentials', /\bclient[ _-]credentials\b/i],
    ['device-flow', /^device\b/i],
  ]
  const words = text.slice(0, 300)
  return named
    .filter(([, pattern]) => pattern.test(words))
    .map(([value]) => ({ name: 'method', value, weight: 2, line }))
}

/** Body and metadata values that name a method in an example. */
function inCode(code: string, line: number): Found[] {
  const named: readonly (readonly [string, RegExp])[] = [
    ['anonymous', /"type"\s*:\s*\\?"anonymous/],
    ['service_auth', /"type\\?"\s*:\s*\\?"service_auth/],
    ['id-jag', /token-type:id-jag/],
    ['device-flow', /grant-type:device_code|device_authorization|"device_code"\s*:/],
    ['client-credentials', /grant_type=client_credentials/],
    ['x402', /\bx402Version\b|^(?:X-PAYMENT|PAYMENT-(?:REQUIRED|SIGNATURE)):/im],
    ['l402-payment', /\b(?:WWW-Authenticate|Authorization): L402\b/i],
    ['mpp-payment', /\b(?:WWW-Authenticate|Authorization): Payment\b/i],
    ['wallet-signature', /\bpersonal_sign\b|\bsignMessage\(|grant-type:wallet[-_]signature/],
    ['oauth-authcode', /grant_type=authorization_code|response_type=code/],
    ['oauth-dcr', /"client_name"\s*:[^}]{0,500}"redirect_uris"\s*:/],
  ]
  const text = code.slice(0, 65_536)
  return named
    .filter(([, pattern]) => pattern.test(text))
    .map(([value]) => ({ name: 'method', value, weight: 2, line }))
}

/** "**Anonymous** — all endpoints are public" gives nobody a key. */
const isReading = /\b(?:public|access|read-only)\b/i
const registration =
  /\b(?:agent(?:ic)?|programmatic|self-service|automated)(?: [\w/-]+){0,2} registration\b|\bregistration (?:flow )?for (?:third-party )?agents\b/i

/** Keys and features in code that a clause denies, and agent registration denied in words. */
const denials: Rule = (statement) => {
  const found: Found[] = []
  const { line } = statement
  for (const { tokens, text } of statement.clauses) {
    for (const token of tokens) {
      if (token.kind !== 'code' || token.text.length > 120) continue
      const name = /^[A-Za-z][\w.-]*/.exec(token.text)?.[0]
      const at = text.indexOf(token.text)
      if (!name || at < 0 || !isDenied(text, at, at + token.text.length)) continue
      if (vocabulary.some(([, words]) => token.text.search(words) >= 0)) continue
      if (/^(?:GET|POST|PUT|DELETE|PATCH|https?)$/.test(name)) continue
      const meaning = meaningOf(name)
      const key = meaning?.weight === 5 || meaning?.weight === 4 ? meaning.name : 'feature'
      found.push({ name: key, value: name, denied: true, weight: 3, line })
    }
    const words = registration.exec(text)
    if (words && isDenied(text, words.index, words.index + words[0].length)) {
      found.push({ name: 'method', value: 'agent-registration', denied: true, weight: 3, line })
    }
  }
  return found
}
