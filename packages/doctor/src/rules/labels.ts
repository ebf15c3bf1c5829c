import type { Document, Rule } from '../facts.ts'
import { type Label, nearMisses } from '../labels.ts'
import { quote } from '../quote.ts'
import { isPageForPeople, stated, wordsOf } from '../said.ts'

const withMode = ['register_uri', 'claim_uri', 'revocation_uri']
const nothing =
  /^\W*(?:none|null|n\/?a|no\b|not\b|nil|-|–|—|absent|unavailable|coming soon|planned|tbd|todo)?\W*$|^\W*(?:none|not|no|n\/a|coming|planned|keine?r?|entfällt|nicht|ningun[oa]|aucune?|sans|nessun[oa]?|nenhuma?|geen)(?![\p{L}\p{N}])/iu

export const labelRules: readonly Rule[] = [
  {
    id: 'label-without-address',
    severity: 'error',
    source: 'auth.md, “Register”, “Claim”, “Revocation”',
    finds: 'a label of the convention with a sentence where an address should be',
    *check({ document }) {
      for (const { name, value, words, line } of document?.labels ?? []) {
        if (value !== undefined || nothing.test(words) || nearMisses[name] !== undefined) continue
        if (/\$|<|\{|see |same as|above|below/i.test(words) || inAnswer.test(words)) continue
        yield {
          place: { url: document?.url ?? '', line },
          problem: `${name} has no address behind it: ${quote(words)}`,
          fix: 'Put the address right behind the label, and the explanation behind that.',
          text: `* **${name} (programmatic):** <https://…> — what happens there.`,
        }
      }
    },
  },
  {
    id: 'label-misspelt',
    severity: 'warning',
    source: 'auth.md v0.7, 1b (agent_auth)',
    finds: 'a name that the convention spells otherwise',
    *check({ document, servers }) {
      const seen = new Set<string>()
      for (const { url, json } of servers) {
        const block = json?.agent_auth
        if (typeof block !== 'object' || block === null) continue
        for (const name of Object.keys(block)) {
          const right = meant(name, Object.keys(block))
          // Variants of the convention give credential_types where there is one kind of registration.
          if (right === undefined || right in block || name === 'credential_types') continue
          seen.add(name)
          yield problem(name, right, { url, at: `agent_auth.${name}` })
        }
      }
      // A copy in the text is as wrong as what it copies: once is enough.
      if (!document) return
      for (const { name, line } of document.labels) {
        const right = meant(
          name,
          document.labels.map((one) => one.name),
        )
        if (right === undefined || seen.has(name)) continue
        seen.add(name)
        yield problem(name, right, { url: document.url, line })
      }
    },
  },
  {
    id: 'label-without-mode',
    severity: 'hint',
    source: 'auth.md, “Register”, “Claim”, “Revocation”',
    finds: 'a label that does not say whether a program or a person goes there',
    *check({ document }) {
      const open = (document?.labels ?? []).filter(
        (one) =>
          one.in === 'words' &&
          withMode.includes(one.name) &&
          one.value !== undefined &&
          one.mode === undefined &&
          !/\b(?:programmatic|interactive|POST|GET|browser|human|person)\b/i.test(one.words) &&
          !isPersonSaid(document, one),
      )
      const [first] = open
      if (!document || !first) return
      const names = [...new Set(open.map(({ name }) => name))].join(', ')
      yield {
        place: { url: document.url, line: first.line },
        problem: `${names} does not say whether a program or a person is to go there.`,
        fix: 'Say it in parentheses behind the name.',
        text: labelled(document, first),
      }
    },
  },
  {
    id: 'label-mode-unknown',
    severity: 'warning',
    source: 'auth.md, “Register”, “Claim”, “Revocation”',
    finds: 'a qualifier other than programmatic or interactive',
    *check({ document }) {
      for (const { name, mode, line, in: where } of document?.labels ?? []) {
        if (mode === undefined || where !== 'words' || !withMode.includes(name)) continue
        if (
          /programmatic|interactive|post|get|optional|required|rfc|v\d|human|json|oauth|deprecated/i.test(
            mode,
          )
        )
          continue
        yield {
          place: { url: document?.url ?? '', line },
          problem: `${name} is qualified as ${quote(mode)}, which says neither programmatic nor interactive.`,
          fix: 'Use one of the two words.',
          text: `* **${name} (programmatic):** …`,
        }
      }
    },
  },
  {
    id: 'label-contradiction',
    severity: 'error',
    source: 'auth.md, “Register”, “Claim”, “Revocation”',
    finds: 'a label that has two values',
    *check({ document }) {
      const seen = new Map<string, { value: string; line: number }>()
      for (const { name, value, mode, line } of document?.labels ?? []) {
        if (value === undefined || nearMisses[name] !== undefined) continue
        const key = `${name} ${mode ?? ''} ${environmentOf(document, line)}`
        const before = seen.get(key)
        if (!before) seen.set(key, { value, line })
        else if (!isSame(before.value, value, document?.url ?? '')) {
          yield {
            place: { url: document?.url ?? '', line },
            problem: `${name} is ${quote(value)} here and ${quote(before.value)} in line ${before.line}.`,
            fix: 'Keep one, or say in words when each of them counts.',
          }
          seen.set(key, { value, line })
        }
      }
    },
  },
  {
    id: 'label-relative',
    severity: 'hint',
    source: 'auth.md, “Register”, “Claim”, “Revocation”',
    finds: 'a path where nothing says of which host',
    *check({ document, resources }) {
      if (!document || resources.some(({ json }) => json?.resource)) return
      if (stated(document, 'use_base_url', 'resource', 'authorization_server').length > 0) return
      const label = document.labels.find(
        ({ value, in: where }) => where === 'words' && value?.startsWith('/'),
      )
      const origins = document.reading.origins.filter((one) => one !== new URL(document.url).origin)
      if (!label || origins.length > 0) return
      yield {
        place: { url: document.url, line: label.line },
        problem: `${label.name} is the path ${quote(label.value ?? '')}, and the text names no host.`,
        fix: 'Write whole addresses, or state a base URL.',
      }
    },
  },
]

/** Each registration has an address of its own, which the answer to it gives. */
const inAnswer =
  /\b(?:of|in|from|with) (?:the|each|every|your|its) (?:answer|response|registration)\b/i

const environment =
  /\b(?:production|prod|live|sandbox|staging|stage|test(?:ing)?|development|environments?|regions?|EU|US|UK|APAC|[Ee]urope|v\d+)\b/i

/** The heading or the words above a label, where they say for which environment it counts; else nothing. */
function environmentOf(document: Document | undefined, line: number): string {
  const own = document?.outline.statements.findLast((one) => one.line <= line)
  const above = [own?.headings.slice(1).join(' '), own?.lead]
  return above.find((one) => one !== undefined && environment.test(one)) ?? ''
}

/** From v0.2 on the block has these names, and OAuth has its own, in the place of what the labels of a text say. */
const named = {
  block: { register_uri: 'identity_endpoint', claim_uri: 'claim_endpoint' },
  oauth: { register_uri: 'registration_endpoint', revocation_uri: 'revocation_endpoint' },
} as const

/** What a name that is nearly right should be, by the names that stand beside it. */
function meant(name: string, beside: readonly string[]): string | undefined {
  const right = nearMisses[name]
  const has = (...names: readonly string[]) => names.some((one) => beside.includes(one))
  const others: Readonly<Record<string, string>> = has('identity_endpoint', 'claim_endpoint')
    ? named.block
    : has('token_endpoint', 'authorization_endpoint') && !has(...withMode)
      ? named.oauth
      : {}
  return right === undefined ? undefined : (others[right] ?? right)
}

const goes =
  /\b(?:humans?|person|people|operator|users?|owner|browser|sign(?:s|ed)?[- ]in|log(?:s|ged)?[- ]in)\b/i

/** Whether the section of a label, or what is said elsewhere of its address, tells that a person goes there. */
function isPersonSaid(document: Document | undefined, { line, value = '' }: Label): boolean {
  const words = document ? wordsOf(document) : []
  const own = words.findLast((one) => one.line <= line)
  if (own && goes.test(own.section.text)) return true
  const addressed = words.filter(({ tokens }) =>
    tokens.some(({ text, ...token }) => ('url' in token ? token.url : text) === value),
  )
  return addressed.some(({ text }) => goes.test(text))
}

/** A label with its mode, where its address tells; else with either. */
function labelled(document: Document, { name, value = '' }: Label): string {
  const written = (mode: string) => `* **${name} (${mode}):** <${value}>`
  if (isPageForPeople(value)) return written('interactive')
  const requests = stated(document, 'request').map(({ request }) => request?.url)
  if (requests.includes(URL.parse(value, document.url)?.href)) return written('programmatic')
  return `${written('programmatic')}\nor, where a person goes there:\n${written('interactive')}`
}

function problem(name: string, right: string, place: { url: string; line?: number; at?: string }) {
  return {
    place,
    problem: `${quote(name)} is no name of the convention, so that agents pass over it.`,
    fix: `Write ${right}.`,
    text: right,
  }
}

function isSame(one: string, other: string, base: string): boolean {
  const [a, b] = [URL.parse(one, base), URL.parse(other, base)]
  if (!a || !b) return one === other
  return (
    a.href.replace(/\/$/, '') === b.href.replace(/\/$/, '') ||
    (a.pathname === b.pathname && (one.startsWith('/') || other.startsWith('/')))
  )
}
