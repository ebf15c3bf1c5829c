import { domainOf } from '../document.ts'
import type { Document, Facts, Problem, Rule } from '../facts.ts'
import { lineOf, objectOf } from '../labels.ts'
import { quote } from '../quote.ts'
import { stated } from '../said.ts'
import { isBlock, isSame } from './server-metadata.ts'

/** Both names that versions of the convention gave to the same address. */
const alike: readonly (readonly string[])[] = [
  ['identity_endpoint', 'register_uri'],
  ['claim_endpoint', 'claim_uri'],
]

function memberOf({ servers }: Facts, name: string): { value: string; url: string } | undefined {
  // What the metadata gives under the same name is meant, its other name only where there is none.
  const names = [name, ...(alike.find((some) => some.includes(name)) ?? [])]
  for (const one of names) {
    for (const { json, url } of servers) {
      const block = isBlock(json?.agent_auth) ? json.agent_auth : {}
      const value = block[one] ?? (one === name ? json?.[one] : undefined)
      if (typeof value === 'string' && URL.canParse(value)) return { value, url }
    }
  }
  return undefined
}

/** Copies of the metadata of the resource, of another host than all that the text says to call. */
function* copiesOf(document: Document): Generator<Problem> {
  const bases = stated(document, 'use_base_url').map(({ value }) => URL.parse(value)?.origin)
  const [base] = bases
  if (base === undefined) return
  const called = stated(document, 'request').map(({ value }) => URL.parse(value)?.origin)
  for (const { code, codeLine = 1 } of document.outline.statements) {
    const json = code?.includes('"resource"') ? objectOf(code) : undefined
    if (!code || !json || !(json.authorization_servers || json.bearer_methods_supported)) continue
    const origin = typeof json.resource === 'string' ? URL.parse(json.resource)?.origin : undefined
    if (origin === undefined || [...bases, ...called].includes(origin)) continue
    yield {
      place: { url: document.url, line: codeLine + lineOf(code, 'resource') - 1 },
      problem: `The copy of the metadata is of ${quote(String(json.resource))}, the text says to call ${quote(base)}: a token for the one is not for the other.`,
      fix: 'Correct one of them, in the metadata itself too.',
      text: `"resource": "${base}"`,
    }
  }
}

export const consistencyRules: readonly Rule[] = [
  {
    id: 'text-contradicts-metadata',
    severity: 'error',
    source: 'auth.md, “Discover”; RFC 8414 §2',
    finds: 'an address that the text and the metadata give differently',
    *check(facts) {
      const { document } = facts
      for (const { name, value, mode, line } of document?.labels ?? []) {
        const said = value === undefined ? null : URL.parse(value, document?.url)
        const member = memberOf(facts, name)
        if (!document || !said || !member || mode?.includes('interactive')) continue
        if (value?.startsWith('/') && said.pathname === new URL(member.value).pathname) continue
        // A page that describes the registration is not where one registers.
        if (/\.(?:md|txt|html?)$/i.test(said.pathname) || isSame(said.href, member.value)) continue
        yield {
          place: { url: document.url, line },
          problem: `${name} is ${quote(value ?? '')} in the text and ${quote(member.value)} in the metadata, which counts.`,
          fix: 'Correct one of them.',
          text: member.value,
        }
      }
    },
  },
  {
    id: 'issuer-differs',
    severity: 'error',
    source: 'auth.md, “Discover”; RFC 9728 §2',
    finds: 'an authorization server that the text and the metadata name differently',
    *check(facts) {
      const { document, resources } = facts
      if (!document) return
      const named = resources.flatMap(({ json }) => {
        const list = json?.authorization_servers
        return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
      })
      const said = stated(document, 'authorization_server')
      if (named.length === 0 || said.length === 0) return
      // The issuer may have a path below the host that the text names.
      const below = (issuer: string, value: string) =>
        URL.parse(value)?.pathname === '/' && domainOf(issuer) === domainOf(value)
      const fits = said.some(({ value }) =>
        named.some((one) => isSame(one, value) || below(one, value)),
      )
      const [first] = said
      if (fits || !first) return
      yield {
        place: { url: document.url, line: first.source.line ?? 1 },
        problem: `The text names the server ${quote(first.value)}, the metadata of the resource ${quote(named[0] ?? '')}.`,
        fix: 'Correct one of them.',
      }
    },
  },
  {
    id: 'types-differ',
    severity: 'warning',
    source: 'auth.md, “Pick a method”',
    finds:
      'a way to register that the text offers and the metadata does not list, or the other way round',
    *check({ document, servers }) {
      const listed = servers.flatMap(({ json }) => {
        const block = isBlock(json?.agent_auth) ? json.agent_auth : {}
        const list = block.identity_types_supported ?? block.supported_identity_types
        return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
      })
      if (!document || listed.length === 0) return
      for (const type of ['anonymous', 'service_auth']) {
        const here = stated(document, 'identity_type').find(({ value }) => value === type)
        const denied = document.reading.facts.find((one) => one.denied && one.value === type)
        const wrong = listed.includes(type) ? (here ? undefined : denied) : here
        if (!wrong) continue
        yield {
          place: { url: document.url, line: wrong.source.line ?? 1 },
          problem: listed.includes(type)
            ? `The text denies ${type}, and the metadata lists it.`
            : `The text offers ${type}, and the metadata does not list it.`,
          fix: 'Let both say the same.',
        }
      }
    },
  },
  {
    id: 'resource-differs',
    severity: 'warning',
    source: 'RFC 9728 §2 (resource)',
    finds: 'a base URL that is not on the host of the resource',
    *check({ document, resources }) {
      if (!document) return
      if (resources.every(({ json }) => json === undefined)) {
        yield* copiesOf(document)
        return
      }
      const [resource] = resources.flatMap(({ json, url }) => {
        const named = typeof json?.resource === 'string' ? URL.parse(json.resource) : null
        // Of another host than its own it must not be used at all, which another rule says.
        return named?.origin === new URL(url).origin ? [named.href] : []
      })
      const said = stated(document, 'use_base_url')
      const [first] = said
      if (resource === undefined || !first) return
      const { origin } = new URL(resource)
      if (said.some(({ value }) => URL.parse(value)?.origin === origin)) return
      // Several hosts of one service, each with its own metadata, are no contradiction.
      if (document.reading.origins.includes(origin)) return
      yield {
        place: { url: document.url, line: first.source.line ?? 1 },
        problem: `The text says to call ${quote(first.value)}, the metadata is of ${quote(resource)}: a token for the one is not for the other.`,
        fix: 'Correct one of them, or serve metadata on both hosts.',
      }
    },
  },
]
