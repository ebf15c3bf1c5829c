import { afterEach, expect, test } from 'vitest'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'
import {
  answerTo,
  approve,
  askedFor,
  closeWorlds,
  done,
  expectStatus,
  keysOf,
  openWorld,
  owner,
  sandboxMailbox,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const minute = 60_000

/** A store that counts what is written into it. */
function countingStore(): { store: Store; writes: () => number } {
  const store = memoryStore()
  let writes = 0
  return {
    writes: () => writes,
    store: {
      ...store,
      put: (...args) => {
        writes++
        return store.put(...args)
      },
      delete: (...args) => {
        writes++
        return store.delete(...args)
      },
      lease: (...args) => {
        writes++
        return store.lease(...args)
      },
    },
  }
}

test('a preview sends nothing, writes nothing, and is what the call then asks', async () => {
  const { store, writes } = countingStore()
  const world = await openWorld({ store })
  const { session, sandbox } = world
  const { api } = sandbox.urls
  const quiet = async (verb: Parameters<typeof session.preview>[0], input: object) => {
    const before = [writes(), sandbox.log.length]
    const action = await session.preview(verb, input)
    expect([writes(), sandbox.log.length]).toEqual(before)
    return action
  }
  expect(await quiet('register', { service: api })).toBeUndefined()
  await session.discover({ service: api })
  expect(await quiet('register', { service: api })).toBeUndefined()
  const input = answerTo(world, await session.register({ service: api }))
  expect(await quiet('register', { ...input, answer: 'see https://x.example' })).toBeUndefined()
  const action = await quiet('register', input)
  expect(action?.effects.length).toBe(3)
  const consent = expectStatus(await session.register(input), 'needs_consent')
  expect(consent.action).toEqual(action)
  expect(await quiet('register', input)).toEqual(action)
  await approve(world, consent)
  await session.register(input)
  const { registration } = input
  expect(await quiet('claim', { registration })).toBeUndefined()

  sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
  expectStatus(await session.claim({ registration }), 'uncertain')
  const second = await quiet('register', { service: api, registration })
  const again = await session.register({ service: api, registration })
  expect(expectStatus(again, 'needs_consent').action).toEqual(second)
  expect(second?.digest).not.toBe(action?.digest)
})

test('a request that an answer led to waits for its consent, and every call can fetch it', async () => {
  const world = await openWorld()
  const { session, sandbox } = world
  const { registration } = await signedUp(world)
  sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
  expectStatus(await session.claim({ registration }), 'uncertain')
  sandbox.clock.advance(61 * minute)
  const retry = { service: sandbox.urls.api, registration }
  const first = expectStatus(await session.register(retry), 'needs_consent')
  await approve(world, first)
  sandbox.clock.advance(5 * minute)
  expectStatus(await session.register(retry), 'pending')
  // The session is refused, another link is mailed, and the consent runs out before it is opened.
  sandbox.clock.advance(11 * minute)
  expect(await session.preview('claim', { registration })).toBeUndefined()
  const asked = await session.claim({ registration })
  const { action } = expectStatus(asked, 'needs_consent')
  expect(await session.preview('claim', { registration })).toEqual(action)
  expectStatus(await session.claim({ registration }), 'needs_consent')
  expectStatus(await session.discover({ service: sandbox.urls.api }), 'found')
  await world.auth.tick()
  expect(keysOf(world)).toHaveLength(1)
  await approve(world, asked)
  expectStatus(await session.claim({ registration }), 'ready')
  expect(keysOf(world)).toHaveLength(2)
})

async function twoProcesses() {
  const store = memoryStore()
  const world = await openWorld({ store })
  const other = createAgentAuth({
    store,
    [allowLoopback]: true,
    clock: () => world.sandbox.clock.now(),
    identity: () => ({ mailbox: sandboxMailbox(world.sandbox) }),
  })
  const both = [world.session, other.as(owner)] as const
  return { world, both, store }
}

test('two processes that register at once make one registration, one consent, one signup', async () => {
  const { world, both, store } = await twoProcesses()
  const { api } = world.sandbox.urls
  const begun = await Promise.all(both.map((one) => one.register({ service: api })))
  expect(new Set(begun.map(({ registration }) => registration)).size).toBe(1)
  expect(sent(world, 'bot_challenge')).toBe(1)
  const puzzle = await world.session.register({ service: api })
  const input = answerTo(world, puzzle)
  const asked = await Promise.all(both.map((one) => one.register(input)))
  const consent = asked.find(({ status }) => status === 'needs_consent')
  if (consent === undefined) throw new Error('nobody was asked')
  const again = expectStatus(await both[1].register(input), 'needs_consent')
  expect(again.consent).toBe(expectStatus(consent, 'needs_consent').consent)
  await approve(world, again)
  const outcomes = await Promise.all(both.map((one) => one.register(input)))
  expect(outcomes.map(({ status }) => status)).toEqual(['pending', 'pending'])
  expect(sent(world, 'bot_signup')).toBe(1)
  const { registration } = input
  await Promise.all(both.map((one) => one.claim({ registration })))
  expectStatus(await both[1].claim({ registration }), 'ready')
  expect(sent(world, 'bot_sessions')).toBe(1)
  expect(keysOf(world)).toHaveLength(1)
  for (const kind of ['registration', 'credential', 'consent'] as const) {
    expect((await store.list({ kind })).records, kind).toHaveLength(1)
  }
})

test('a call that comes late is told how it stands and moves nothing', async () => {
  const { world, both, store } = await twoProcesses()
  const { input, consent } = await askedFor(world)
  await approve(world, consent)
  world.sandbox.faults.add({ name: 'bot_signup', status: 429, times: 1 })
  // The later one has read the registration when the earlier one gets its lease.
  const lease = store.lease.bind(store)
  const first = Promise.withResolvers<void>()
  let leases = 0
  store.lease = async (...args) => {
    if (leases++ > 0) await first.promise
    return lease(...args)
  }
  const calls = both.map((one) => one.register(input))
  for (const call of calls) void call.then(() => first.resolve())
  const outcomes = await Promise.all(calls)
  expect(outcomes.map(({ status }) => status)).toEqual(['pending', 'pending'])
  expect(outcomes[1]).toEqual(outcomes[0])
  expect(sent(world, 'bot_challenge')).toBe(1)
})

test('two ticks at once open the link once', async () => {
  const { world } = await twoProcesses()
  await signedUp(world)
  world.sandbox.clock.advance(6_000)
  await Promise.all([world.auth.tick(), world.auth.tick()])
  expect(sent(world, 'bot_sessions')).toBe(1)
  expect(keysOf(world)).toHaveLength(1)
})

test('a tick that finds the mail makes it ready without any verb', async () => {
  const world = await openWorld()
  const { registration } = await signedUp(world)
  expect(await world.auth.tick()).toEqual({ advanced: 0, failed: [] })
  world.sandbox.clock.advance(6_000)
  expect(await world.auth.tick()).toEqual({ advanced: 1, failed: [] })
  expect(keysOf(world)).toHaveLength(1)
  expect(await world.session.list()).toMatchObject([{ state: 'active' }])
  expect(await world.auth.tick()).toEqual({ advanced: 0, failed: [] })
  expectStatus(await world.session.claim({ registration }), 'ready')
})

async function notFoundFor(world: World, registration: string) {
  for (const other of [{ tenant: 'acme' }, { tenant: 'other', user: 'kim' }]) {
    const session = world.auth.as(other)
    const { api } = world.sandbox.urls
    const calls = [
      () => session.claim({ registration }),
      () => session.register({ service: api, registration, answer: '1' }),
      () => session.cancel(registration),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'not_found' })
    expect(await session.preview('claim', { registration })).toBeUndefined()
    const seen = expectStatus(await session.discover(), 'found')
    expect(seen.registrations).toEqual([])
  }
}

test("another owner's registration is not found, and nor is an unknown one", async () => {
  const world = await openWorld()
  const { registration, input } = await askedFor(world)
  await notFoundFor(world, registration)
  await expect(world.session.claim({ registration: 'reg_unknown' })).rejects.toMatchObject({
    code: 'not_found',
  })
  await expect(world.session.claim({ registration: '../reg' })).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expectStatus(await world.session.register(input), 'needs_consent')
})

test('cancelling before the signup leaves nothing at the service, and says so', async () => {
  const world = await openWorld()
  const { registration, input } = await askedFor(world)
  const ended = expectStatus(await world.session.cancel(registration), 'ended')
  expect(ended).toMatchObject({ verdict: 'cancelled' })
  expect(ended.reason).toContain('Nothing was made at the service')
  expectStatus(await world.session.register(input), 'ended')
  const next = await world.session.register({ service: world.sandbox.urls.api })
  expect(expectStatus(next, 'needs_answer').registration).not.toBe(registration)
})

test('cancelling after the signup says what stays, and the mail is never opened', async () => {
  const world = await openWorld()
  const { registration } = await signedUp(world)
  const ended = expectStatus(await world.session.cancel(registration), 'ended')
  expect(ended.reason).toContain('What bot_signup made at the service stays there')
  world.sandbox.clock.advance(minute)
  await world.auth.tick()
  expectStatus(await world.session.claim({ registration }), 'ended')
  expect(sent(world, 'bot_sessions')).toBe(0)
})

test('what is ready is not cancelled', async () => {
  const world = await openWorld()
  const { registration } = await signedUp(world)
  expectStatus(await world.session.claim({ registration }), 'ready')
  expectStatus(await world.session.cancel(registration), 'ready')
  expectStatus(await world.session.claim({ registration }), 'ready')
})

test('cancelling while a key is being made waits, and a key whose process died is listed', async () => {
  const { world, both, store } = await twoProcesses()
  const { registration } = await signedUp(world)
  const fault = world.sandbox.faults.add({ name: 'api_keys', hold: 'after', times: 1 })
  const claiming = world.session.claim({ registration })
  await fault.whenHeld()
  expectStatus(await both[1].cancel(registration), 'pending')
  // As if the first process had died: its lease is over, its answer never comes.
  world.sandbox.clock.advance(2 * minute)
  const lease = store.lease.bind(store)
  store.lease = async (name, ms) => (await lease(name, ms)) ?? lease(`${name}-late`, ms)
  const ended = expectStatus(await both[1].cancel(registration), 'ended')
  expect(ended.reason).toContain('bot_signup, api_keys')
  const all = expectStatus(await both[1].discover(), 'found')
  expect(all.registrations).toMatchObject([{ orphans: [{ request: 'api_keys' }] }])
  fault.release()
  await claiming.catch(() => undefined)
  expect(done(world, 'api_keys')).toBe(1)
})
