import { authMdFault } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type At,
  ada,
  at,
  handOver,
  minute,
  ok,
  reads,
  registered,
  waiting,
} from './auth-md-world.ts'
import { closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

/** How each exchange was answered, with a resource or `bare`. */
function exchanges({ sandbox }: At): readonly string[] {
  return sandbox.log
    .filter(({ name }) => name === 'agent_token')
    .map(
      ({ status, body }) => `${status}${new URLSearchParams(body).has('resource') ? '' : ' bare'}`,
    )
}

function endTokens({ sandbox }: At): void {
  for (const entry of sandbox.ledger) {
    if (entry.kind === 'access_token') entry.revokedAt = sandbox.clock.now()
  }
}

/** @see dust-tt/dust#22773 */
describe.each(['invalid_request', 'invalid_target'] as const)(
  'a token endpoint that answers %s to a resource',
  (refusesResource) => {
    test('is asked once more without it, and so from then on', async () => {
      const world = await at({ version: 'v0.7', refusesResource })
      expectStatus(await registered(world), 'ready')
      expect(exchanges(world)).toEqual(['400', '200 bare'])
      for (let times = 0; times < 2; times++) {
        endTokens(world)
        expect(await reads(world)).toMatchObject(ok)
      }
      expect(exchanges(world)).toEqual(['400', ...Array.from({ length: 3 }, () => '200 bare')])
    })

    test('loses no refresh token over it', async () => {
      const world = await at({ version: 'readback', refusesResource }, ada)
      const { url, registration } = await waiting(world)
      await handOver(world, registration, await world.person.readCode(url))
      for (let times = 0; times < 2; times++) {
        world.sandbox.clock.advance(120 * minute)
        expect(await reads(world)).toMatchObject(ok)
      }
      expect(exchanges(world)).toEqual(['400', ...Array.from({ length: 3 }, () => '200 bare')])
    })
  },
)

describe('a token endpoint that comes to refuse a resource', () => {
  test('after the registration is asked once more without it at the renewal', async () => {
    const world = await at({ version: 'v0.7' })
    expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    world.sandbox.faults.add(authMdFault('invalid_target', 'agent_token'))
    for (const asked of [['400', '200 bare'], ['200 bare']]) {
      const before = exchanges(world).length
      endTokens(world)
      expect(await reads(world)).toMatchObject(ok)
      expect(exchanges(world).slice(before)).toEqual(asked)
    }
  })

  test('is asked no third time where that was not it, and named the resource again later', async () => {
    const world = await at({ version: 'v0.7' })
    expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    endTokens(world)
    const fault = { ...authMdFault('invalid_request', 'agent_token'), times: 2 }
    world.sandbox.faults.add(fault)
    expect(await reads(world)).toMatchObject({ status: 'refused', code: 'service_unreachable' })
    expect(exchanges(world)).toEqual(['200', '400', '400 bare'])
    world.sandbox.faults.add({ ...fault, times: 1 })
    expect(await reads(world)).toMatchObject(ok)
    expect(exchanges(world)).toEqual(['200', '400', '400 bare', '400', '200 bare'])
  })

  test('at the registration is asked once more in JSON, and no fourth time', async () => {
    const world = await at({ version: 'v0.7' })
    world.sandbox.faults.add({ ...authMdFault('invalid_request', 'agent_token'), times: 3 })
    expect(await registered(world)).toMatchObject({ status: 'refused', code: 'service_refused' })
    expect(sent(world, 'agent_token')).toBe(3)
  })
})

test('invalid_grant is not asked about again, with or without a resource', async () => {
  const world = await at({ version: 'v0.7' })
  world.sandbox.faults.add(authMdFault('invalid_grant', 'agent_token'))
  expect(await registered(world)).toMatchObject({ status: 'refused' })
  expect(sent(world, 'agent_token')).toBe(1)
  const renewing = await at({ version: 'v0.7', name: 'second' })
  expectStatus(await registered(renewing), 'ready')
  endTokens(renewing)
  renewing.sandbox.faults.add(authMdFault('invalid_grant', 'agent_token'))
  expect(await reads(renewing)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  expect(exchanges(renewing)).toEqual(['200', '400'])
})
