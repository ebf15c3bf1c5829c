import { authMdFault } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../src/outcome.ts'
import {
  ada,
  at,
  handOver,
  minute,
  ok,
  orphansOf,
  reads,
  registered,
  waiting,
} from './auth-md-world.ts'
import { approve, closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

const typedVersions = (['v0.6', 'v0.7'] as const).flatMap((version) =>
  (['strict-spec', 'as-sample'] as const).map((profile) => ({ version, profile })),
)

describe.each(typedVersions)('$version, $profile', (authMd) => {
  test('anonymous: usable at once, renewed by its assertion, revoked at the service', async () => {
    const world = await at(authMd)
    const { session, sandbox } = world
    const found = expectStatus(await session.discover({ service: world.site.api }), 'found')
    expect(found.offers.map(({ method, needs }) => [method, ...needs])).toEqual([
      ['agent-auth', 'nothing'],
    ])
    const asked = expectStatus(await session.register({ service: world.site.api }), 'needs_consent')
    expect(asked.action.effects).toEqual([
      {
        kind: 'create-credential',
        at: `${world.site.issuer}/agent/identity`,
        audience: [world.site.api],
        credential: 'an anonymous registration and its credential',
        scopes: ['api.read', 'api.write'],
      },
    ])
    expect(sent(world, 'agent_register')).toBe(0)
    const { credential } = expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    sandbox.clock.advance(59 * minute + 45_000)
    expect(await reads(world)).toMatchObject(ok)
    expect(sent(world, 'agent_token')).toBe(2)
    expect(sent(world, 'agent_register')).toBe(1)
    const input = { credential: credential.handle }
    await approve(world, await session.revoke(input))
    const reason = expect.stringContaining('the registration stays there until it ends')
    const ended = { status: 'ended', verdict: 'revoked', reason }
    expect(await session.revoke(input)).toMatchObject(ended)
    expect(sent(world, 'agent_revoke')).toBe(1)
    const tokens = sandbox.ledger.filter(({ kind }) => kind === 'access_token')
    expect(tokens.at(-1)?.revokedAt).toBeDefined()
  })

  test('service_auth: the person types the code, the token comes by asking', async () => {
    const world = await at(authMd, ada)
    const asked = expectStatus(
      await world.session.register({ service: world.site.api }),
      'needs_consent',
    )
    expect(asked.action.effects.map(({ kind }) => kind)).toEqual([
      'present-identity',
      'create-credential',
    ])
    const { need, url, code, claim, later } = await waiting(world)
    expect(need.kind).toBe('enter-code')
    expect(expectStatus(await claim(), 'needs_person').need).toEqual(need)
    expect(sent(world, 'agent_token')).toBe(0)
    expectStatus(await later(5_000), 'needs_person')
    expect(sent(world, 'agent_token')).toBe(1)
    await world.person.typeCode(url, code)
    expectStatus(await claim(), 'needs_person')
    expect(sent(world, 'agent_token')).toBe(1)
    expectStatus(await later(5_000), 'ready')
    const used = await reads(world)
    expect(used).toMatchObject(ok)
    expect(JSON.stringify(used)).toContain(ada)
  })

  test('a code whose time is over gives way to another, and the new one is good', async () => {
    const world = await at(authMd, ada)
    const first = await waiting(world)
    const { need, notice } = expectStatus(await first.later(10 * minute), 'needs_person')
    expect(need.url).not.toBe(first.url)
    expect(notice).toContain('over')
    expect(sent(world, 'agent_claim')).toBe(1)
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    expectStatus(await first.later(5_000), 'ready')
  })
})

test('tick asks as soon as the interval is over', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { url, code, pass, registration } = await waiting(world)
  expect(await world.auth.tick()).toMatchObject({ advanced: 0 })
  await world.person.typeCode(url, code)
  pass(5_000)
  expect(await world.auth.tick()).toEqual({ advanced: 1, failed: [] })
  expectStatus(await world.session.claim({ registration }), 'ready')
})

test('slow_down makes the interval five seconds longer', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { later } = await waiting(world)
  world.sandbox.faults.add(authMdFault('slow_down', 'agent_token'))
  expectStatus(await later(5_000), 'needs_person')
  expectStatus(await later(5_000), 'needs_person')
  expect(sent(world, 'agent_token')).toBe(1)
  expectStatus(await later(5_000), 'needs_person')
  expect(sent(world, 'agent_token')).toBe(2)
})

test('what the token endpoint suffers is waited for inside the window', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { url, code, later } = await waiting(world)
  world.sandbox.faults.add({ name: 'agent_token', status: 503, times: 1 })
  expectStatus(await later(5_000), 'needs_person')
  world.sandbox.faults.add({ name: 'agent_token', bodyReplace: 'html', times: 1, status: 502 })
  expectStatus(await later(minute), 'needs_person')
  await world.person.typeCode(url, code)
  expectStatus(await later(minute), 'ready')
})

test("the person's no ends it", async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { url, later } = await waiting(world)
  await world.person.refuse(url)
  expect(await later(5_000)).toMatchObject({ status: 'refused', code: 'service_refused' })
})

test('nobody comes: it ends, is not asked after any more, and says what is left', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { later, claim } = await waiting(world)
  for (let times = 0; times < 5; times++) expectStatus(await later(10 * minute), 'needs_person')
  expect(await later(10 * minute)).toMatchObject({ status: 'refused', code: 'expired' })
  const before = world.sandbox.log.length
  expect(await claim()).toMatchObject({ status: 'refused', code: 'expired' })
  expect(world.sandbox.log).toHaveLength(before)
  const { registrations } = expectStatus(await world.session.discover(), 'found')
  expect(registrations).toMatchObject([{ orphans: [{ request: 'agent_identity' }] }])
})

test('a lost registration is not repeated without the person', async () => {
  const world = await at({ version: 'v0.7' })
  world.sandbox.faults.add({ name: 'agent_register', cut: 'after', times: 1 })
  expect(await registered(world)).toMatchObject({
    status: 'uncertain',
    request: 'agent_identity',
    orphans: [{ request: 'agent_identity' }],
  })
  expect(sent(world, 'agent_register')).toBe(1)
  const again = await world.session.register({ service: world.site.api })
  expect(expectStatus(again, 'needs_consent').action.summary).toContain('An earlier one may exist')
  await approve(world, again)
  expectStatus(await world.session.register({ service: world.site.api }), 'ready')
  expect(sent(world, 'agent_register')).toBe(2)
})

test('a way that is switched off: anonymous gives way to an address, an address to nothing', async () => {
  const off = { name: 'agent_register', status: 403, times: 1 }
  const world = await at({ version: 'v0.7' })
  world.sandbox.faults.add({ ...off, body: { error: 'anonymous_not_enabled' } })
  const { need, registration = '' } = expectStatus(await registered(world), 'needs_person')
  expect(need.kind).toBe('give-email')
  const by = { approver: 'kim' }
  const asked = (await world.auth.people.answer(registration, { email: ada }, by)) as Outcome
  expect(expectStatus(asked, 'needs_consent').action.summary).toContain(ada)
  const personal = await at({ version: 'v0.7' }, ada)
  personal.sandbox.faults.add({ ...off, body: { error: 'service_auth_not_enabled' } })
  expect(await registered(personal)).toMatchObject({ status: 'refused', code: 'service_refused' })
  expect(sent(personal, 'agent_register')).toBe(1)
})

test('a token that the service has ended is renewed once; an ended registration ends it', async () => {
  const world = await at({ version: 'v0.7', profile: 'as-sample' })
  expectStatus(await registered(world), 'ready')
  const ended = (kind: string) => {
    for (const entry of world.sandbox.ledger) {
      if (entry.kind === kind) entry.revokedAt = world.sandbox.clock.now()
    }
  }
  expect(await reads(world)).toMatchObject(ok)
  ended('access_token')
  expect(await reads(world)).toMatchObject(ok)
  ended('access_token')
  world.sandbox.faults.add(authMdFault('invalid_grant', 'agent_token'))
  expect(await reads(world)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  expect(sent(world, 'agent_token')).toBe(3)
})

test('dynamic client registration and pages are not this protocol', async () => {
  const world = await at({ version: 'rfc7591' })
  const found = await world.session.discover({ service: world.site.api })
  expect(expectStatus(found, 'found').offers.map(({ method }) => method)).not.toContain(
    'agent-auth',
  )
})

const readBack = [
  { version: 'readback', profile: 'strict-spec' },
  { version: 'readback', profile: 'as-sample' },
  { version: 'hosted' },
] as const

describe.each(readBack)('$version, $profile', (authMd) => {
  test('anonymous is usable at once', async () => {
    const world = await at(authMd)
    expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })

  test('service_auth: the page shows a code, which is read back', async () => {
    const world = await at(authMd, ada)
    const { need, url, registration, later } = await waiting(world)
    expect(need).toMatchObject({ kind: 'read-code', url: expect.stringContaining('auth.') })
    expectStatus(await later(minute), 'needs_person')
    const code = await world.person.readCode(url)
    const answer = (given: string) => handOver(world, registration, given)
    const wrong = code === '000000' ? '000001' : '000000'
    expect(await answer(wrong)).toMatchObject({
      status: 'needs_person',
      notice: expect.stringContaining('not the code'),
    })
    expect(await answer(code)).toMatchObject({ status: 'ready' })
    expect(await reads(world)).toMatchObject(ok)
    expect(sent(world, 'agent_claim_complete')).toBe(2)
  })

  test('an assertion that is over is changed by its refresh token, each of which is used once', async () => {
    const world = await at(authMd, ada)
    const { url, registration } = await waiting(world)
    const code = await world.person.readCode(url)
    await handOver(world, registration, code)
    for (const times of [1, 2, 3]) {
      world.sandbox.clock.advance(2 * 60 * minute)
      expect(await reads(world)).toMatchObject(ok)
      const spent = world.sandbox.ledger.filter(({ kind }) => kind === 'refresh_token')
      expect(spent.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([
        ...Array.from({ length: times }, () => true),
        false,
      ])
    }
  })
})

/** A registration that was read back, and its stored credential. */
async function renewable() {
  const world = await at({ version: 'readback' }, ada)
  const { url, registration } = await waiting(world)
  const code = await world.person.readCode(url)
  await handOver(world, registration, code)
  world.sandbox.clock.advance(2 * 60 * minute)
  return world
}
const unreachable = { status: 'refused', code: 'service_unreachable' }

test('a new refresh token is kept although the exchange after it fails', async () => {
  const world = await renewable()
  world.sandbox.faults.add({ name: 'agent_token', status: 503, times: 1 })
  expect(await reads(world)).toMatchObject(unreachable)
  expect(await reads(world)).toMatchObject(ok)
  expect(sent(world, 'agent_register')).toBe(2)
})

test('a refresh whose answer was lost is tried once more and no further', async () => {
  const world = await renewable()
  const fault = world.sandbox.faults.add({ name: 'agent_register', cut: 'before' })
  expect(await reads(world)).toMatchObject(unreachable)
  expect(await reads(world)).toMatchObject(unreachable)
  for (let times = 0; times < 2; times++) {
    expect(await reads(world)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  }
  expect(fault.hits).toBe(2)
})

test('a lost answer that spent the refresh token ends the credential with the next try', async () => {
  const world = await renewable()
  world.sandbox.faults.add({ name: 'agent_register', cut: 'after', times: 1 })
  expect(await reads(world)).toMatchObject(unreachable)
  expect(await reads(world)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  const [credential] = await world.session.list()
  expect(credential?.orphan).toMatchObject({
    what: expect.stringMatching(/^what a renewal of \S+ gave, which nobody holds$/),
    request: 'agent_identity',
  })
})

test('what is revoked while the answer to its renewal is lost says so', async () => {
  const world = await renewable()
  world.sandbox.faults.add({ name: 'agent_register', cut: 'after', times: 1 })
  expect(await reads(world)).toMatchObject(unreachable)
  const [{ handle } = { handle: '' }] = await world.session.list()
  await world.session.forget(handle)
  const [credential] = await world.session.list()
  expect(credential).toMatchObject({
    state: 'forgotten',
    orphan: { what: expect.stringContaining('renewal'), request: 'agent_identity' },
  })
})

test('a refresh token that the service refuses leaves nothing behind, however often it was busy', async () => {
  const world = await renewable()
  const busy = { name: 'agent_register', when: 'before', times: 1, status: 429 } as const
  world.sandbox.faults.add({ ...busy, body: { error: 'rate_limited' } })
  expect(await reads(world)).toMatchObject(unreachable)
  world.sandbox.faults.add(authMdFault('invalid_refresh_token', 'agent_register'))
  expect(await reads(world)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  const [credential] = await world.session.list()
  expect(credential).not.toHaveProperty('orphan')
})

test('a lost answer that spent nothing is made good by the next try', async () => {
  const world = await renewable()
  world.sandbox.faults.add({ name: 'agent_register', cut: 'before', times: 1 })
  expect(await reads(world)).toMatchObject(unreachable)
  expect(await reads(world)).toMatchObject(ok)
})

test('five at once share one refresh', async () => {
  const world = await renewable()
  const all = await Promise.all(Array.from({ length: 5 }, () => reads(world)))
  for (const outcome of all) expect(outcome).toMatchObject(ok)
  expect(sent(world, 'agent_register')).toBe(2)
})

test('a code that came before the word on the page is kept and handed in again', async () => {
  const world = await at({ version: 'readback' }, ada)
  const { url, registration, later } = await waiting(world)
  const code = await world.person.readCode(url)
  world.sandbox.faults.add(authMdFault('claim_not_confirmed', 'agent_claim_complete'))
  expect(await handOver(world, registration, code)).toMatchObject({
    status: 'needs_person',
    notice: expect.stringContaining('confirm'),
  })
  expectStatus(await later(5_000), 'ready')
})

test('a page whose code is over gives way to another page', async () => {
  const world = await at({ version: 'readback' }, ada)
  const { url, registration, later } = await waiting(world)
  const { need } = expectStatus(await later(10 * minute), 'needs_person')
  expect(need.url).not.toBe(url)
  const code = await world.person.readCode(need.url ?? '')
  world.sandbox.faults.add(authMdFault('user_code_expired', 'agent_claim_complete'))
  const next = await handOver(world, registration, code)
  expect(expectStatus(next, 'needs_person').need.url).not.toBe(need.url)
  expect(sent(world, 'agent_claim')).toBe(2)
})

test('what was claimed and did not reach us is said', async () => {
  const world = await at({ version: 'readback' }, ada)
  const { url, registration } = await waiting(world)
  const code = await world.person.readCode(url)
  world.sandbox.faults.add({ name: 'agent_claim_complete', cut: 'after', times: 1 })
  const outcome = await handOver(world, registration, code)
  expect(outcome).toMatchObject({ status: 'refused', reason: expect.stringContaining('claimed') })
  expect(sent(world, 'agent_claim_complete')).toBe(2)
  expect(await orphansOf(world, registration)).toEqual([
    expect.stringMatching(/^what the claim of the registration \S+ gave, which nobody holds$/),
  ])
})

test('what was paid out in an answer that was lost is not said to be unconfirmed', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { url, code, registration, later } = await waiting(world)
  await world.person.typeCode(url, code)
  world.sandbox.faults.add({ name: 'agent_token', cut: 'after', times: 1 })
  const { reason } = expectStatus(await later(5_000), 'refused')
  expect(reason).toContain('An answer was lost')
  expect(sent(world, 'agent_token')).toBe(2)
  expect(await orphansOf(world, registration)).toHaveLength(1)
})

test('an answer that was lost and had given nothing is made good by the next poll', async () => {
  const world = await at({ version: 'v0.7' }, ada)
  const { registration, later } = await waiting(world)
  world.sandbox.faults.add({ name: 'agent_token', cut: 'after', times: 1 })
  expectStatus(await later(5_000), 'needs_person')
  // What nobody claims from here on was not claimed before either.
  const { reason } = expectStatus(await later(25 * 60 * minute), 'refused')
  expect(reason).toContain('Nobody confirmed')
  expect(await orphansOf(world, registration)).toEqual([
    expect.stringMatching(/^the registration \S+, which nobody holds$/),
  ])
})
