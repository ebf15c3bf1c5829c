import { afterEach, expect, test } from 'vitest'
import { ada, at, handOver, reads, waiting } from './auth-md-world.ts'
import { approve, closeWorlds, sent } from './world.ts'

afterEach(closeWorlds)

test.each([
  ['strict-spec', 'revoked', 'is ended'],
  // The sample takes no other hint than access_token.
  ['as-sample', 'forgotten', 'does not end its refresh token'],
] as const)(
  'read back, %s: the refresh token is ended before the access token, and it is %s',
  async (profile, verdict, words) => {
    const world = await at({ version: 'readback', profile }, ada)
    const { url, registration } = await waiting(world)
    await handOver(world, registration, await world.person.readCode(url))
    const input = { service: world.site.api }
    const [held] = await world.session.list()
    const revoke = () => world.session.revoke({ credential: held?.handle ?? '' })
    await approve(world, await revoke())
    const reason = expect.stringContaining(words)
    expect(await revoke()).toMatchObject({ status: 'ended', verdict, reason })
    const asked = world.sandbox.log.filter(({ name }) => name === 'agent_revoke')
    expect(asked.map(({ body }) => new URLSearchParams(body).get('token_type_hint'))).toEqual([
      'refresh_token',
      'access_token',
    ])
    const tokens = world.sandbox.ledger.filter(({ kind }) => kind === 'access_token')
    expect(tokens.at(-1)?.revokedAt).toBeDefined()
    expect(await reads(world)).toMatchObject({ status: 'refused' })
    expect(await world.session.discover(input)).toMatchObject({ status: 'found' })
  },
)

test('an anonymous one has no refresh token, and only its token is ended', async () => {
  const world = await at({ version: 'readback' })
  await approve(world, await world.session.register({ service: world.site.api }))
  await world.session.register({ service: world.site.api })
  const [held] = await world.session.list()
  const revoke = () => world.session.revoke({ credential: held?.handle ?? '' })
  await approve(world, await revoke())
  expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
  expect(sent(world, 'agent_revoke')).toBe(1)
})
