import { createServer } from 'node:http'
import type { OAuthOptions as SandboxOAuth } from '@authmd/sandbox'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { OAuthOptions } from '../src/methods/oauth/options.ts'
import { serveRedirect } from '../src/node/redirect-server.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { Secret } from '../src/vault/secret.ts'
import { ada, oauthWorld, obtained, redirectUri, works } from './oauth-world.ts'
import { closeWorlds, expectStatus, owner, sent } from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const code = (options: SandboxOAuth = {}, oauth: OAuthOptions = { redirectUri }) =>
  oauthWorld({ grants: ['authorization_code'], ...options }, { oauth })

async function linked(options: SandboxOAuth = {}) {
  const world = await code(options)
  const outcome = expectStatus(await world.begun('code'), 'needs_person')
  return { world, outcome, link: new URL(outcome.need.url ?? '') }
}

/** The same address with other parameters. */
function changed(url: string, change: Readonly<Record<string, string | null>>): URL {
  const other = new URL(url)
  for (const [name, value] of Object.entries(change)) {
    if (value === null) other.searchParams.delete(name)
    else other.searchParams.set(name, value)
  }
  return other
}

test('a person is sent to the server, comes back to the application, and the agent goes on', async () => {
  const { world, outcome, link } = await linked()
  expect(outcome.need).toMatchObject({ kind: 'open-link', text: expect.stringContaining('agree') })
  expect(Object.fromEntries(link.searchParams)).toMatchObject({
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge_method: 'S256',
    resource: world.site.api,
    scope: 'things.read offline_access',
  })
  expect(await world.later(outcome, minute)).toMatchObject({
    status: 'needs_person',
    need: outcome.need,
  })
  const { credential } = expectStatus(await world.back(await world.authorise(outcome)), 'ready')
  expect(credential).toMatchObject({ audience: [world.site.api], method: 'oauth-code' })
  expect(await world.me()).toMatchObject(works)
  expect(world.forms('oauth_token')[0]).toMatchObject({ resource: world.site.api })
})

test('nothing is offered without an address to come back to, or without PKCE', async () => {
  const none = await code({}, {})
  expect(await none.session.register({ service: none.service })).toMatchObject({ code: 'no_offer' })
  const { site, sandbox, session, service } = await code()
  const { issuer } = site
  const body = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
  }
  sandbox.faults.add({ name: 'oauth_metadata', status: 200, body })
  expect(await session.register({ service })).toMatchObject({ code: 'no_offer' })
})

describe('a client that is there already', () => {
  const documentUrl = 'https://agents.operator.test/client.json'
  const given: Readonly<Record<string, (site: { id: string; secret: string }) => OAuthOptions>> = {
    'by its metadata document': () => ({ clientMetadata: documentUrl }),
    'of the operator, public': () => ({ clients: [{ ...at, clientId: 'public-one' }] }),
    'of the operator, with a secret': ({ id, secret }) => ({
      clients: [{ ...at, clientId: id, clientSecret: new Secret(secret) }],
    }),
  }
  const at = { service: 'http://api.oauth.localhost', issuer: 'http://auth.oauth.localhost' }
  const ways = {
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
  }
  const known = { ...ways, response_types: ['code'], client_name: 'An agent' }
  const secret = { id: 'secret-one', secret: 'made-up-secret-of-a-client-0123456789' }
  const clients = [
    { ...known, client_id: 'public-one', token_endpoint_auth_method: 'none' },
    { ...known, client_id: secret.id, client_secret: secret.secret },
  ]
  const document = { ...known, client_id: documentUrl, token_endpoint_auth_method: 'none' }

  test.each(Object.keys(given))('%s', async (kind) => {
    const options = {
      grants: ['authorization_code'],
      clients,
      documents: { [documentUrl]: document },
    }
    const open = await oauthWorld(options as SandboxOAuth)
    const oauth = given[kind]?.(secret) ?? {}
    const moved = oauth.clients?.map((one) => {
      return { ...one, service: open.site.api, issuer: open.site.issuer }
    })
    const world = {
      ...open,
      ...open.with({ redirectUri, ...oauth, ...(moved && { clients: moved }) }),
    }
    const asked = expectStatus(
      await world.session.register({ service: world.service }),
      'needs_consent',
    )
    expect(asked.action.summary).toContain('Create an access token,')
    await obtained(world, 'code')
    expect(await world.me()).toMatchObject(works)
    expect(world.clients().made).toBe(0)
  })
})

describe('what a browser brings', () => {
  test('is taken once', async () => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    expectStatus(await world.back(url), 'ready')
    await expect(world.back(url)).rejects.toMatchObject({ code: 'not_found' })
    expect(sent(world, 'oauth_token')).toBe(1)
    expect(await world.me()).toMatchObject(works)
  })

  test('is taken once when it comes twice at once', async () => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    const both = await Promise.allSettled([world.back(url), world.back(url)])
    expect(both.map((one) => one.status === 'fulfilled' && one.value.status)).toContain('ready')
    expect(sent(world, 'oauth_token')).toBe(1)
  })

  test.each([
    ['another state', { state: 'made-up-state' }],
    ['no state', { state: null }],
  ] as const)('is nobody’s with %s', async (_, change) => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    await expect(world.back(changed(url, change))).rejects.toMatchObject({
      code: expect.stringMatching(/^(not_found|invalid_input)$/),
    })
    expect(sent(world, 'oauth_token')).toBe(0)
    expectStatus(await world.back(url), 'ready')
  })

  test('is not taken from another owner', async () => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    for (const other of [
      { tenant: 'acme' },
      { tenant: 'acme', user: 'eve' },
      { tenant: 'other', user: 'kim' },
    ]) {
      await expect(world.back(url, other)).rejects.toMatchObject({ code: 'not_found' })
    }
    expect(sent(world, 'oauth_token')).toBe(0)
    expectStatus(await world.back(url), 'ready')
  })

  test.each(['http://localhost:3000/back', 'http://agents.internal/back'])(
    'is taken where a proxy or a framework names the address otherwise: %s',
    async (own) => {
      const { world, outcome } = await linked()
      const seen = new URL(own)
      seen.search = new URL(await world.authorise(outcome)).search
      expectStatus(await world.back(seen), 'ready')
    },
  )

  test('is not taken at another path', async () => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    const moved = new URL('/other', url)
    moved.search = new URL(url).search
    await expect(world.back(moved)).rejects.toMatchObject({ code: 'not_found' })
    expect(sent(world, 'oauth_token')).toBe(0)
  })

  // RFC 9207: the code of one server must not be told to another.
  test.each([
    ['of another server', { iss: 'https://auth.evil.example' }],
    ['of no server, where this one names itself', { iss: null }],
    ['without a code', { code: null }],
  ] as const)('is not used %s', async (_, change) => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    const still = expectStatus(await world.back(changed(url, change)), 'needs_person')
    expect(still.need).toEqual(outcome.need)
    expect(still.notice).toMatch(/brought back|without a code/)
    expect(sent(world, 'oauth_token')).toBe(0)
    expectStatus(await world.back(url), 'ready')
  })

  test('need not name the server where that one never does', async () => {
    const { world, outcome } = await linked({ quirks: { noIssuer: true } })
    expectStatus(await world.back(await world.authorise(outcome)), 'ready')
  })

  test('is no code that the server gave somebody else', async () => {
    const { world, outcome } = await linked()
    const url = await world.authorise(outcome)
    const again = expectStatus(
      await world.back(changed(url, { code: 'made-up-code-of-eve' })),
      'needs_person',
    )
    // PKCE and the client bind a code; what is left is to open another link.
    expect(again.need.url).not.toBe(outcome.need.url)
    expectStatus(await world.back(await world.authorise(again)), 'ready')
  })

  test('may come to another process', async () => {
    const store = memoryStore()
    const open = await oauthWorld(
      { grants: ['authorization_code'] },
      { store, oauth: { redirectUri } },
    )
    const outcome = await open.begun('code')
    const url = await open.authorise(outcome)
    const other = open.with({ redirectUri }, store)
    expectStatus(await other.back(url), 'ready')
    expect(await open.me()).toMatchObject(works)
  })
})

test('a person who refuses ends it, and the client is deleted', async () => {
  const { world, outcome } = await linked()
  const url = await world.authorise(outcome, { refuse: true })
  expect(await world.back(url)).toMatchObject({
    status: 'refused',
    code: 'service_refused',
    errors: [{ code: 'access_denied' }],
  })
  expect(world.clients()).toEqual({ made: 1, gone: 1 })
})

test('nobody is waited for for ever', async () => {
  const { world, outcome } = await linked()
  const url = await world.authorise(outcome)
  world.sandbox.clock.advance(61 * minute)
  expect(await world.auth.tick()).toEqual({ advanced: 1, failed: [] })
  await expect(world.back(url)).rejects.toMatchObject({ code: 'not_found' })
  expect(world.clients().gone).toBe(1)
})

test('that the person says it is done is not enough', async () => {
  const { world, outcome } = await linked()
  const { registration = '' } = outcome
  const said = await world.auth.people.answer(registration, { done: true }, { approver: ada })
  expect(said).toMatchObject({
    status: 'needs_person',
    notice: expect.stringContaining('not come back'),
  })
})

test('a code that has grown old is followed by another link', async () => {
  const { world, outcome } = await linked()
  const url = await world.authorise(outcome)
  world.sandbox.clock.advance(2 * minute)
  const again = expectStatus(await world.back(url), 'needs_person')
  expect(again.need.url).not.toBe(outcome.need.url)
  await expect(world.back(url)).rejects.toMatchObject({ code: 'not_found' })
  expectStatus(await world.back(await world.authorise(again)), 'ready')
})

test.each([
  ['500', { status: 500, when: 'after' }],
  ['HTML', { bodyReplace: 'html' }],
  ['no body', { bodyReplace: 'empty' }],
  ['no answer', { cut: 'after' }],
] as const)(
  'a token whose answer was lost (%s) is told of, and another consent is asked for',
  async (_, fault) => {
    const { world, outcome } = await linked()
    world.sandbox.faults.add({ name: 'oauth_token', times: 1, ...fault })
    const doubtful = expectStatus(await world.back(await world.authorise(outcome)), 'uncertain')
    expect(doubtful).toMatchObject({
      request: 'oauth_token',
      orphans: [{ request: 'oauth_token', what: 'an access token that nobody holds' }],
    })
    expect(sent(world, 'oauth_token')).toBe(1)
    const input = { service: world.service, registration: doubtful.registration ?? '' }
    const asked = expectStatus(await world.session.register(input), 'needs_consent')
    expect(asked.action.summary).toContain('An earlier one may exist already')
    await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const again = await world.session.register(input)
    expectStatus(await world.back(await world.authorise(again)), 'ready')
    // The client that is there is used again.
    expect(world.clients().made).toBe(1)
  },
)

test('a token endpoint that is busy is asked again with the same code', async () => {
  const { world, outcome } = await linked()
  const headers = { 'retry-after': '20' }
  world.sandbox.faults.add({ name: 'oauth_token', times: 1, status: 429, headers })
  const pending = expectStatus(await world.back(await world.authorise(outcome)), 'pending')
  expectStatus(await world.later(pending, 20_000), 'ready')
})

test('a server that takes no `resource` is asked without it', async () => {
  const { world, outcome } = await linked({ resource: 'refused' })
  const again = expectStatus(await world.back(await world.authorise(outcome)), 'needs_person')
  expect(new URL(again.need.url ?? '').searchParams.has('resource')).toBe(false)
  expectStatus(await world.back(await world.authorise(again)), 'ready')
})

test('a server that says otherwise than when it was found is left alone', async () => {
  const open = await code({ clients: [] })
  const { site } = open
  const given = { service: site.api, issuer: site.issuer, clientId: site.clients.native.id }
  const world = { ...open, ...open.with({ redirectUri, clients: [given] }) }
  await world.session.register({ service: world.service })
  const body = { issuer: site.issuer, token_endpoint: 'https://evil.example/token' }
  world.sandbox.faults.add({ name: 'oauth_metadata', status: 200, body })
  expect(await world.begun('code')).toMatchObject({ status: 'refused', code: 'service_failed' })
})

describe('the loopback server', () => {
  async function atDesk(port?: number) {
    const redirect = await serveRedirect(port === undefined ? {} : { port })
    onTestFinished(() => redirect.close())
    const open = await code({}, { redirectUri: redirect.redirectUri })
    return { redirect, world: open, outcome: await open.begun('code') }
  }

  test('takes one browser back and ends with the registration', async () => {
    const { redirect, world, outcome } = await atDesk()
    expect(redirect.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/back$/)
    const taken = redirect.take(world.auth, { owner })
    const url = await world.authorise(outcome)
    // The sandbox's person has really called it.
    expect(url).toContain(redirect.redirectUri)
    expectStatus(await taken, 'ready')
    expect(await world.me()).toMatchObject(works)
    await expect(fetch(redirect.redirectUri)).rejects.toThrow()
  })

  test('takes nothing that it did not wait for', async () => {
    const { redirect, world, outcome } = await atDesk()
    const taken = redirect.take(world.auth, { owner })
    const asked = await fetch(`${redirect.redirectUri}?code=made-up-code&state=made-up`)
    expect(asked.status).toBe(400)
    expect(asked.headers.get('cache-control')).toBe('no-store')
    expect((await fetch(redirect.redirectUri.replace('/back', '/other'))).status).toBe(404)
    expect((await fetch(redirect.redirectUri, { method: 'POST' })).status).toBe(405)
    const renamed = redirect.redirectUri.replace('127.0.0.1', 'localhost')
    await expect(fetch(renamed).then(({ status }) => status)).resolves.toBe(421)
    expect(sent(world, 'oauth_token')).toBe(0)
    await world.authorise(outcome)
    expectStatus(await taken, 'ready')
  })

  test('a port that is taken is said to be', async () => {
    const other = createServer()
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    await expect(serveRedirect({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test('who closes it is told', async () => {
    const { redirect, world } = await atDesk()
    const taken = redirect.take(world.auth, { owner })
    await redirect.close()
    await expect(taken).rejects.toMatchObject({ code: 'aborted' })
  })
})
