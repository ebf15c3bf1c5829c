import { ownerOfWellKnown, serverMetadataUrls } from '@authmd/core/reading'
import { nowhere } from '../document.ts'
import type { Document, Metadata, Problem, Rule } from '../facts.ts'
import { quote } from '../quote.ts'
import { stated } from '../said.ts'
import { isUnreadable } from './links.ts'
import { found, mediaType } from './resource-metadata.ts'

type Json = Readonly<Record<string, unknown>>

/** Each server's metadata with its object. */
function* read(servers: readonly Metadata[]): Generator<Metadata & { json: Json }> {
  for (const one of servers) if (one.json) yield { ...one, json: one.json }
}

const implicitOnly = (json: Json) =>
  Array.isArray(json.grant_types_supported) &&
  json.grant_types_supported.every((one) => one === 'implicit')

export const serverRules: readonly Rule[] = [
  {
    id: 'as-unreadable',
    severity: 'error',
    source: 'RFC 8414 §3',
    finds: 'an authorization server whose metadata is not there, or is no JSON',
    *check({ servers }) {
      for (const one of servers) {
        if (one.namedBy === 'nobody' || !isUnreadable(one)) continue
        if (one.error === 'address_refused' || one.error === 'not_asked') continue
        const who = one.namedBy === 'resource' ? 'The resource' : 'The text'
        yield {
          place: { url: one.url },
          problem: `${who} names the server ${quote(one.of)}; its metadata belongs here, and ${found(one)}.`,
          fix: 'Serve the JSON object here.',
        }
      }
    },
  },
  {
    id: 'as-issuer-missing',
    severity: 'warning',
    source: 'RFC 8414 §2 (issuer is REQUIRED)',
    finds: 'metadata of a server that does not say of which',
    *check({ servers }) {
      for (const { url, json, of } of read(servers)) {
        if (typeof json.issuer === 'string') continue
        yield {
          place: { url, at: 'issuer' },
          problem: 'The member issuer is missing, so that nobody can tell whose metadata this is.',
          fix: 'Name the issuer, exactly as authorization_servers does.',
          text: `"issuer": "${of}"`,
        }
      }
    },
  },
  {
    id: 'as-other-issuer',
    severity: 'error',
    source: 'RFC 8414 §3.3',
    finds: 'metadata of another issuer than the one it was asked for',
    *check({ servers, document }) {
      // Metadata that was read says more than what a text says of it.
      if (document && servers.every(({ json }) => json === undefined)) yield* misplaced(document)
      for (const { url, json, of } of read(servers)) {
        if (typeof json.issuer !== 'string' || isSame(json.issuer, of)) continue
        yield {
          place: { url, at: 'issuer' },
          problem: `The metadata is of ${quote(json.issuer)}, asked was ${quote(of)}. It must not be used.`,
          fix: 'Let both be the same, to the letter.',
          text: `"issuer": "${of}"`,
        }
      }
    },
  },
  {
    id: 'as-media-type',
    severity: 'warning',
    source: 'RFC 8414 §3.2',
    finds: 'metadata of a server that is not served as JSON',
    *check({ servers }) {
      for (const one of servers) yield* mediaType(one)
    },
  },
  {
    id: 'as-token-endpoint-missing',
    severity: 'error',
    source: 'RFC 8414 §2 (token_endpoint is REQUIRED)',
    finds: 'a server that names no endpoint for tokens',
    *check({ servers }) {
      for (const { url, json } of read(servers)) {
        const older = isBlock(json.agent_auth) && typeof json.agent_auth.register_uri === 'string'
        if (typeof json.token_endpoint === 'string' || older || implicitOnly(json)) continue
        yield {
          place: { url, at: 'token_endpoint' },
          problem: 'The member token_endpoint is missing: nothing can be exchanged for a token.',
          fix: 'Name it.',
          text: '"token_endpoint": "https://…/oauth2/token"',
        }
      }
    },
  },
  {
    id: 'as-response-types-missing',
    severity: 'hint',
    source: 'RFC 8414 §2 (response_types_supported is REQUIRED)',
    finds: 'a member that strict parsers want',
    *check({ servers }) {
      for (const { url, json } of read(servers)) {
        if (Array.isArray(json.response_types_supported)) continue
        yield {
          place: { url, at: 'response_types_supported' },
          problem:
            'The member response_types_supported is missing. Strict parsers refuse the whole object.',
          fix: 'Name it, with an empty list where there is no authorization endpoint.',
          text: '"response_types_supported": []',
        }
      }
    },
  },
  {
    id: 'as-pkce-unsaid',
    severity: 'warning',
    source: 'RFC 8414 §2 (code_challenge_methods_supported); RFC 9700 §2.1.1',
    finds: 'an authorization endpoint without PKCE',
    *check({ servers }) {
      for (const { url, json } of read(servers)) {
        const methods = json.code_challenge_methods_supported
        const grants = json.grant_types_supported
        const codes = !Array.isArray(grants) || grants.includes('authorization_code')
        if (typeof json.authorization_endpoint !== 'string' || !codes) continue
        if (Array.isArray(methods) && methods.includes('S256')) continue
        yield {
          place: { url, at: 'code_challenge_methods_supported' },
          problem:
            'The metadata does not say that PKCE with S256 is understood. Careful clients then do not start.',
          fix: 'Support it and say so.',
          text: '"code_challenge_methods_supported": ["S256"]',
        }
      }
    },
  },
  {
    id: 'as-keys-unreadable',
    severity: 'error',
    source: 'RFC 8414 §2 (jwks_uri); RFC 7517 §5',
    finds: 'keys of a server that are not there, or are no key set',
    *check({ keys }) {
      for (const one of keys) {
        if (one.error === 'address_refused' || one.error === 'not_asked') continue
        const isSet = Array.isArray(one.json?.keys)
        if (isSet && !isUnreadable(one)) continue
        yield {
          place: { url: one.url },
          problem: `The metadata names the server’s keys here, and ${one.json ? 'the object has no keys' : found(one)}.`,
          fix: 'Serve the key set, or take jwks_uri out.',
        }
      }
    },
  },
  {
    id: 'metadata-relative-address',
    severity: 'warning',
    source: 'RFC 8414 §2; RFC 9728 §2',
    finds: 'a member that should be a URL and is a path or a sentence',
    *check({ servers, resources, document }) {
      const inText = (document?.blocks ?? []).map(({ json, lineOf }) => ({
        place: (at: string) => ({ url: document?.url ?? '', line: lineOf(memberIn(at)), at }),
        members: prefixed(json),
      }))
      const live = [...servers, ...resources].map(({ url, json }) => ({
        place: (at: string) => ({ url, at }),
        members: [
          ...Object.entries(json ?? {}),
          ...prefixed(isBlock(json?.agent_auth) ? json.agent_auth : {}),
        ],
      }))
      // A copy in the text is as wrong as what it copies: once is enough.
      const all = live.some(({ members }) => members.length > 0) ? live : inText
      for (const { place, members } of all) {
        for (const [name, value] of members) {
          if (typeof value !== 'string' || !addressed.test(name) || URL.canParse(value)) continue
          const where = place(name)
          yield {
            place: where,
            problem: `${name} is no whole URL: ${quote(value)}`,
            fix: /\s/.test(value)
              ? 'Put an address here, and the sentence into the text.'
              : 'Write the whole address.',
            ...(value.startsWith('/') &&
              where.url !== nowhere && { text: new URL(value, where.url).href }),
          }
        }
      }
    },
  },
]

/** A place that is another issuer's by the path of the one that the text names. */
function* misplaced(document: Document): Generator<Problem> {
  const issuers = stated(document, 'authorization_server').map(({ value }) => value)
  const [issuer] = issuers
  const first = stated(document, 'as_metadata_url')
    .filter(({ value }) => URL.parse(value)?.origin === URL.parse(issuer ?? '')?.origin)
    .toSorted((a, b) => (a.source.line ?? 0) - (b.source.line ?? 0))
    .find(({ value }) => !issuers.some((one) => serverMetadataUrls(one).includes(value)))
  if (issuer === undefined || first === undefined) return
  yield {
    place: { url: document.url, line: first.source.line ?? 1 },
    problem: `${quote(first.value)} is the place for the metadata of ${quote(ownerOfWellKnown(first.value) ?? '')}, and the text names the issuer ${quote(issuer)}: what is found there is of another issuer, and must not be used.`,
    fix: 'Serve it where the issuer’s path has it, and name that place.',
    text: serverMetadataUrls(issuer)[0] ?? '',
  }
}

const addressed = /^(?:agent_auth\.)?(?:[a-z_]{1,60}_(?:endpoint|uri)|skill)$/

/** The member itself, without the objects that it is in. */
export function memberIn(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function prefixed(block: Json): [string, unknown][] {
  return Object.entries(block).map(([name, value]) => [`agent_auth.${name}`, value])
}

/** The same but for the slash of an empty path. */
export function isSame(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.parse(one)?.href === URL.parse(other)?.href)
}

export function isBlock(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
