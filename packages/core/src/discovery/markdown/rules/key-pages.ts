import { addressOf, isPage } from '../address.ts'
import type { Section, Statement } from '../statements.ts'
import { masked } from '../tokens.ts'
import { isDenied } from './denial.ts'
import { type Found, type Rule, roleOf } from './rule.ts'

const key = String.raw`(?:(?:api[- ]?|access |bearer |personal |secret |agent-scoped |live )*keys?|(?:api|access|bearer|personal access) tokens?)\b`
const verb =
  '(?<!-)(?:asks? (?:the|your) (?:user|person|human|operator) for|creat(?:es?|ed|ing)|generat(?:es?|ed|ing)|issu(?:es?|ed)|makes?|mint(?:s|ed)?|requests?|obtains?|gets?|copy|manages?|provision(?:s|ed)?|self-issues?)'
const makes = new RegExp(String.raw`\b${verb}\b[^.]{0,60}\b${key}`, 'i')
const made = new RegExp(String.raw`\b${key}[^.]{0,60}\b${verb}\b`, 'i')
const again = new RegExp(String.raw`\b${verb} (?:one|it|yours)\b`, 'i')
const ends = new RegExp(
  String.raw`\b(?:revokes?|rotates?|rolls?|deletes?)\b[^.]{0,40}\b(?:${key}|credentials?)`,
  'i',
)
const place =
  /\b(?:portal|dashboard|console|admin panel|web app|settings|account page|signed[- ]in|developer access panel|profile|in the [\w ]{0,40}app)\b/i
const arrival =
  /\b(?:sign(?:s|ed)? in|log(?:s|ged)? in|signed[- ]in|open|navigate to|go to|visit)\b/i
/** "The user then mints an API key": where, it need not say. */
const byPerson = new RegExp(
  String.raw`\b(?:human|user|operator|owner|person|admin)(?: \w+){0,2} (?:creates?|generates?|mints?|issues?)\b[^.]{0,40}\b${key}`,
  'i',
)
const anyKey = new RegExp(String.raw`\b${key}`, 'i')
/** A page of keys, by its address alone. */
const keyPage = /\/(?:api[-_]?keys?|keys|(?:access-|api-)?tokens|credentials)\/?(?:[?#].*)?$/i

/** "Create a key at https://…", or steps that end in one: a person makes a key on a page. */
export const keyPages: Rule = (statement) => {
  if (statement.code !== undefined) return []
  const { line, headings, lead = '', section } = statement
  const text = masked(statement.tokens).slice(0, 2048)
  const about = anyKey.test(`${headings.slice(1).join(' ')} ${lead.slice(0, 500)} ${text}`)
  const making = [makes.exec(text), made.exec(text), about ? again.exec(text) : null].find(
    (match) => match && !isDenied(text, match.index, match.index + match[0].length),
  )
  const page = statement.tokens
    .map(addressOf)
    .find(
      (one) => one && !one.method && /^https?:/i.test(one.value) && isPlace(one.value, !!making),
    )
  const told = page && keyPage.test(page.value) && speaksOfKeys(section)
  if (!making && !ends.test(text) && !told) return []
  const found: Found[] = []
  if (
    making &&
    (page || byPerson.test(text) || place.test(text) || place.test(lead) || isGuide(statement))
  ) {
    found.push({ name: 'method', value: 'api-key-portal', weight: 1, line })
  }
  if (!page) return found
  // A page of keys rather than the console that it is part of.
  const weight = /\b(?:keys?|tokens?)\b/i.test(page.value) ? 1.5 : 1
  const both = told && endsKeys(section)
  const inRevoke = roleOf(statement) === 'revoke'
  const see = (name: Found['name']): void => {
    found.push({ name, value: page.value, mode: 'interactive', weight, line })
  }
  if ((making || told) && !inRevoke) see('claim_uri')
  if (inRevoke || both || !(making || told)) see('revocation_uri')
  return found
}

function isPlace(value: string, making: boolean): boolean {
  if (/\/docs?\/|^https?:\/\/docs\./i.test(value)) return false
  return (
    isPage(value) ||
    keyPage.test(value) ||
    (making &&
      /^https?:\/\/(?:[^/]+\/(?:app|user)\/|(?:account|console|dashboard|platform|portal)\.)/i.test(
        value,
      ))
  )
}

const verdicts = new WeakMap<Section, { guide: boolean; keys: boolean; ends: boolean }>()

/** What a section says in all; looked at once. */
function verdict(section: Section) {
  const known = verdicts.get(section)
  if (known) return known
  const { text } = section
  const made = {
    guide: place.test(text) || arrival.test(text),
    keys: makes.test(text) || anyKey.test(text),
    ends: ends.test(text) || new RegExp(String.raw`\b${key}[^.]{0,60}\brevoked\b`, 'i').test(text),
  }
  verdicts.set(section, made)
  return made
}

/** Steps that lead through a page: "Sign in …", "Open Settings …", "Create a key". */
function isGuide({ kind, section }: Statement): boolean {
  return kind === 'item' && verdict(section).guide
}

function speaksOfKeys(section: Section): boolean {
  return verdict(section).keys
}

function endsKeys(section: Section): boolean {
  return verdict(section).ends
}
