import { requestsIn } from '../requests/in-code.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

const label = /\bidentity[ _-]types?(?![a-z])|\bsupported identit(?:y|ies)\b/i
/** What request bodies of the convention name; anything else may be another API's `type`. */
const inBody =
  /\\?"(?:identity_)?type\\?"\s*:\s*\\?"(anonymous|identity_assertion|service_auth|verified_email)\\?"/g

/** The same, once, in a body that a sentence shows. */
const inOneBody = new RegExp(inBody.source)
/** `: ["anonymous"]` behind its key. */
const bare = /^\s*[:=]\s*(\[[^\]]{0,300}\])/
/** `identity_types_supported: ["anonymous"]`. */
const keyed = /^"?(?:supported_)?identity_types(?:_supported)?"?\s*[:=]\s*(\[[^\]]{0,300}\])$/

/** The types of identity that are taken: behind their label, in a column of that name, in request bodies. */
export const identityTypes: Rule = (statement) => {
  const { line, code, lead = '' } = statement
  const see = (value: string, weight: number): Found => ({
    name: 'identity_type',
    value,
    weight,
    line,
  })
  if (code !== undefined) {
    const sent = requestsIn(code).length > 0 || /\bPOST\b/.test(lead)
    if (!sent && roleOf(statement) !== 'register') return []
    return Array.from(code.slice(0, 65_536).matchAll(inBody), ([, type = '']) => see(type, 2))
  }
  const [first, ...rest] = statement.cells ?? []
  const [column = ''] = statement.columns ?? []
  if (first && (label.test(column) || (/^types?$/.test(column) && label.test(lead)))) {
    return first.flatMap(({ text }) => words(text).map((word) => see(word, 3)))
  }
  if (first && label.test(first.map(({ text }) => text).join(''))) {
    return rest.flat().flatMap((token) => {
      return token.kind === 'code' ? words(token.text).map((word) => see(word, 4)) : []
    })
  }
  const opening = statement.tokens[0]
  // "- agent: a program", where the word is neither code nor bold.
  const plainly = /^([a-z]+(?:[_-][a-z]+){0,4}): /.exec(opening?.text ?? '')?.[1]
  const named = opening && (opening.kind === 'code' || opening.strong) ? opening.text : plainly
  if (statement.kind === 'item' && named !== undefined) {
    // "## Supported identity types", and a list of them.
    const heading = statement.headings.at(-1) ?? ''
    const listed =
      /\b(?:supported|accepted)\b.{0,20}\bidentity types?$|^identity types?\b/i.test(heading) ||
      /\bidentity[ _]types?(?![a-z])[^.]{0,40}:\s*$/i.test(lead.slice(-200))
    if (listed) return words(named.replace(/:$/, '')).map((word) => see(word, 3))
  }
  const found: Found[] = []
  for (const { tokens, text } of statement.clauses) {
    let behind = false
    for (const token of tokens) {
      const inOne = token.kind === 'code' ? keyed.exec(token.text)?.[1] : undefined
      if (inOne !== undefined) found.push(...words(inOne).map((word) => see(word, 4)))
      if (token.kind === 'code' && roleOf(statement) === 'register') {
        const [, type = ''] = token.text.slice(0, 2_048).match(inOneBody) ?? []
        if (type !== '') found.push(see(type, 2))
      }
      const list = behind && token.kind === 'text' ? bare.exec(token.text)?.[1] : undefined
      if (list !== undefined) found.push(...words(list).map((word) => see(word, 4)))
      if (behind && (token.kind === 'code' || token.strong)) {
        const at = text.indexOf(token.text)
        if (isDenied(text, at, at + token.text.length)) continue
        found.push(...words(token.text).map((word) => see(word, 4)))
      }
      if (label.test(token.text)) behind = true
    }
  }
  return found
}

/** `anonymous`, or `["anonymous", "service_auth"]`; names of fields are no types. */
function words(text: string): string[] {
  const list = /^\s*\[(.*)\]\s*$/.exec(text)?.[1]?.split(',') ?? [text]
  return list
    .map((word) => word.trim().replace(/^["']|["']$/g, ''))
    .filter(
      (word) =>
        /^[a-z]+(?:[_-][a-z]+){0,4}$/.test(word) && !/_(?:supported|types?|uri|access)$/.test(word),
    )
}
