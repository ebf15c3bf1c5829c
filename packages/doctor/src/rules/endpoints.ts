import { AuthError } from '@authmd/core'
import { checkUrl, isLoopbackHost } from '@authmd/core/reading'
import { domainOf, isPlaceholder } from '../document.ts'
import type { Document, Endpoint, Facts, Rule } from '../facts.ts'
import { quote } from '../quote.ts'
import { isAffirmed, lineFrom, stated, wordsOf } from '../said.ts'

export const endpointRules: readonly Rule[] = [
  {
    id: 'endpoint-http',
    severity: 'error',
    source: 'RFC 9728 §2; RFC 8414 §2; RFC 6749 §3.1',
    finds: 'an address on http to which an agent would send something',
    *check({ endpoints }) {
      for (const { url, name, place } of eachOnce(endpoints)) {
        const { protocol, hostname } = new URL(url)
        // A single label stands for a host of the reader's own.
        if (protocol !== 'http:' || !hostname.includes('.')) continue
        if (isPrivate(url) || isLoopbackHost(hostname)) continue
        yield {
          place,
          problem: `${name} is on http: ${quote(url)}. What is sent there can be read on the way.`,
          fix: 'Use https.',
          text: url.replace(/^http:/, 'https:'),
        }
      }
    },
  },
  {
    id: 'endpoint-private',
    severity: 'error',
    source: 'RFC 9728 §7.7',
    finds: 'an address that only a local network can reach',
    *check({ endpoints, asked }) {
      const local = asked !== undefined && isLoopbackHost(new URL(asked).hostname)
      for (const { url, name, place } of eachOnce(endpoints)) {
        const loopback = isLoopbackHost(new URL(url).hostname)
        if (loopback ? local : !isPrivate(url)) continue
        yield {
          place,
          problem: `${name} leads into a local network: ${quote(url)}. Agents refuse it unasked.`,
          fix: 'Name the public address, or say in words that the service runs on the reader’s machine.',
        }
      }
    },
  },
  {
    id: 'endpoint-other-domain',
    severity: 'warning',
    source: 'RFC 9728 §2 (authorization_servers), §7.3',
    finds: 'an address on another domain that no metadata vouches for',
    *check(facts) {
      const { home, document } = facts
      if (home === undefined) return
      const trusted = new Set([home, ...namedServers(facts)])
      const seen = new Set<string>()
      for (const { url, name, place, programmatic } of facts.endpoints) {
        const domain = domainOf(url)
        if (!programmatic || !sends.includes(name.replace('agent_auth.', ''))) continue
        if (domain === undefined || trusted.has(domain) || seen.has(domain)) continue
        // Other rules speak of http and of private addresses.
        if (url.startsWith('http:') && !isLoopbackHost(domain)) continue
        if (isLoopbackHost(domain) ? !isLoopbackHost(home) : isPrivate(url)) continue
        if (isPlaceholder(domain) || (document && isExplained(url, facts))) continue
        seen.add(domain)
        yield {
          place,
          problem: `${name} is on ${quote(domain)}, not on ${quote(home)}, and no metadata says that the two belong together.`,
          fix: 'Move it to your own domain, or name the server in authorization_servers of your metadata (RFC 9728), and your resource in its own.',
        }
      }
    },
  },
  {
    id: 'key-in-address',
    severity: 'warning',
    source: 'RFC 6750 §2.3, §5.3',
    finds: 'a credential that is sent in a URL',
    *check({ document }) {
      if (!document) return
      const found = keyInUrl(document)
      if (found) {
        yield {
          place: { url: document.url, line: found.line },
          problem: `The credential may go into the URL (${quote(found.text)}), where logs and histories keep it.`,
          fix: 'Take it in a header, and name that one only.',
          text: 'Authorization: Bearer <key>',
        }
      }
      const back = wordsOf(document).find(({ text }) => isAffirmed(text, tokenInRedirect))
      if (!back) return
      yield {
        place: { url: document.url, line: lineFrom(document, back.line, /redirect/i) },
        problem: `The credential comes in the address of a redirect, which the browser’s history and logs keep: ${quote(tokenInRedirect.exec(back.text)?.[0] ?? '')}`,
        fix: 'Give a code in the redirect, and the credential in the answer to it (RFC 6749 §4.1).',
      }
    },
  },
  {
    id: 'address-with-password',
    severity: 'error',
    source: 'RFC 3986 §3.2.1',
    finds: 'an address with a user or a password in it',
    *check({ endpoints }) {
      for (const { url, name, place } of eachOnce(endpoints)) {
        const { username, password } = new URL(url)
        if (username === '' && password === '') continue
        yield {
          place,
          problem: `${name} holds a user or a password in front of its host. Agents refuse such addresses.`,
          fix: 'Write the address without them.',
        }
      }
    },
  },
]

/** Where a text sends the credential in a URL: in its words, or in an example. */
export function keyInUrl(document: Document): { text: string; line: number } | undefined {
  const facts = [
    ...stated(document, 'header_scheme').filter(({ value }) => value.startsWith('?')),
    ...stated(document, 'request').filter(({ value }) => keyInPath.test(decoded(value))),
  ]
  for (const { value, source } of facts) {
    const line = source.line ?? 1
    const said = wordsOf(document).findLast((one) => one.line <= line)?.text ?? ''
    const own = new RegExp(escaped(value), 'i')
    // What stands in an example is not in the words before it, and nothing of them is about it.
    if (!own.test(said) || isAffirmed(said, own)) return { text: decoded(value), line }
  }
  const example = document.outline.statements.find(({ code }) => keyInQuery.test(code ?? ''))
  if (!example) return undefined
  const text = keyInQuery.exec(example.code ?? '')?.[0] ?? ''
  return { text, line: lineFrom(document, example.line, keyInQuery) }
}

/** A parameter of a query that an example fills with a credential. */
const keyInQuery =
  /[?&](?:api[_-]?key|access[_-]token|auth[_-]?token)=(?=[<{$%]|YOUR|your|\.\.\.|…)[^\s"'`&]{1,40}/i

/** Not a code, which is worth nothing without what the client holds. */
const tokenInRedirect =
  /\bredirect(?:s|ed)?\b[^.]{0,60}\bwith\b[^.]{0,30}\b(?:access[_ ])?(?:token|api[_ ]key|jwt)\b[^.]{0,20}\b(?:query|URL|parameter|fragment)\b/i

const keyInPath = /[<{$][^<>{}/]{0,30}api[_-]?key[^<>{}/]{0,10}[>}]?(?:\/|$)/i

const escaped = (text: string) => text.replace(/[^\w\s]/g, '\\$&')

function decoded(url: string): string {
  return url
    .replaceAll('%3C', '<')
    .replaceAll('%3E', '>')
    .replaceAll('%7B', '{')
    .replaceAll('%7D', '}')
}

/** What an agent sends a credential, an assertion or a registration to. */
const sends = [
  'register_uri',
  'claim_uri',
  'identity_endpoint',
  'claim_endpoint',
  'registration_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'device_authorization_endpoint',
]

function* eachOnce(endpoints: readonly Endpoint[]): Generator<Endpoint> {
  const seen = new Set<string>()
  for (const one of endpoints) {
    if (seen.has(one.url)) continue
    seen.add(one.url)
    yield one
  }
}

/** What core would not speak to for where it leads, loopback among it. A single label stands for a host. */
function isPrivate(url: string): boolean {
  const { hostname } = new URL(url)
  if (!/[.:]/.test(hostname) && hostname !== 'localhost') return false
  try {
    checkUrl(url.replace(/^http:/, 'https:'), { start: url, loopbackAllowed: false })
    return false
  } catch (error) {
    return AuthError.isInstance(error) && error.code === 'address_refused'
  }
}

/** Domains of servers that the resource's own metadata, or the text, names as its authorization server. */
function namedServers({ resources, document, servers }: Facts): (string | undefined)[] {
  const issuers = resources.flatMap(({ json }) => {
    const list = json?.authorization_servers
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
  })
  const inText = document ? stated(document, 'authorization_server', 'as_metadata_url') : []
  return [...issuers, ...servers.map(({ of }) => of), ...inText.map(({ value }) => value)].map(
    domainOf,
  )
}

/** The text introduces the other domain in words, as the base of its API or as its own host. */
function isExplained(url: string, { document }: Facts): boolean {
  const domain = domainOf(url)
  if (!document) return false
  return stated(document, 'use_base_url', 'resource').some(
    ({ value }) => domainOf(value) === domain,
  )
}
