import type { Fault, OAuthOptions as SandboxOAuth } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../src/vault/secret.ts'
import { type OAuthWorld, oauthWorld, works } from './oauth-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const device = (options: SandboxOAuth = {}) => oauthWorld({ grants: ['device_code'], ...options })

async function shown(world: OAuthWorld) {
  const outcome = expectStatus(await world.begun('device'), 'needs_person')
  expect(outcome.need).toMatchObject({
    kind: 'enter-code',
    url: `${world.site.issuer}/device`,
    code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
    until: expect.any(Number),
  })
  return outcome
}

test('from the URL of the API to a call, with no more rights than it asks for', async () => {
  const world = await device()
  const asked = expectStatus(
    await world.session.register({ service: world.service }),
    'needs_consent',
  )
  // All that is told to whom stands in the question; nothing was registered before the answer.
  expect(asked.action.summary).toContain('Create a client of its own and an access token,')
  expect(asked.action.summary).toContain(`at ${world.site.issuer}/register`)
  expect(asked.action.summary).toContain(`only under ${world.site.api}.`)
  expect(asked.action.summary).toContain('Its scopes: offline_access, things.read.')
  expect(world.clients().made).toBe(0)
  const outcome = await shown(world)
  expect(await world.later(outcome)).toMatchObject({ status: 'needs_person' })
  await world.connect(outcome)
  const { credential } = expectStatus(await world.later(outcome), 'ready')
  expect(credential).toMatchObject({ audience: [world.site.api], method: 'oauth-device' })
  expect(await world.me()).toMatchObject(works)
  // RFC 8707: the resource as it calls itself.
  for (const name of ['oauth_device', 'oauth_token']) {
    expect(world.forms(name)[0]).toMatchObject({ resource: world.site.api })
  }
  expect(world.clients()).toEqual({ made: 1, gone: 0 })
})

describe.each(['native', 'confidential', 'by a function'] as const)(
  'a client of the operator: %s',
  (kind) => {
    test('is used, and none is registered', async () => {
      const open = await device()
      const { clients, api, issuer } = open.site
      const secret = clients.confidential.secret
      const given = {
        native: { clientId: clients.native.id },
        confidential: { clientId: clients.confidential.id, clientSecret: new Secret(secret) },
        'by a function': { clientId: clients.confidential.id, clientSecret: () => secret },
      }[kind]
      const { auth, session } = open.with({ clients: [{ service: api, issuer, ...given }] })
      const input = { service: open.service }
      const asked = expectStatus(await session.register(input), 'needs_consent')
      expect(asked.action.summary).toContain('Create an access token,')
      expect(sent(open, 'oauth_device')).toBe(0)
      await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
      const { need, registration = '' } = expectStatus(
        await session.register(input),
        'needs_person',
      )
      await open.person.connect(need.url ?? '', need.code ?? '')
      open.sandbox.clock.advance(5_000)
      expectStatus(await session.claim({ registration }), 'ready')
      expect(await session.use({ ...input, path: '/v1/me' })).toMatchObject(works)
      expect(open.clients().made).toBe(0)
    })
  },
)

test('the interval is kept, and is longer for good where the server asks for that', async () => {
  // @see sigstore/sigstore#2381, Abblix/Oidc.Server#281
  const world = await device()
  world.sandbox.faults.add({
    name: 'oauth_token',
    status: 400,
    body: { error: 'slow_down' },
    times: 2,
  })
  const outcome = await shown(world)
  const polls = async (ms: number) => {
    await world.later(outcome, ms)
    return sent(world, 'oauth_token')
  }
  expect(await polls(2_000)).toBe(0)
  expect(await polls(3_000)).toBe(1)
  expect(await polls(5_000)).toBe(1)
  expect(await polls(5_000)).toBe(2)
  expect(await polls(9_000)).toBe(2)
  await world.connect(outcome)
  expectStatus(await world.later(outcome, 6_000), 'ready')
})

test('a person who refuses ends it, and the client is deleted', async () => {
  const world = await device()
  const outcome = await shown(world)
  await world.connect(outcome, { refuse: true })
  expect(await world.later(outcome)).toMatchObject({
    status: 'refused',
    code: 'service_refused',
    reason: "The person refused on the server's page.",
    errors: [{ code: 'access_denied' }],
  })
  expect(world.clients()).toEqual({ made: 1, gone: 1 })
})

test('nobody is asked for ever', async () => {
  // @see tuist/tuist#11902
  const world = await device()
  const pending = { error: 'authorization_pending' }
  world.sandbox.faults.add({ name: 'oauth_token', status: 400, body: pending })
  const outcome = await shown(world)
  await world.later(outcome, 9 * minute)
  const ended = expectStatus(await world.later(outcome, minute), 'refused')
  expect(ended).toMatchObject({ code: 'expired', next: expect.stringContaining('auth_discover') })
  expect(world.clients().gone).toBe(1)
  const polls = sent(world, 'oauth_token')
  expect(await world.later(outcome, minute)).toMatchObject({ code: 'expired' })
  expect(sent(world, 'oauth_token')).toBe(polls)
})

test('the application may leave all of it to `tick`', async () => {
  // @see tinyhumansai/openhuman#4756
  const world = await device()
  await world.connect(await shown(world))
  world.sandbox.clock.advance(5_000)
  expect(await world.auth.tick()).toEqual({ advanced: 1, failed: [] })
  expect(await world.me()).toMatchObject(works)
})

const unwell: readonly Omit<Fault, 'name'>[] = [
  { status: 500, body: 'broken' },
  { status: 502, body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } },
  { status: 429, body: { error: 'rate_limited' }, headers: { 'retry-after': '7' } },
  { status: 200, body: '' },
  { status: 302, headers: { location: '/elsewhere' } },
]
test.each(unwell)('a poll that is answered with %o is asked again', async (fault) => {
  const world = await device()
  const outcome = await shown(world)
  await world.connect(outcome)
  world.sandbox.faults.add({ name: 'oauth_token', times: 1, ...fault })
  expect(await world.later(outcome)).toMatchObject({ status: 'needs_person' })
  expectStatus(await world.later(outcome, 10_000), 'ready')
})

test('a poll that did not get there is asked again', async () => {
  const world = await device()
  const outcome = await shown(world)
  await world.connect(outcome)
  world.sandbox.faults.add({ name: 'oauth_token', times: 1, cut: 'before' })
  expect(await world.later(outcome)).toMatchObject({ status: 'needs_person' })
  expectStatus(await world.later(outcome, 10_000), 'ready')
})

test('a token whose answer was lost is said to be lost', async () => {
  const world = await device()
  const outcome = await shown(world)
  await world.connect(outcome)
  world.sandbox.faults.add({ name: 'oauth_token', times: 1, cut: 'after' })
  expect(await world.later(outcome)).toMatchObject({ status: 'needs_person' })
  const ended = expectStatus(await world.later(outcome, 10_000), 'refused')
  expect(ended.reason).toContain('the token may have been in it')
  const { registrations } = expectStatus(await world.session.discover(), 'found')
  expect(registrations[0]?.orphans).toMatchObject([{ request: 'oauth_token' }])
  // Its client is gone, and what it had goes with it.
  expect(world.clients().gone).toBe(1)
})

test.each([
  ['500', { status: 500 }],
  ['HTML', { bodyReplace: 'html' }],
  ['no body', { bodyReplace: 'empty' }],
  ['no answer', { cut: 'after' }],
] as const)(
  'a client that may have been made (%s) is told of, and not made again unasked',
  async (_, fault) => {
    const world = await device()
    world.sandbox.faults.add({ name: 'oauth_register', times: 1, when: 'after', ...fault })
    const doubtful = expectStatus(await world.begun('device'), 'uncertain')
    expect(doubtful).toMatchObject({
      request: 'oauth_client',
      orphans: [{ request: 'oauth_client', what: expect.stringContaining('a client') }],
    })
    expect(sent(world, 'oauth_register')).toBe(1)
    const { registration = '' } = doubtful
    expectStatus(await world.session.claim({ registration }), 'uncertain')
    const input = { service: world.service, registration }
    const asked = expectStatus(await world.session.register(input), 'needs_consent')
    expect(asked.action.summary).toContain('An earlier one may exist already')
    expect(sent(world, 'oauth_register')).toBe(1)
    await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const outcome = expectStatus(await world.session.register(input), 'needs_person')
    await world.connect(outcome)
    expectStatus(await world.later(outcome), 'ready')
  },
)

test('a server that registers nobody says so', async () => {
  const world = await device()
  const body = { error: 'invalid_client_metadata', error_description: 'not today' }
  world.sandbox.faults.add({ name: 'oauth_register', status: 400, body })
  expect(await world.begun('device')).toMatchObject({
    status: 'refused',
    code: 'service_refused',
    httpStatus: 400,
    errors: [{ code: 'invalid_client_metadata', detail: 'not today' }],
  })
})

test('a client that cannot be deleted is told of', async () => {
  const world = await device({ registration: ['unmanaged'] })
  const outcome = await shown(world)
  await world.connect(outcome, { refuse: true })
  expectStatus(await world.later(outcome), 'refused')
  const { registrations } = expectStatus(await world.session.discover(), 'found')
  expect(registrations[0]?.orphans).toMatchObject([{ what: expect.stringContaining('client_') }])
})

test.each(['refused', 'ignored', 'required'] as const)('resource %s', async (resource) => {
  // @see dust-tt/dust#22773
  const world = await device({ resource })
  const outcome = await shown(world)
  await world.connect(outcome)
  expectStatus(await world.later(outcome), 'ready')
  expect(await world.me()).toMatchObject(works)
  const sentWith = world.forms('oauth_device').map((form) => form.resource !== undefined)
  expect(sentWith).toEqual(resource === 'refused' ? [true, false] : [true])
})

test.each([
  ['a lifetime in a text', { expiresIn: 'string' }],
  ['no lifetime', { expiresIn: 'absent' }],
  ['a type in lower case', { lowerCaseType: true }],
  ['no interval', { bareDevice: true }],
  ['no scope', { noScope: true }],
  ['metadata by OpenID alone', { openidOnly: true }],
  ['a bare challenge', { bareChallenge: true }],
] as const)('%s', async (_, quirks) => {
  // @see panva/oauth4webapi#47, Switcheo/carbon-js-sdk#681
  const world = await device({ quirks })
  const outcome = await shown(world)
  await world.connect(outcome)
  expectStatus(await world.later(outcome), 'ready')
  expect(await world.me()).toMatchObject(works)
})

test('another page for the code than one that a browser may be sent to is not shown', async () => {
  const world = await device()
  for (const verification_uri of ['javascript:alert(1)', 'http://elsewhere.example/']) {
    const body = { device_code: 'made-up-code-1', user_code: 'ABCD-EFGH', verification_uri }
    world.sandbox.faults.add({ name: 'oauth_device', times: 1, status: 200, body })
    expect(await world.begun('device')).toMatchObject({ status: 'refused' })
  }
})
