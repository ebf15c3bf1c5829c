import type { OAuthOptions as SandboxOAuth } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../src/vault/secret.ts'
import { agreed, oauthWorld, obtained, works } from './oauth-world.ts'
import { approve, closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const hour = 3_600_000
const held = async (options: SandboxOAuth = {}) => {
  const world = await oauthWorld({ grants: ['device_code'], ...options })
  const credential = await obtained(world, 'device')
  expect(await world.me()).toMatchObject(works)
  const refreshes = () =>
    world.forms('oauth_token').filter((form) => form.grant_type === 'refresh_token')
  const { handle } = credential
  const revoke = () => agreed(world, () => world.session.revoke({ credential: handle }))
  return { ...world, credential, refreshes, revoke }
}

describe('a token that is over', () => {
  test.each(['rotating', 'lasting'] as const)('is renewed, refresh tokens %s', async (refresh) => {
    const world = await held({ refresh })
    for (let times = 1; times <= 3; times++) {
      world.sandbox.clock.advance(hour)
      expect(await world.me()).toMatchObject(works)
      expect(world.refreshes()).toHaveLength(times)
    }
    const tokens = new Set(world.refreshes().map((form) => form.refresh_token))
    expect(tokens.size).toBe(refresh === 'rotating' ? 3 : 1)
    // RFC 8707 §2.2, and RFC 6749 §6: no scope means the same.
    expect(world.refreshes()[0]).toMatchObject({ resource: world.site.api })
    expect(world.refreshes()[0]).not.toHaveProperty('scope')
  })

  test('is renewed once for all that ask at once', async () => {
    // @see anomalyco/opencode#34074
    const world = await held()
    world.sandbox.clock.advance(hour)
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => world.me()))
    for (const one of all) expect(one).toMatchObject(works)
    expect(world.refreshes()).toHaveLength(1)
  })

  test('keeps its refresh token and scopes where the answer names none', async () => {
    const world = await held({ refresh: 'lasting', quirks: { bareRefresh: true } })
    for (let times = 1; times <= 2; times++) {
      world.sandbox.clock.advance(hour)
      expect(await world.me()).toMatchObject(works)
    }
    expect(world.refreshes()).toHaveLength(2)
  })

  test('is renewed without `resource` where the server takes none, which is remembered', async () => {
    // @see dust-tt/dust#22773
    const world = await held()
    const body = { error: 'invalid_target' }
    world.sandbox.faults.add({ name: 'oauth_token', status: 400, body, times: 1 })
    for (let times = 1; times <= 2; times++) {
      world.sandbox.clock.advance(hour)
      expect(await world.me()).toMatchObject(works)
    }
    expect(world.refreshes().map((form) => 'resource' in form)).toEqual([true, false, false])
  })

  test('is kept when the server is unwell, and ended by invalid_grant alone', async () => {
    // @see google-gemini/gemini-cli#29048
    const world = await held()
    world.sandbox.clock.advance(hour)
    for (const fault of [
      { status: 503 },
      { cut: 'before' },
      { status: 400, body: { error: 'invalid_request' }, times: 2 },
    ] as const) {
      const added = world.sandbox.faults.add({ name: 'oauth_token', ...fault })
      expect(await world.me()).toMatchObject({ status: 'refused', code: 'service_unreachable' })
      added.remove()
    }
    expect((await world.session.list())[0]?.state).toBe('active')
    expect(await world.me()).toMatchObject(works)
    world.sandbox.clock.advance(hour)
    world.sandbox.faults.add({ name: 'oauth_token', status: 400, body: { error: 'invalid_grant' } })
    expect(await world.me()).toMatchObject({ status: 'refused', code: 'credential_invalid' })
    expect((await world.session.list())[0]?.state).toBe('invalid')
    const before = world.refreshes().length
    await world.me()
    expect(world.refreshes()).toHaveLength(before)
  })

  test('is over for good when its client is not there any more', async () => {
    const world = await held()
    world.sandbox.clock.advance(hour)
    world.sandbox.faults.add({
      name: 'oauth_token',
      status: 401,
      body: { error: 'invalid_client' },
    })
    expect(await world.me()).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  })

  test('without a refresh token is over', async () => {
    const world = await held({ refresh: 'none' })
    world.sandbox.clock.advance(hour)
    expect(await world.me()).toMatchObject({ status: 'refused', code: 'credential_invalid' })
    expect(world.refreshes()).toEqual([])
  })
})

describe('rights that are lacking', () => {
  test('are named, and come with another credential that a person agrees to', async () => {
    const world = await held()
    const refused = expectStatus(await agreed(world, () => world.write()), 'refused')
    expect(refused).toMatchObject({
      code: 'permission_denied',
      httpStatus: 403,
      next: `auth_revoke { credential: "${world.credential.handle}", replace: true } asks a person for one with these rights; the one held stays until that works`,
    })
    expect(refused.errors?.[0]).toEqual({
      code: 'insufficient_scope',
      detail: 'scope: things.write',
    })
    // A 403 renews nothing.
    expect(world.refreshes()).toEqual([])

    const replace = () =>
      world.session.revoke({ credential: world.credential.handle, replace: true })
    const asked = expectStatus(await replace(), 'needs_consent')
    expect(asked.action.effects).toMatchObject([
      { scopes: ['offline_access', 'things.read', 'things.write'] },
    ])
    await approve(world, asked)
    const shown = await replace()
    await world.connect(shown)
    const ready = expectStatus(await world.later(shown), 'ready')
    const { handle } = ready.credential
    expect(handle).not.toBe(world.credential.handle)
    const post = { credential: handle, method: 'POST', path: '/v1/things', json: { text: 'a' } }
    expect(await agreed(world, () => world.session.use(post))).toMatchObject({
      status: 'answered',
      answer: { status: 201 },
    })
    // Seen to work: it is the one that is used now, and the old one can go.
    expect(await agreed(world, () => world.write())).toMatchObject({ credential: handle })
    expect(await world.revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(await world.me()).toMatchObject({ ...works, credential: handle })
  })

  test('are not asked for again where they were refused', async () => {
    // @see anthropics/claude-code#89862
    const world = await held({ narrow: ['things.read'] })
    await agreed(world, () => world.write())
    const replace = () =>
      world.session.revoke({ credential: world.credential.handle, replace: true })
    const shown = await agreed(world, replace)
    await world.connect(shown)
    const { credential } = expectStatus(await world.later(shown), 'ready')
    const post = {
      credential: credential.handle,
      method: 'POST',
      path: '/v1/things',
      json: { text: 'a' },
    }
    const again = expectStatus(await agreed(world, () => world.session.use(post)), 'refused')
    expect(again).toMatchObject({
      code: 'permission_denied',
      next: expect.not.stringContaining('auth_revoke'),
    })
    expect(again.reason).toContain('the service did not give')
  })

  test('do not bring about a loop of renewing, at whichever status they are named', async () => {
    const world = await held()
    const headers = {
      'www-authenticate': 'Bearer error="insufficient_scope", scope="things.admin"',
    }
    world.sandbox.faults.add({ name: 'oauth_me', status: 401, headers })
    for (let times = 0; times < 3; times++) {
      expect(await world.me()).toMatchObject({ status: 'refused', code: 'permission_denied' })
    }
    expect(world.refreshes()).toEqual([])
  })

  test('are not asked for where the operator does not allow them', async () => {
    const open = await oauthWorld({ grants: ['device_code'] })
    const world = { ...open, ...open.with({ scopes: ['things.read'] }) }
    const credential = await obtained(world, 'device')
    expect(world.forms('oauth_device')[0]).toMatchObject({ scope: 'things.read' })
    const post = { service: world.service, method: 'POST', path: '/v1/things', json: { text: 'a' } }
    const asked = expectStatus(await world.session.use(post), 'needs_consent')
    await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    expectStatus(await world.session.use(post), 'refused')
    expect(
      await world.session.revoke({ credential: credential.handle, replace: true }),
    ).toMatchObject({
      status: 'refused',
      code: 'policy_denied',
    })
    expect(sent(world, 'oauth_register')).toBe(1)
  })
})

describe('giving it up', () => {
  test('ends the refresh token, the token and the client', async () => {
    // @see anthropics/claude-ai-mcp#451
    const world = await held()
    expect(await world.revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(world.forms('oauth_revoke').map((form) => form.token_type_hint)).toEqual([
      'refresh_token',
      'access_token',
    ])
    expect(world.clients()).toEqual({ made: 1, gone: 1 })
    const { ledger } = world.sandbox
    const tokens = ledger.filter(({ kind }) => kind === 'access_token' || kind === 'refresh_token')
    expect(tokens.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([true, true])
    expect(await world.me()).toMatchObject({ status: 'refused' })
  })

  test('ends the refresh token that there is by then', async () => {
    const world = await held()
    world.sandbox.clock.advance(hour)
    await world.me()
    expect(await world.revoke()).toMatchObject({ verdict: 'revoked' })
    const last = world.sandbox.ledger.filter(({ kind }) => kind === 'refresh_token').at(-1)
    expect(world.forms('oauth_revoke')[0]?.token).toBe(last?.value)
  })

  test.each([
    ['oauth_revoke', 1],
    ['oauth_revoke', 2],
    ['oauth_client', 1],
  ] as const)('goes on with what is left where %s fails the time %i', async (name, at) => {
    const world = await held()
    if (at === 2) {
      // The first goes through: only then the fault.
      const fault = world.sandbox.faults.add({
        name,
        hold: 'before',
        times: 1,
        onHold: () => {
          world.sandbox.faults.add({ name, status: 503, times: 1 })
        },
      })
      expect(await world.revoke()).toMatchObject({ status: 'pending' })
      fault.remove()
    } else {
      world.sandbox.faults.add({ name, status: 503, times: 1 })
      expect(await world.revoke()).toMatchObject({ status: 'pending' })
    }
    const { handle } = world.credential
    expect(await world.me()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
    const ended = await world.session.revoke({ credential: handle })
    expect(ended).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(world.clients().gone).toBe(1)
    // What was said of the tokens is asked once.
    if (name === 'oauth_client') expect(sent(world, 'oauth_revoke')).toBe(2)
  })

  test('says what stays where a client cannot be deleted', async () => {
    const world = await held()
    world.sandbox.faults.add({ name: 'oauth_client', status: 403, times: 1 })
    const ended = expectStatus(await world.revoke(), 'ended')
    expect(ended).toMatchObject({ verdict: 'revoked' })
    expect(ended.reason).toContain('the client that was registered for it stays there')
  })

  test('says that a token may still work where the server ends none', async () => {
    const world = await held({ revocation: false })
    expect(await world.revoke()).toMatchObject({ status: 'ended', verdict: 'forgotten' })
    expect(world.clients().gone).toBe(1)
    const bare = await held({ revocation: false, registration: ['unmanaged'] })
    expect(await bare.revoke()).toMatchObject({ status: 'ended', verdict: 'forgotten' })
  })

  test('of a client of the operator leaves the client', async () => {
    const open = await oauthWorld({ grants: ['client_credentials'] })
    const { clients, api: service, issuer } = open.site
    const { id: clientId, secret } = clients.confidential
    const given = {
      service,
      issuer,
      clientId,
      clientSecret: new Secret(secret),
      grants: ['client'],
    }
    const world = { ...open, ...open.with({ clients: [given as never] }) }
    const { handle } = await obtained(world, 'client')
    const asked = expectStatus(await world.session.revoke({ credential: handle }), 'needs_consent')
    await world.auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const ended = expectStatus(await world.session.revoke({ credential: handle }), 'ended')
    expect(ended).toMatchObject({ verdict: 'revoked' })
    expect(ended.reason).not.toContain('stays there')
    expect(sent(world, 'oauth_revoke')).toBe(1)
  })
})
