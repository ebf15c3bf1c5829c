import type { OAuthOptions as SandboxOAuth } from '@authmd/sandbox'
import { afterEach, expect, test } from 'vitest'
import { oauthWorld } from './oauth-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

/** A service that names the authorization server of another domain. */
async function elsewhere(other: SandboxOAuth = {}) {
  const world = await oauthWorld([{ name: 'one' }, { name: 'two', ...other }])
  const [one, two] = world.sandbox.oauth
  if (two === undefined) throw new Error('there is no second service')
  const body = {
    resource: one.api,
    authorization_servers: [two.issuer],
    scopes_supported: ['things.read'],
  }
  world.sandbox.faults.add({ name: 'oauth_resource_metadata', status: 200, body })
  return { ...world, one, two }
}

test('what a server of another domain gives goes to the resource alone, and the consent says so', async () => {
  const world = await elsewhere({ resource: 'ignored' })
  const { one, two } = world
  const input = { service: world.service, method: 'oauth-device' }
  const asked = expectStatus(await world.session.register(input), 'needs_consent')
  const [server, service] = [new URL(two.issuer).host, new URL(one.api).host]
  expect(asked.action.summary).toContain(`(${server} is no part of ${service}, which names it)`)
  const shown = await world.begun('device')
  await world.connect(shown)
  const { credential } = expectStatus(await world.later(shown), 'ready')
  expect(credential.audience).toEqual([one.api])
  expect(world.forms('oauth_device')[0]).toMatchObject({ resource: one.api })
  // Not to the server, and not to the API that shares its domain.
  for (const url of [`${two.issuer}/token`, `${two.api}/v1/me`]) {
    await expect(world.session.fetch(one.api)(url)).rejects.toMatchObject({
      code: 'outside_audience',
    })
  }
})

test.each([
  ['device', 'oauth_device'],
  ['code', 'oauth_authorize'],
] as const)('such a server must confine what it gives: by %s', async (grant, name) => {
  const world = await elsewhere({ resource: 'refused' })
  let outcome = await world.begun(grant)
  if (grant === 'code') outcome = await world.back(await world.authorise(outcome))
  const refused = expectStatus(outcome, 'refused')
  expect(refused.reason).toContain('does not confine a token')
  expect(world.forms(name).length).toBeGreaterThan(0)
  expect(sent(world, 'oauth_token')).toBe(0)
  expect(world.clients()).toEqual({ made: 1, gone: 1 })
})

test('the code of one server is not told to another', async () => {
  // RFC 9207: both are honest here, and a person was sent to the wrong one.
  const world = await oauthWorld([{ name: 'one' }, { name: 'two' }])
  const [, two] = world.sandbox.oauth
  const shown = await world.begun('code')
  const url = new URL(await world.authorise(shown))
  url.searchParams.set('iss', two?.issuer ?? '')
  const still = expectStatus(await world.back(url), 'needs_person')
  expect(still.notice).toContain('no answer of this server')
  expect(sent(world, 'oauth_token')).toBe(0)
})

test('metadata that name another issuer are not used', async () => {
  const world = await oauthWorld()
  const body = {
    issuer: 'https://auth.evil.example',
    token_endpoint: 'https://auth.evil.example/token',
    device_authorization_endpoint: 'https://auth.evil.example/device',
    registration_endpoint: 'https://auth.evil.example/register',
  }
  world.sandbox.faults.add({ name: 'oauth_metadata', status: 200, body })
  expect(await world.session.register({ service: world.service })).toMatchObject({
    code: 'no_offer',
  })
})
