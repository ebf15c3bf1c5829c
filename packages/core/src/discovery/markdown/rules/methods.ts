import type { Statement } from '../statements.ts'
import { deniesList, isDenied, isElliptic } from './denial.ts'
import { meaningOf } from './labels.ts'
import type { Found, Rule } from './rule.ts'

const vocabulary: readonly (readonly [string, RegExp])[] = [
  ['oauth-authcode', /\bauthori[sz]ation[ _-]code\b|\bPKCE\b|\bOAuth(?: 2\.[01])? web flow\b/gi],
  ['oauth-dcr', /\bdynamic(?:ally)? (?:client )?regist(?:ration|er)|\bRFC ?7591\b/gi],
  ['device-flow', /\bdevice[ _-](?:authori[sz]ation|code|flow|grant)\b/gi],
  ['client-credentials', /\bclient[ _-]credentials (?:grant|flow)\b|\bclient_credentials\b/gi],
  ['anonymous', /\banonymous(?:ly)?(?: (?:registration|provisioning|sign-?up|start))/gi],
  ['anonymous', /\b(?:register|provision(?:ed|ing)?|sign up) anonymously\b/gi],
  ['service_auth', /\bservice_auth\b/gi],
  ['id-jag', /\bid[-_]jag\b/gi],
  ['identity_assertion', /\bidentity_assertion\b/gi],
  [
    'none-required',
    /\bno (?:authentication|auth|registration|credentials?|token)(?: or \w+)? (?:is |are )?(?:required|needed|necessary)\b|\bwithout (?:any )?(?:authentication|credentials)\b|\bdo(?:es)? not require (?:authentication|an? (?:key|token))\b|\b(?:needs?|requires?|with) no (?:authentication|auth|credentials?|(?:access )?token|(?:API )?key)\b|\bpublic and unauthenticated\b|\bno hay autenticación\b|\bnão há autenticação\b/gi,
  ],
  ['bot-challenge', /\bbot[- ]challenge\b|\bsign-?up by challenge\b/gi],
  [
    'email-verification',
    /\be-?mail[- ]verification\b|\bmail address is (?:confirmed|verified)\b/gi,
  ],
  ['email-otp', /\bverified_email\b/gi],
  ['captcha-challenge', /\bcaptcha\b/gi],
  ['magic-link', /\bmagic[- ]link\b/gi],
  ['x402', /\bx402\b/gi],
]

/** Words of the vocabulary, where a clause speaks for them; and against them, as denials. */
export const methods: Rule = (statement) => {
  const { line } = statement
  if (statement.code !== undefined) return inCode(statement.code, line)
  const found: Found[] = []
  const no = saysNo(statement)
  const typed = /\bidentity[ _-]types?(?![a-z])/i.test(statement.text)
  for (const clause of statement.clauses) {
    const text = clause.text.slice(0, 4096)
    for (const [value, words] of vocabulary) {
      for (const match of text.matchAll(words)) {
        const denied =
          no ||
          (value !== 'none-required' && isDenied(text, match.index, match.index + match[0].length))
        if (denied) found.push({ name: 'method', value, denied: true, weight: 3, line })
        else if (value === 'none-required' && isPartial(statement, text)) continue
        else if (!isElliptic(text)) found.push({ name: 'method', value, weight: 2, line })
      }
    }
    for (const token of clause.tokens) {
      // A type of identity is a fact of its own.
      const named = token.kind === 'code' && token.text === 'anonymous' && !typed
      const labelled = token.strong && /^anonymous\b/i.test(token.text)
      if ((named || labelled) && !isElliptic(text)) {
        const at = text.indexOf(token.text)
        const denied = no || isDenied(text, at, at + token.text.length)
        found.push({
          name: 'method',
          value: 'anonymous',
          weight: 2,
          line,
          ...(denied && { denied: true }),
        })
      }
    }
  }
  return [...found, ...denials(statement)]
}

/** "These endpoints need no key" says nothing of the others, and a heading is no statement. */
function isPartial({ kind, headings }: Statement, text: string): boolean {
  const part = /\b(?:these|following|public|free|\/\S+) (?:endpoints?|APIs?|tier)\b|\btier\b/i
  const one = /^(?:[A-Z]+ )?\/\S+/
  return kind === 'heading' || part.test(`${headings.slice(1).join(' ')} ${text}`) || one.test(text)
}

/** An item below "Do not use these:", or a row that ends with "no". */
function saysNo({ kind, cells, lead = '' }: Statement): boolean {
  if (kind === 'item' && deniesList(lead)) return true
  const last =
    cells
      ?.at(-1)
      ?.map(({ text }) => text)
      .join('') ?? ''
  return /^\s*(?:no|not (?:supported|offered|available)|unsupported|—?\s*not applicable|✗|❌)\s*\.?\s*$/i.test(
    last,
  )
}

/** Body and metadata values that name a method in an example. */
function inCode(code: string, line: number): Found[] {
  const named: readonly (readonly [string, RegExp])[] = [
    ['anonymous', /"type"\s*:\s*\\?"anonymous/],
    ['service_auth', /"type\\?"\s*:\s*\\?"service_auth/],
    ['id-jag', /token-type:id-jag/],
    ['device-flow', /grant-type:device_code|device_authorization/],
    ['client-credentials', /grant_type=client_credentials/],
    ['oauth-authcode', /grant_type=authorization_code|response_type=code/],
  ]
  const text = code.slice(0, 65_536)
  return named
    .filter(([, pattern]) => pattern.test(text))
    .map(([value]) => ({ name: 'method', value, weight: 2, line }))
}

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
    const words = /\b(?:agent(?:ic)?|programmatic|self-service) registration\b/i.exec(text)
    if (words && isDenied(text, words.index, words.index + words[0].length)) {
      found.push({ name: 'method', value: 'agent-registration', denied: true, weight: 3, line })
    }
  }
  return found
}
