import fc from 'fast-check'
import {
  readResourceMetadata,
  readServerMetadata,
  resourceFacts,
  serverFacts,
} from '../src/discovery/metadata.ts'
import { AuthError } from '../src/errors.ts'
import { check, target } from './target.ts'

const address = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'HTTPS://', 'https://u@', '//', 'javascript:', ''),
      fc.constantFrom('svc.example', 'SVC.example', 'svc.example:443', 'svc.example:8443'),
      fc.constantFrom('', '/', '/a', '/a/b', '/ab', '/a/', '/%61', '?x=1', '#f', '/a/../b'),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom('https://evil.example', 'https://svc.example.evil.example/a', 'https://bad.test'),
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: address },
  fc.array(address, { maxLength: 3 }),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    Number.POSITIVE_INFINITY,
    '',
    {},
    [[]],
    'header',
    'authorization_code',
  ),
)
const keys = [
  ...['resource', 'authorization_servers', 'scopes_supported', 'bearer_methods_supported'],
  ...['issuer', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint', 'skill'],
  ...['identity_types_supported', 'grant_types_supported', 'device_authorization_endpoint'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'service_documentation'],
  ...['resource_documentation', 'register_uri', 'claim_uri', 'authorization_endpoint'],
]
const flat = fc.array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 6 })
const block = fc.array(
  fc.tuple(fc.constantFrom(...keys, 'agent_auth'), fc.oneof(value, flat.map(objectText))),
  { maxLength: 8 },
)

/** As text, since an object cannot hold a key twice, nor `__proto__` as others mean it. */
function objectText(entries: readonly (readonly [string, unknown])[]): { text: string } {
  const text = entries.map(([key, one]) => `${JSON.stringify(key)}:${valueText(one)}`).join(',')
  return { text: `{${text}}` }
}

function valueText(one: unknown): string {
  if (typeof one === 'object' && one !== null && 'text' in one) return String(one.text)
  return one === Number.POSITIVE_INFINITY ? '1e400' : JSON.stringify(one)
}

function refuse(url: string): void {
  if (new URL(url).hostname === 'bad.test') throw new AuthError('address_refused', 'bad')
}

/** Metadata is read leniently, but never as somebody else's, and never into a prototype. */
export const metadataTarget = target({
  name: 'metadata',
  runsInTest: 300,
  arbitrary: fc.record({
    body: fc.oneof(
      block.map((entries) => objectText(entries).text),
      fc.constantFrom('', '[]', 'null', '"x"', '{', '\ufeff{}', '{"issuer":'),
    ),
    asked: fc.oneof(
      fc.constantFrom('https://svc.example', 'https://svc.example/a', 'https://svc.example/a/b'),
      address,
    ),
  }),
  property({ body, asked }) {
    const url = 'https://svc.example/.well-known/x'
    const resource = readResourceMetadata(body, { url, asked })
    if ('ok' in resource) {
      const [named, wanted] = [URL.parse(resource.ok.resource), URL.parse(asked)]
      const same = named?.origin === wanted?.origin && named !== null
      const paths = [named, wanted].map((one) => `${one?.pathname.replace(/\/+$/, '')}/`)
      const [one = '', other = ''] = paths
      const fits = one.startsWith(other) || other.startsWith(one)
      check(same && fits, "another's resource is taken:", body, asked)
      check(resourceFacts(resource.ok).every(isText), 'a fact is no text:', body)
    }
    const server = readServerMetadata(body, { url, issuer: asked, check: refuse })
    if ('ok' in server) {
      const { issuer, raw } = server.ok
      const same =
        issuer === undefined ||
        issuer === asked ||
        (URL.parse(issuer)?.href === URL.parse(asked)?.href && URL.canParse(asked))
      check(same, "another's issuer is taken:", body, asked)
      check(!/(?:_endpoint|_uri|skill)":"https:\/\/bad\.test/.test(JSON.stringify(raw)), body)
      const polluted = ['__proto__', 'constructor', 'prototype'].some((key) =>
        JSON.stringify(raw).includes(`"${key}":`),
      )
      check(!polluted && Object.getPrototypeOf(raw) === Object.prototype, 'a key of ours:', body)
      check(serverFacts(server.ok).every(isText), 'a fact is no text:', body)
    }
    check(Object.keys(Object.prototype).length === 0, 'the prototype was changed by', body)
  },
})

function isText({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'string'
}
