import { afterEach, expect, test } from 'vitest'
import { AgentAuth } from '../src/agent-auth.ts'
import { Works } from '../src/engine/work.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { proofOfWork } from '../src/node/proof-of-work.ts'
import { nodeTransport } from '../src/node/transport.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import {
  approve,
  closeWorlds,
  done,
  expectStatus,
  openWorld,
  owner,
  sandboxMailbox,
  sent,
} from './world.ts'

afterEach(closeWorlds)

const never = 240
/** A world of the older variant. */
const older = (leadingZeroBits: number, options: Parameters<typeof openWorld>[0] = {}) =>
  openWorld(options, { proofOfWork: { leadingZeroBits } })

/** The application over the sandbox of a world, with a worker of the test's own. */
function withWorker(
  { sandbox }: Awaited<ReturnType<typeof older>>,
  worker: ConstructorParameters<typeof AgentAuth>[2],
  store = memoryStore(),
) {
  const clock = () => sandbox.clock.now()
  const identity = () => ({ mailbox: sandboxMailbox(sandbox) })
  const options = { store, clock, identity, [allowLoopback]: true as const }
  return new AgentAuth(options, nodeTransport(), worker)
}

test('the older sign-up needs no model: the work is done, a person accepts, the mail is read', async () => {
  const world = await older(10)
  const input = { service: world.sandbox.urls.api }
  const consent = expectStatus(await world.session.register(input), 'needs_consent')
  await approve(world, consent)
  const signedUp = await world.session.register(input)
  const registration = signedUp.registration ?? ''
  expectStatus(await world.session.claim({ registration }), 'ready')
  expect(sent(world, 'pow_signup_challenge')).toBe(1)
  expect(done(world, 'bot_signup')).toBe(1)
})

test('a service that asks for 2^60 hashes is refused before one is computed', async () => {
  const world = await older(60)
  const auth = withWorker(world, () => Promise.reject(new Error('it was computed')))
  const outcome = await auth.as(owner).register({ service: world.sandbox.urls.api })
  const { code, reason } = expectStatus(outcome, 'refused')
  expect([code, reason]).toEqual(['service_refused', expect.stringContaining('60 zero bits')])
  expect(sent(world, 'bot_signup')).toBe(0)
})

test('difficulties that are none are refused, and the limit is a setting', async () => {
  const works = new Works(async () => '7', { maxBits: 9 })
  for (const bits of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 10]) {
    expect(await works.do('r', { prefix: '', bits })).toMatchObject({ none: 'too-hard' })
  }
  expect(await works.do('r', { prefix: '', bits: 9 })).toEqual({ type: 'work', solution: '7' })
})

test('work that takes too long, or that this runtime cannot do, is a clear outcome', async () => {
  const slow = await older(never, { work: { maxBits: 256, maxMs: 20 } })
  const late = await slow.session.register({ service: slow.sandbox.urls.api })
  expect(expectStatus(late, 'refused').reason).toContain('not found within 20 ms')
  const world = await older(4)
  const none = withWorker(world, undefined)
  const outcome = await none.as(owner).register({ service: world.sandbox.urls.api })
  expect(expectStatus(outcome, 'refused').code).toBe('request_refused')
})

test('wrong work is refused by the service, again and again for four times only', async () => {
  const world = await older(24)
  const auth = withWorker(world, async () => '1')
  const session = auth.as(owner)
  const input = { service: world.sandbox.urls.api }
  const consent = expectStatus(await session.register(input), 'needs_consent')
  await auth.people.answer(consent.consent, { approve: true }, { approver: 'kim' })
  expect(expectStatus(await session.register(input), 'refused').code).toBe('service_refused')
  expect([sent(world, 'pow_signup_challenge'), sent(world, 'bot_signup')]).toEqual([4, 4])
  expect(done(world, 'bot_signup')).toBe(0)
})

test('where the challenge expired while a person decided, new work goes under the same consent', async () => {
  const world = await older(8)
  const input = { service: world.sandbox.urls.api }
  const consent = expectStatus(await world.session.register(input), 'needs_consent')
  world.sandbox.clock.advance(10 * 60_000)
  await approve(world, consent)
  expect((await world.session.register(input)).status).not.toBe('needs_consent')
  expect([sent(world, 'pow_signup_challenge'), done(world, 'bot_signup')]).toEqual([2, 1])
})

test('a process that ends while it works leaves what the next one begins again', async () => {
  const world = await older(8)
  const store = memoryStore({ clock: () => world.sandbox.clock.now() })
  const broken = withWorker(world, () => Promise.reject(new Error('killed')), store)
  const input = { service: world.sandbox.urls.api }
  await expect(broken.as(owner).register(input)).rejects.toThrow('proof of work')
  const next = withWorker(world, proofOfWork, store)
  expectStatus(await next.as(owner).register(input), 'needs_consent')
  expect(sent(world, 'bot_signup')).toBe(0)
})

test('a registration that is cancelled ends its work', async () => {
  const works = new Works(proofOfWork, { maxBits: 256 })
  const event = works.do('reg_1', { prefix: 'x', bits: never })
  works.cancel('reg_2')
  works.cancel('reg_1')
  expect(await event).toMatchObject({ type: 'work', none: 'cancelled' })
})

test('a lost answer to the challenge is asked for again', async () => {
  const world = await older(8)
  world.sandbox.faults.add({ name: 'pow_signup_challenge', cut: 'after', times: 1 })
  const outcome = await world.session.register({ service: world.sandbox.urls.api })
  expectStatus(outcome, 'needs_consent')
  expect(sent(world, 'pow_signup_challenge')).toBe(2)
})
