import { addressOf, isPage } from '../address.ts'
import { isDenied, isElliptic } from './denial.ts'
import { meaningOf } from './labels.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

const vocabulary: readonly (readonly [string, RegExp])[] = [
  ['oauth-authcode', /\bauthori[sz]ation[ _-]code\b|\bPKCE\b/gi],
  ['oauth-dcr', /\bdynamic(?:ally)? (?:client )?regist(?:ration|er)|\bRFC ?7591\b/gi],
  ['device-flow', /\bdevice[ _-](?:authori[sz]ation|code|flow|grant)\b|\bRFC ?8628\b/gi],
  ['client-credentials', /\bclient[ _-]credentials (?:grant|flow)\b|\bclient_credentials\b/gi],
  ['anonymous', /\banonymous(?:ly)?(?: (?:registration|provisioning|sign-?up|access|start))/gi],
  ['anonymous', /\bregister anonymously\b/gi],
  ['service_auth', /\bservice_auth\b/gi],
  ['id-jag', /\bid-jag\b/gi],
  ['identity_assertion', /\bidentity_assertion\b/gi],
  [
    'none-required',
    /\bno (?:authentication|auth|registration|credentials?|token)(?: or \w+)? (?:is |are )?(?:required|needed|necessary)\b|\bwithout (?:any )?(?:authentication|credentials)\b|\bdo(?:es)? not require (?:authentication|an? (?:key|token))\b/gi,
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
  for (const clause of statement.clauses) {
    const text = clause.text.slice(0, 4096)
    for (const [value, words] of vocabulary) {
      for (const match of text.matchAll(words)) {
        const denied =
          value !== 'none-required' && isDenied(text, match.index, match.index + match[0].length)
        if (denied) found.push({ name: 'method', value, denied: true, weight: 3, line })
        else if (!isElliptic(text)) found.push({ name: 'method', value, weight: 2, line })
      }
    }
    for (const token of clause.tokens) {
      if (token.kind === 'code' && token.text === 'anonymous' && !isElliptic(text)) {
        const at = text.indexOf(token.text)
        const denied = isDenied(text, at, at + token.text.length)
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
  return [...found, ...denials(statement), ...keyPages(statement)]
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

/** "Create a key at https://…": a person makes a key on a page. */
const keyPages: Rule = (statement) => {
  const { line, text } = statement
  const makes =
    /\b(?:creates?|generates?|issues?|makes?|requests?|obtains?|gets?|copy|manages?)\b[^.]{0,60}\bkeys?\b/i
  const ends = /\b(?:revokes?|rotates?|rolls?|deletes?)\b[^.]{0,40}\bkeys?\b/i
  const making = makes.test(text.slice(0, 2048))
  if (!making && !ends.test(text.slice(0, 2048))) return []
  const page = statement.tokens
    .map(addressOf)
    .find((one) => one && !one.method && /^https?:/i.test(one.value) && isPage(one.value))
  const found: Found[] = []
  if (making && (page || /\b(?:portal|dashboard|console)\b/i.test(text))) {
    found.push({ name: 'method', value: 'api-key-portal', weight: 1, line })
  }
  if (!page) return found
  const name = making && roleOf(statement) !== 'revoke' ? 'claim_uri' : 'revocation_uri'
  found.push({ name, value: page.value, mode: 'interactive', weight: 1, line })
  return found
}
