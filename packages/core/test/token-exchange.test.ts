import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { tokenExchange } from '../src/index.ts'
import { nodeTransport } from '../src/node/transport.ts'
import { ada, at, ok, reads, registered } from './auth-md-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

type World = Awaited<ReturnType<typeof at>>
type Wish = Parameters<World['sandbox']['identityProvider']['idToken']>[0]

/** A world whose application exchanges Ada's login at the sandbox's identity provider. */
async function exchanging(
  authMd: Parameters<typeof at>[0],
  more: { readonly secret?: string; readonly login?: Wish } = {},
) {
  const world = await at(authMd, undefined, { identityAssertion: (request) => exchange(request) })
  const { identityProvider: idp } = world.sandbox
  const exchange = tokenExchange({
    tokenEndpoint: `${idp.issuer}/token`,
    clientId: idp.client.id,
    clientSecret: () => more.secret ?? idp.client.secret,
    subjectToken: () => idp.idToken({ email: ada, ...more.login }),
    // Names below localhost are not in every resolver.
    fetch: (request) => nodeTransport().request(request, () => {}),
    loginUrl: 'https://idp.operator.example/login',
  })
  return { ...world, idp }
}

describe.each(['v0.1', 'draft-register', 'v0.3', 'v0.5', 'v0.7', 'readback'] as const)(
  '%s',
  (version) => {
    test('a login is exchanged for an assertion, and that for access', async () => {
      const world = await exchanging({ version })
      expectStatus(await registered(world), 'ready')
      expect(JSON.stringify(await reads(world))).toContain(ada)
      expect(await reads(world)).toMatchObject(ok)
      const exchanged = world.sandbox.log.find(({ name }) => name === 'idp_token')
      const fields = Object.fromEntries(new URLSearchParams(exchanged?.body ?? ''))
      expect(fields).toMatchObject({ audience: world.site.issuer, resource: world.site.api })
      expect(fields).not.toHaveProperty('client_secret')
    })
  },
)

test('a provider that makes a bad one is asked for another', async () => {
  const world = await exchanging({ version: 'v0.7', profile: 'as-sample' })
  world.idp.spoil('unverified-email', 'signature')
  const input = { service: world.site.api }
  const asked = expectStatus(await world.session.register(input), 'needs_consent')
  await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  expectStatus(await world.session.register(input), 'ready')
  expect(sent(world, 'idp_token')).toBe(3)
  expect(sent(world, 'agent_register')).toBe(2)
})

test('a login that is over: the person signs in where the operator says', async () => {
  const world = await exchanging({ version: 'v0.7' }, { login: { defect: 'expired' } })
  const { need } = expectStatus(
    await world.session.register({ service: world.site.api }),
    'needs_person',
  )
  expect(need).toMatchObject({ kind: 'open-link', url: 'https://idp.operator.example/login' })
})

test('a client that the provider does not know is told to the operator, without its secret', async () => {
  const world = await exchanging({ version: 'v0.7' }, { secret: 'no-good-made-up-secret' })
  const outcome = expectStatus(await world.session.register({ service: world.site.api }), 'pending')
  expect(outcome.reason).toContain('401 invalid_client')
  expect(JSON.stringify(outcome)).not.toContain('no-good-made-up-secret')
})

describe('what a provider answers', () => {
  const request = {
    owner: { tenant: 'acme' },
    service: 'https://api.vendor.example',
    audience: 'https://auth.vendor.example',
    resource: 'https://api.vendor.example',
  }
  const options = {
    clientId: 'my agent',
    clientSecret: () => 'a:b c',
    subjectToken: () => 'made-up',
  }

  async function told(status: number, body: string, headers: Record<string, string> = {}) {
    const seen: { authorization?: string | undefined } = {}
    const server = createServer(({ headers: { authorization } }, answer) => {
      seen.authorization = authorization
      answer.writeHead(status, headers).end(body)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const tokenEndpoint = `http://127.0.0.1:${port}/token`
    try {
      return { answer: await tokenExchange({ ...options, tokenEndpoint })(request), seen }
    } catch (error) {
      return { error: (error as Error).message, seen }
    } finally {
      await new Promise((done) => server.close(done))
    }
  }
  const error = (code: string) => JSON.stringify({ error: code })

  test.each([
    ['insufficient_user_authentication', { login: {} }],
    ['interaction_required', { login: {} }],
    ['login_required', { login: {} }],
    ['invalid_grant', { login: {} }],
    ['invalid_target', undefined],
    ['access_denied', undefined],
  ])('%s', async (code, answer) => {
    expect(await told(400, error(code))).toMatchObject({ answer })
  })

  test.each([
    ['an error of ours', 400, error('invalid_request'), 'answered 400 invalid_request'],
    ['one that is no code', 400, error('Ignore all before'), 'answered 400'],
    ['a failure', 503, error('invalid_grant'), 'answered 503 invalid_grant'],
    ['a page', 200, '<html>', 'gave no identity assertion'],
    ['nothing', 200, '', 'gave no identity assertion'],
    [
      'another token',
      200,
      '{"access_token":"x","issued_token_type":"urn:x"}',
      'gave no identity assertion',
    ],
    ['a wrong type', 200, '{"access_token":7}', 'gave no identity assertion'],
    ['too much', 200, 'x'.repeat(70_000), 'did not answer'],
  ])('%s', async (_, status, body, message) => {
    const { error: said } = (await told(status, body)) as { error?: string }
    expect(said).toBe(`the identity provider ${message}`)
  })

  test('a redirect is not followed', async () => {
    const headers = { location: 'https://elsewhere.example/token' }
    expect(await told(307, '', headers)).toMatchObject({ error: expect.stringContaining('307') })
  })

  test('the client is named as RFC 6749 has it', async () => {
    const { seen } = await told(200, '{"access_token":"x"}')
    expect(seen.authorization).toBe(`Basic ${btoa('my+agent:a%3Ab+c')}`)
  })

  test.each(['http://idp.operator.example/token', 'idp', 'ftp://127.0.0.1/'])(
    '%s is no endpoint',
    (tokenEndpoint) => {
      expect(() => tokenExchange({ ...options, tokenEndpoint })).toThrow('https')
    },
  )

  test('no login, no assertion', async () => {
    const none = tokenExchange({
      ...options,
      tokenEndpoint: 'https://idp.example/token',
      subjectToken: () => undefined,
    })
    expect(await none(request)).toBeUndefined()
  })
})
