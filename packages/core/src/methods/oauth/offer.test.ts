import { describe, expect, test } from 'vitest'
import type { Fact, ServiceProfile } from '../../discovery/profile.ts'
import { Secret } from '../../vault/secret.ts'
import { oauthMethods } from './index.ts'
import type { Grant, OAuthOptions } from './options.ts'
import type { Plan } from './state.ts'

const service = 'https://api.vendor.example/mcp'
const issuer = 'https://auth.vendor.example'
const redirectUri = 'https://agents.operator.example/back'
const device = 'urn:ietf:params:oauth:grant-type:device_code'

const metadata = {
  issuer,
  token_endpoint: `${issuer}/token`,
  authorization_endpoint: `${issuer}/authorize`,
  device_authorization_endpoint: `${issuer}/device`,
  registration_endpoint: `${issuer}/register`,
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
}

function profile(
  change: object = {},
  about: Partial<ServiceProfile> & { issuer?: string } = {},
): ServiceProfile {
  const { issuer: named = issuer, ...rest } = about
  return {
    asked: service,
    service,
    resourceMetadata: {
      url: '',
      resource: service,
      authorizationServers: [named],
      scopes: ['read'],
    },
    serverMetadata: [
      {
        url: `${named}/.well-known/oauth-authorization-server`,
        issuer: named,
        raw: { ...metadata, ...change },
      },
    ],
    documents: [],
    facts: [],
    tried: [],
    warnings: [],
    at: 0,
    ...rest,
  }
}

function offered(from: ServiceProfile, options: OAuthOptions = { redirectUri }): string[] {
  return oauthMethods(options).flatMap((method) => method.offers(from).map((one) => one.method))
}

function plan(grant: Grant, from: ServiceProfile, options: OAuthOptions = { redirectUri }) {
  const [offer] = oauthMethods(options).flatMap((one) =>
    one.id === `oauth-${grant}` ? one.offers(from) : [],
  )
  return offer?.plan as unknown as Plan | undefined
}

test('what the server has and what the application can take', () => {
  expect(offered(profile())).toEqual(['oauth-device', 'oauth-code'])
  expect(offered(profile(), {})).toEqual(['oauth-device'])
  const both = { device_authorization_endpoint: undefined, registration_endpoint: undefined }
  expect(offered(profile(both))).toEqual([])
  expect(oauthMethods().map(({ id }) => id)).toEqual(['oauth-client', 'oauth-device', 'oauth-code'])
})

test('what it gives ends by itself, and can be ended where the server has an endpoint for it', () => {
  const gives = (from: ServiceProfile) =>
    oauthMethods({ redirectUri }).flatMap((method) => method.offers(from).map((one) => one.gives))
  const short = { shortLived: true, revocable: false }
  expect(gives(profile())).toEqual([short, short])
  const ends = { ...short, revocable: true }
  const revocation_endpoint = `${issuer}/revoke`
  expect(gives(profile({ revocation_endpoint }))).toEqual([ends, ends])
})

test.each([
  ['no PKCE said', { code_challenge_methods_supported: undefined }],
  ['plain PKCE alone', { code_challenge_methods_supported: ['plain'] }],
  ['no code', { response_types_supported: ['token'] }],
  ['no answer in a query', { response_modes_supported: ['form_post'] }],
  ['pushed requests alone', { require_pushed_authorization_requests: true }],
  ['another grant alone', { grant_types_supported: [device] }],
  [
    'an address that no browser is sent to',
    { authorization_endpoint: 'http://auth.vendor.example/a' },
  ],
])('no link with %s', (_, change) => {
  expect(offered(profile(change))).toEqual(['oauth-device'])
})

test.each([
  ['another grant alone', { grant_types_supported: ['authorization_code'] }],
  ['no endpoint for it', { device_authorization_endpoint: undefined }],
])('no code to type with %s', (_, change) => {
  expect(offered(profile(change))).toEqual(['oauth-code'])
})

test.each([
  [
    'no way to prove a client that we know',
    { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
  ],
  ['no token endpoint', { token_endpoint: undefined }],
  ['a token endpoint in the clear', { token_endpoint: 'http://auth.vendor.example/token' }],
  ['rubbish', { token_endpoint: 7, grant_types_supported: 'all' }],
  // RFC 9728 §4: the server itself says for whom it speaks.
  ['other resources than this one', { protected_resources: ['https://api.other.example'] }],
])('nothing with %s', (_, change) => {
  expect(offered(profile(change))).toEqual([])
})

test('a text that denies a way is believed', () => {
  const denied = (value: string): Fact => ({
    name: 'method',
    value,
    denied: true,
    source: { url: service, kind: 'text' },
  })
  expect(offered(profile({}, { facts: [denied('device-flow')] }))).toEqual(['oauth-code'])
  expect(offered(profile({}, { facts: [denied('oauth-authcode')] }))).toEqual(['oauth-device'])
  expect(offered(profile({}, { facts: [denied('oauth-dcr')] }))).toEqual([])
})

describe('which server may speak for a service', () => {
  const elsewhere = { issuer: 'https://login.host.example' }
  const there = { ...metadata, issuer: elsewhere.issuer }

  test('one of its own domain, or one that it names', () => {
    const { resourceMetadata: _, ...unnamed } = profile()
    expect(offered(unnamed)).toHaveLength(2)
    expect(plan('device', unnamed)?.vouched).toBe(true)
    const named = profile(there, elsewhere)
    expect(offered(named)).toHaveLength(2)
    expect(plan('device', named)?.vouched).toBe(false)
  })

  test('none of another domain that it does not name', () => {
    const { resourceMetadata: _, ...unnamed } = profile(there, elsewhere)
    expect(offered(unnamed)).toEqual([])
    const { resourceMetadata } = profile()
    expect(
      offered({ ...profile(there, elsewhere), ...(resourceMetadata && { resourceMetadata }) }),
    ).toEqual([])
  })

  test('one that names it vouches for it, and so does the operator', () => {
    const listed = profile({ ...there, protected_resources: [service] }, elsewhere)
    expect(plan('device', listed)?.vouched).toBe(true)
    const client = { service, issuer: elsewhere.issuer, clientId: 'one' }
    expect(plan('device', profile(there, elsewhere), { clients: [client] })?.vouched).toBe(true)
  })

  test('an address or localhost is no domain', () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const own = { service: `http://${host}:1001`, asked: `http://${host}:1001` }
      const { resourceMetadata: _, ...other } = profile(
        {},
        { ...own, issuer: `http://${host}:1002` },
      )
      expect(offered(other)).toEqual([])
    }
  })
})

describe('which client', () => {
  const client = { service: 'https://api.vendor.example', issuer, clientId: 'one' }
  const document = 'https://agents.operator.example/client.json'

  test("the operator's before a document before a new one", () => {
    const takes = profile({ client_id_metadata_document_supported: true })
    const options = { redirectUri, clientMetadata: document, clients: [client] }
    expect(plan('code', takes, options)).toMatchObject({
      client: 'given',
      clientId: 'one',
      auth: 'none',
    })
    const { clients: _, ...without } = options
    expect(plan('code', takes, without)).toMatchObject({ client: 'document', clientId: document })
    expect(plan('code', profile(), without)).toMatchObject({ client: 'dynamic', auth: 'none' })
  })

  test('is for one origin and one issuer, and for client credentials where that was said', () => {
    const secret = { ...client, clientSecret: new Secret('made-up-secret') }
    const by = (one: object) => plan('client', profile(), { clients: [one as typeof client] })
    expect(by(secret)).toBeUndefined()
    expect(by({ ...client, grants: ['client'] })).toBeUndefined()
    expect(by({ ...secret, grants: ['client'] })).toMatchObject({ auth: 'client_secret_basic' })
    const own = { ...secret, grants: ['client'] }
    expect(by({ ...own, issuer: 'https://auth.other.example' })).toBeUndefined()
    expect(by({ ...own, service: 'https://www.vendor.example' })).toBeUndefined()
  })

  test('proves itself as the server takes it', () => {
    const secret = { ...client, clientSecret: () => 'made-up-secret' }
    const auth = (...methods: string[]) => {
      const from = profile({ token_endpoint_auth_methods_supported: methods })
      return plan('device', from, { clients: [secret] })?.auth
    }
    expect(auth('client_secret_post')).toBe('client_secret_post')
    expect(auth('client_secret_post', 'client_secret_basic')).toBe('client_secret_basic')
    expect(
      plan('device', profile({ token_endpoint_auth_methods_supported: undefined }))?.auth,
    ).toBe('client_secret_basic')
  })
})

test('the challenge says what is needed, before the metadata', () => {
  expect(plan('device', profile())?.scopes).toEqual(['read'])
  expect(plan('device', profile({}, { challengeScopes: ['least'] }))?.scopes).toEqual(['least'])
})

test.each([
  { redirectUri: 'http://agents.operator.example/back' },
  { redirectUri: 'https://user:pass@agents.operator.example/back' },
  { redirectUri: 'https://agents.operator.example/back#there' },
  { clientMetadata: 'https://agents.operator.example' },
  { clients: [{ service, issuer, clientId: '' }] },
  { clients: [{ service, issuer, clientId: 'one', clientSecret: 'in the clear' }] },
  { scopes: ['a b'] },
  { other: true },
])('options of another form are refused: %j', (options) => {
  expect(() => oauthMethods(options as OAuthOptions)).toThrow(
    expect.objectContaining({ code: 'invalid_input' }),
  )
})
