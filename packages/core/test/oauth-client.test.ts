import type { Fault } from '@authmd/sandbox'
import { afterEach, expect, test } from 'vitest'
import { Secret } from '../src/vault/secret.ts'
import { oauthWorld, obtained, works } from './oauth-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const hour = 3_600_000

async function own(
  ask: { options?: object; service?: string; grants?: ['client'] | []; secret?: () => string } = {},
) {
  const open = await oauthWorld({ grants: ['client_credentials'], ...ask.options })
  const { clients, api, issuer } = open.site
  const { id: clientId, secret } = clients.confidential
  const clientSecret = ask.secret ?? new Secret(secret)
  const { grants = ['client'] } = ask
  const given = { service: ask.service ?? api, issuer, clientId, clientSecret, grants }
  return { ...open, ...open.with({ clients: [given] }) }
}

test('a client of the operator gets a token of its own, and another when that is over', async () => {
  const world = await own()
  const asked = expectStatus(
    await world.session.register({ service: world.service }),
    'needs_consent',
  )
  expect(asked.action.summary).toContain('which it gives the client of the operator')
  expect(sent(world, 'oauth_token')).toBe(0)
  const credential = await obtained(world, 'client')
  expect(credential).toMatchObject({ method: 'oauth-client', audience: [world.site.api] })
  const answered = expectStatus(await world.me(), 'answered')
  expect(JSON.parse(answered.answer.body.split('\n').at(-1) ?? '')).toMatchObject({
    client_id: world.site.clients.confidential.id,
  })
  world.sandbox.clock.advance(hour)
  expect(await world.me()).toMatchObject(works)
  expect(world.forms('oauth_token').map((form) => form.grant_type)).toEqual([
    'client_credentials',
    'client_credentials',
  ])
})

test('a secret that has changed is taken as it is by then', async () => {
  let asked = 0
  const world = await own({
    secret: () => {
      asked += 1
      return secret
    },
  })
  const { secret } = world.site.clients.confidential
  await obtained(world, 'client')
  const before = asked
  world.sandbox.clock.advance(hour)
  expect(await world.me()).toMatchObject(works)
  expect(asked).toBeGreaterThan(before)
})

test('a client is for the service that it was given for, and for the grants that were named', async () => {
  for (const ask of [{ service: 'https://api.other.example' }, { grants: [] as [] }]) {
    const world = await own(ask)
    expect(await world.session.register({ service: world.service })).toMatchObject({
      code: 'no_offer',
    })
    await world.sandbox.close()
  }
})

test('a server that refuses the client ends it', async () => {
  const world = await own({ secret: () => 'made-up-secret-that-is-wrong' })
  expect(await world.begun('client')).toMatchObject({
    status: 'refused',
    code: 'service_refused',
    httpStatus: 401,
    errors: [{ code: 'invalid_client' }],
  })
})

const unwell: readonly Omit<Fault, 'name'>[] = [
  { status: 503, headers: { 'retry-after': '9' } },
  { status: 500, body: '<html>broken</html>', when: 'after' },
  { status: 429 },
]
test.each(unwell)('%o is asked again later, under the same consent', async (fault) => {
  const world = await own()
  world.sandbox.faults.add({ name: 'oauth_token', times: 1, ...fault })
  const pending = expectStatus(await world.begun('client'), 'pending')
  expectStatus(await world.later(pending, 30_000), 'ready')
  expect(await world.me()).toMatchObject(works)
})

test('a server that stays broken is given up', async () => {
  const world = await own()
  world.sandbox.faults.add({ name: 'oauth_token', status: 500 })
  let outcome = await world.begun('client')
  for (let times = 0; times < 3; times++) outcome = await world.later(outcome, hour)
  expect(outcome).toMatchObject({ status: 'refused', code: 'service_failed', httpStatus: 500 })
})

test('a server that takes no `resource` is asked without it', async () => {
  const world = await own({ options: { resource: 'refused' } })
  await obtained(world, 'client')
  expect(world.forms('oauth_token').map((form) => 'resource' in form)).toEqual([true, false])
})

test('a token for another scheme is not used as one for this', async () => {
  // @see spring-projects/spring-security-oauth#354
  const world = await own()
  const body = { access_token: 'made-up-token-for-dpop-1', token_type: 'DPoP' }
  world.sandbox.faults.add({ name: 'oauth_token', status: 200, body })
  expect(await world.begun('client')).toMatchObject({ status: 'refused', code: 'service_failed' })
})
