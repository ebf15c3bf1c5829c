import { ownerOfWellKnown } from '@authmd/core/reading'
import type { Facts, Metadata, Rule } from '../facts.ts'
import { quote } from '../quote.ts'
import type { Place } from '../report.ts'
import { isOAuth, stated } from '../said.ts'
import { isUnreadable } from './links.ts'

/** Whether the text names a server, or an endpoint, that gives tokens. */
function namesServer({ document }: Facts): boolean {
  if (!document) return false
  const endpoint = document.labels.some(({ name, value }) => name === 'token_endpoint' && value)
  return endpoint || stated(document, 'authorization_server').length > 0
}

export const resourceRules: readonly Rule[] = [
  {
    id: 'prm-missing',
    severity: 'warning',
    source: 'RFC 9728 §3',
    finds: 'a server that gives out tokens for a resource that has no metadata',
    *check({ resources, servers, asked }) {
      const server = servers.find(({ json }) => json?.agent_auth !== undefined)
      if (!server || resources.length > 0 || asked === undefined) return
      const url = new URL('/.well-known/oauth-protected-resource', asked).href
      yield {
        place: { url },
        problem:
          'There is no metadata of the resource, so that an agent which starts at the API does not find the server.',
        fix: 'Serve it, and name it in the challenge of a 401.',
        text: JSON.stringify(
          { resource: new URL(asked).origin, authorization_servers: [server.of] },
          null,
          2,
        ),
      }
    },
  },
  {
    id: 'prm-unreadable',
    severity: 'error',
    source: 'RFC 9728 §3.2',
    finds: 'metadata of the resource that is named and is not there, or is no JSON',
    *check({ resources }) {
      for (const one of resources) {
        if (one.namedBy === 'nobody' || !isUnreadable(one)) continue
        if (one.error === 'address_refused' || one.error === 'not_asked') continue
        const who = one.namedBy === 'challenge' ? 'The challenge of a 401' : 'The text'
        yield {
          place: { url: one.url },
          problem: `${who} names metadata of the resource here, and ${found(one)}.`,
          fix: 'Serve the JSON object here, or take the address out.',
        }
      }
    },
  },
  {
    id: 'prm-resource-missing',
    severity: 'error',
    source: 'RFC 9728 §2 (resource is REQUIRED)',
    finds: 'metadata of the resource that does not say of which',
    *check({ resources }) {
      for (const { url, json } of resources) {
        if (!json || (typeof json.resource === 'string' && URL.canParse(json.resource))) continue
        yield {
          place: { url, at: 'resource' },
          problem:
            json.resource === undefined
              ? 'The member resource is missing.'
              : 'The member resource is no URL.',
          fix: 'Name the URL of the API.',
          text: `"resource": "${originOf(url)}"`,
        }
      }
    },
  },
  {
    id: 'prm-other-resource',
    severity: 'error',
    source: 'RFC 9728 §3.3',
    finds: 'metadata of another resource than the one it was asked for',
    *check({ resources }) {
      for (const one of resources) {
        if (fitOf(one) !== 'other') continue
        yield {
          place: { url: one.url, at: 'resource' },
          problem: `The metadata is of ${quote(String(one.json?.resource))}, asked was ${quote(wantedOf(one))}. It must not be used.`,
          fix: 'Let resource be the URL that agents call, on the host that serves this.',
          text: `"resource": "${wantedOf(one)}"`,
        }
      }
    },
  },
  {
    id: 'prm-place',
    severity: 'hint',
    source: 'RFC 9728 §3.1, §3.3',
    finds: 'metadata of a resource with a path that lies where that path is missing',
    *check({ resources }) {
      for (const one of resources) {
        if (fitOf(one) !== 'related') continue
        const { origin, pathname } = new URL(String(one.json?.resource))
        const path = pathname.replace(/\/$/, '')
        const right = `${origin}/.well-known/oauth-protected-resource${path}`
        if (right === one.url) continue
        yield {
          place: { url: one.url, at: 'resource' },
          problem: `The metadata is of ${quote(String(one.json?.resource))}, whose metadata belongs elsewhere. A strict client refuses it here.`,
          fix: 'Serve it there, too.',
          text: right,
        }
      }
    },
  },
  {
    id: 'prm-media-type',
    severity: 'warning',
    source: 'RFC 9728 §3.2',
    finds: 'metadata of the resource that is not served as JSON',
    *check({ resources }) {
      for (const one of resources) yield* mediaType(one)
    },
  },
  {
    id: 'prm-no-server',
    severity: 'warning',
    source: 'RFC 9728 §2 (authorization_servers)',
    finds: 'metadata of the resource that names no server, where tokens come from one',
    *check(facts) {
      for (const { url, json } of facts.resources) {
        if (!json || typeof json.resource !== 'string') continue
        const list = json.authorization_servers
        const named = Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
        if (named.length > 0 && named.every((one) => URL.canParse(one))) continue
        const comes = isOAuth(facts) || facts.servers.length > 0 || namesServer(facts)
        if (list === undefined && !comes) continue
        yield {
          place: { url, at: 'authorization_servers' },
          problem:
            named.length > 0
              ? 'A value of authorization_servers is no URL.'
              : 'The metadata names no authorization server, so that an agent does not know who gives tokens.',
          fix: 'Name the issuer, as its own metadata writes it.',
          text: `"authorization_servers": ["${facts.servers[0]?.of ?? 'https://auth.…'}"]`,
        }
      }
    },
  },
  {
    id: 'prm-bearer-methods',
    severity: 'warning',
    source: 'RFC 9728 §2 (bearer_methods_supported)',
    finds: 'a way to send a token that there is not, or that leaves it in logs',
    *check({ resources }) {
      for (const { url, json } of resources) {
        const list = json?.bearer_methods_supported
        if (list === undefined) continue
        const odd =
          !Array.isArray(list) || list.some((one) => !['header', 'body', 'query'].includes(one))
        const query = Array.isArray(list) && list.includes('query')
        if (!odd && !query) continue
        yield {
          place: { url, at: 'bearer_methods_supported' },
          problem: odd
            ? 'A value is none of header, body and query.'
            : 'Tokens are taken in the URL, where logs and histories keep them.',
          fix: 'Take them in the header.',
          text: '"bearer_methods_supported": ["header"]',
        }
      }
    },
  },
]

/** Whether metadata is of what was asked for, as its address says or the challenge. */
function fitOf(one: Metadata): 'same' | 'related' | 'other' | undefined {
  const { resource } = one.json ?? {}
  if (typeof resource !== 'string' || !URL.canParse(resource)) return undefined
  const named = new URL(resource)
  const own = new URL(wantedOf(one))
  if (named.origin !== own.origin || named.hash !== '') return 'other'
  const [a, b] = [named, own].map(({ pathname }) => pathname.replace(/\/+$/, ''))
  if (a === b) return 'same'
  if (b !== undefined && a?.startsWith(`${b}/`)) return 'related'
  // A challenge names the metadata of the whole API at each of its addresses.
  const below = one.namedBy === 'challenge' && new URL(one.of).pathname.startsWith(`${a}/`)
  return below ? 'related' : 'other'
}

function wantedOf({ url, of }: Metadata): string {
  return ownerOfWellKnown(url) ?? of
}

function originOf(url: string): string {
  return new URL(url).origin
}

/** What is at an address instead of metadata. */
export function found({ answer, error }: Metadata): string {
  if (error === 'response_timeout') return 'it does not answer in time'
  if (error === 'redirect_refused') return 'it redirects in a loop, or to where nobody may be sent'
  if (error === 'response_too_large') return 'the answer is too large'
  if (!answer) return 'it cannot be reached'
  if (answer.status !== 200) return `it answers ${answer.status}`
  if (/^\s*</.test(answer.text)) return 'it answers with a page'
  return 'the answer is no JSON object'
}

/** Problems of a media type other than JSON's. */
export function* mediaType({ url, answer, json }: Metadata) {
  if (!answer || !json || /^application\/(?:[\w.-]+\+)?json$/.test(answer.mediaType)) return
  const place: Place = { url, at: 'Content-Type' }
  const type = answer.mediaType === '' ? 'without a media type' : `as ${quote(answer.mediaType)}`
  yield {
    place,
    problem: `The JSON is served ${type}.`,
    fix: 'Say that it is JSON.',
    text: 'Content-Type: application/json',
  }
}
