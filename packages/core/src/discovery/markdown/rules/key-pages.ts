import { addressOf, isPage } from '../address.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

const key = String.raw`(?:(?:api[- ]?|access |bearer )?keys?|(?:api|access|bearer) tokens?)\b`
const verb =
  '(?:creat(?:es?|ed)|generat(?:es?|ed)|issu(?:es?|ed)|makes?|mints?|requests?|obtains?|gets?|copy|manages?|provision(?:s|ed)?)'
const makes = new RegExp(String.raw`\b${verb}\b[^.]{0,60}\b${key}`, 'i')
const made = new RegExp(String.raw`\b${key}[^.]{0,60}\b${verb}\b`, 'i')
const again = new RegExp(String.raw`\b${verb} (?:one|it|yours)\b`, 'i')
const ends = new RegExp(
  String.raw`\b(?:revokes?|rotates?|rolls?|deletes?)\b[^.]{0,40}\b(?:${key}|credentials?)`,
  'i',
)
const place =
  /\b(?:portal|dashboard|console|admin panel|web app|settings|account page|signed[- ]in|in the [\w ]{0,40}app)\b/i
const anyKey = new RegExp(String.raw`\b${key}`, 'i')

/** "Create a key at https://…": a person makes a key on a page. */
export const keyPages: Rule = (statement) => {
  if (statement.code !== undefined) return []
  const { line, headings, lead = '' } = statement
  const text = statement.text.slice(0, 2048)
  const about = anyKey.test(`${headings.slice(1).join(' ')} ${lead.slice(0, 500)} ${text}`)
  const making = [makes.exec(text), made.exec(text), about ? again.exec(text) : null].find(
    (match) => match && !isDenied(text, match.index, match.index + match[0].length),
  )
  if (!making && !ends.test(text)) return []
  const page = statement.tokens
    .map(addressOf)
    .find((one) => one && !one.method && /^https?:/i.test(one.value) && isPage(one.value))
  const found: Found[] = []
  if (making && (page || place.test(text) || place.test(lead))) {
    found.push({ name: 'method', value: 'api-key-portal', weight: 1, line })
  }
  if (!page) return found
  const name = making && roleOf(statement) !== 'revoke' ? 'claim_uri' : 'revocation_uri'
  // A page of keys rather than the console that it is part of.
  const weight = /\b(?:keys?|tokens?)\b/i.test(page.value) ? 1.5 : 1
  found.push({ name, value: page.value, mode: 'interactive', weight, line })
  return found
}
