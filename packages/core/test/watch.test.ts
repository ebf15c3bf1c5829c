import { describe, expect, test } from 'vitest'
import type { Method } from '../src/methods/method.ts'
import {
  AuthError,
  allowLoopback,
  createAgentAuth,
  memoryStore,
  type OnSettled,
  type Settled,
  type Store,
} from '../src/node/main.ts'
import { serve } from './loopback-servers.ts'
import { expectStatus, owner } from './world.ts'

/** A method that waits for a person to say that they have done something. */
const byHand: Method = {
  id: 'by-hand',
  offers: ({ service }) => [
    { method: 'by-hand', service, summary: '', needs: ['person'], plan: {}, sources: [] },
  ],
  begin: (_, { service }) => ({
    state: service,
    next: { wait: { for: 'person', need: { kind: 'open-link', text: 'Do it.', url: service } } },
  }),
  next: (_, state) => {
    const [header, prefix] = ['authorization', 'Bearer ']
    const service = String(state)
    const where = { header, prefix, issuedBy: service, bases: [service] }
    return { state, next: { done: { kind: 'none', ...where } } }
  },
}

const queue = 'jobs'
const at = { job: 'a' }

async function waiting(wrap: (store: Store) => Store = (store) => store) {
  let now = Date.now()
  const clock = () => now
  const service = await serve((_, response) => response.writeHead(404).end())
  const store = wrap(memoryStore({ clock }))
  const open = () => createAgentAuth({ store, clock, [allowLoopback]: true, methods: [byHand] })
  const auth = open()
  const session = auth.as(owner)
  const begun = await session.register({ service: service.origin, method: 'by-hand' })
  const { registration = '' } = expectStatus(begun, 'needs_person')
  const done = () => auth.people.answer(registration, { done: true }, { approver: 'kim' })
  const resumed: Settled[] = []
  const look = (onSettled?: OnSettled, name = queue, by = auth) =>
    by.watchRegistrations({
      queue: name,
      onSettled: onSettled ?? (async (settled) => void resumed.push(settled)),
    })
  const waiters = async () => (await store.list({ kind: 'waiter' })).records
  await session.waitFor([registration], { queue, at })
  return {
    ...{ auth, open, session, registration, done, look, resumed, waiters, store },
    pass: (ms: number) => {
      now += ms
    },
  }
}

const nothing = { resumed: 0, failed: [] }
const once = { resumed: 1, failed: [] }

test('what waits goes on when the person has done their part, and once', async () => {
  const { look, done, resumed, registration, waiters } = await waiting()
  expect(await look()).toEqual(nothing)
  await done()
  expect(await look()).toEqual(once)
  expect(resumed).toEqual([{ owner, registration, status: 'ready', queue, at }])
  expect(await look()).toEqual(nothing)
  expect(await waiters()).toEqual([])
})

test('two that watch at once resume it once', async () => {
  const { look, done, resumed, open } = await waiting()
  await done()
  const watching = Array.from({ length: 8 }, () => look(undefined, queue, open()))
  const reports = await Promise.all(watching)
  expect(resumed).toHaveLength(1)
  expect(reports.filter((one) => one.resumed === 1)).toHaveLength(1)
})

test('what ends otherwise goes on as well, and what waits afterwards at once', async () => {
  const { look, resumed, session, registration } = await waiting()
  await session.cancel(registration)
  expect(await look()).toEqual(once)
  await session.waitFor([registration], { queue, at })
  expect(await look()).toEqual(once)
  expect(resumed.map(({ status }) => status)).toEqual(['ended', 'ended'])
})

test('a lost hint costs a minute', async () => {
  const { look, done, pass } = await waiting((store) => ({
    ...store,
    list: async (query) => {
      if (query.kind !== 'waiter' || query.owner === undefined) return store.list(query)
      throw new AuthError('store_failed', 'the store does not answer')
    },
  }))
  await look()
  await done()
  expect(await look()).toEqual(nothing)
  pass(60_001)
  expect(await look()).toEqual(once)
})

test('one that dies while it resumes is followed by another, a minute later', async () => {
  const { look, done, resumed, open, pass } = await waiting()
  await done()
  const begun = Promise.withResolvers<void>()
  const hangs = Promise.withResolvers<void>()
  const dead = look(async () => {
    begun.resolve()
    await hangs.promise
  })
  await begun.promise
  const another = () => look(undefined, queue, open())
  expect(await another()).toEqual(nothing)
  pass(59_000)
  expect(await another()).toEqual(nothing)
  pass(1_001)
  expect(await another()).toEqual(once)
  // Had it only been slow, it would find nothing to undo.
  hangs.resolve()
  await dead
  expect(await another()).toEqual(nothing)
  expect(resumed).toHaveLength(1)
})

test('what cannot be resumed is tried again, later each time', async () => {
  const { look, done, pass, registration } = await waiting()
  await done()
  const error = new Error('down')
  const failing = () => look(() => Promise.reject(error))
  expect(await failing()).toEqual({ resumed: 0, failed: [{ registration, error }] })
  pass(29_999)
  expect(await failing()).toEqual(nothing)
  pass(1)
  expect(await failing()).toMatchObject({ failed: [{ error }] })
  pass(59_999)
  expect(await failing()).toEqual(nothing)
  pass(1)
  expect(await look()).toEqual(once)
})

test('what has yet to pause is asked about for ten minutes', async () => {
  const { look, done, pass, waiters } = await waiting()
  await done()
  let asked = 0
  const gone: OnSettled = async () => {
    asked++
    return 'gone'
  }
  expect(await look(gone)).toEqual(nothing)
  expect(await look(gone)).toEqual(nothing)
  expect(asked).toBe(1)
  pass(15_000)
  await look(gone)
  expect(asked).toBe(2)
  expect(await waiters()).toHaveLength(1)
  pass(600_000)
  await look(gone)
  expect(await waiters()).toEqual([])
})

test('what pauses again while it is resumed waits again', async () => {
  const { look, done, session, registration, waiters } = await waiting()
  await done()
  expect(await look(() => session.waitFor([registration], { queue, at }))).toEqual(once)
  expect(await waiters()).toHaveLength(1)
  expect(await look()).toEqual(once)
  expect(await waiters()).toEqual([])
})

test('each queue is left its own, and one thing is written down once', async () => {
  const { look, done, session, registration, waiters } = await waiting()
  await session.waitFor([registration], { queue, at })
  await session.waitFor([registration], { queue: 'others', at })
  await session.waitFor([registration], { queue, at: { job: 'b' } })
  expect(await waiters()).toHaveLength(3)
  await done()
  expect(await look(undefined, 'nobody')).toEqual(nothing)
  expect(await look(undefined, 'others')).toEqual(once)
  expect(await look()).toEqual({ resumed: 2, failed: [] })
})

test('with several registrations the first that is settled counts', async () => {
  const { look, done, session, registration } = await waiting()
  const other = await serve((_, response) => response.writeHead(404).end())
  const begun = await session.register({ service: other.origin, method: 'by-hand' })
  const both = [begun.registration ?? '', registration]
  await session.waitFor(both, { queue, at })
  expect(await look()).toEqual(nothing)
  await done()
  expect(await look()).toEqual(once)
})

test('one whose registration cannot be read keeps no other from going on', async () => {
  let damaged = ''
  const { look, done, session, registration } = await waiting((store) => ({
    ...store,
    get: async (ref) => {
      if (ref.id !== damaged) return store.get(ref)
      throw new AuthError('store_damaged', 'a record cannot be read')
    },
  }))
  const other = await serve((_, response) => response.writeHead(404).end())
  const begun = await session.register({ service: other.origin, method: 'by-hand' })
  await session.waitFor([begun.registration ?? ''], { queue, at: { job: 'b' } })
  await done()
  damaged = begun.registration ?? ''
  const failed = [{ registration: damaged, error: { code: 'store_damaged' } }]
  expect(await look()).toMatchObject({ resumed: 1, failed })
  expect(await look()).toEqual(nothing)
  expect(registration).not.toBe(damaged)
})

test('nothing of an owner who was erased goes on', async () => {
  const { look, done, auth, waiters, resumed } = await waiting()
  await done()
  await auth.admin.erase(owner)
  expect(await waiters()).toEqual([])
  expect(await look()).toEqual(nothing)
  expect(resumed).toEqual([])
})

test('a watch goes on until it is told to stop, also when the store fails', async () => {
  let broken = false
  const { auth, done, resumed } = await waiting((store) => ({
    ...store,
    list: async (query) => {
      if (!broken) return store.list(query)
      throw new AuthError('store_failed', 'the store does not answer')
    },
  }))
  const stop = new AbortController()
  const errors: unknown[] = []
  broken = true
  const watching = auth.watchRegistrations({
    queue,
    onSettled: async (settled) => {
      resumed.push(settled)
      stop.abort()
    },
    onError: (error) => errors.push(error),
    intervalMs: 100,
    signal: stop.signal,
  })
  while (errors.length < 2) await new Promise((next) => setTimeout(next, 10))
  broken = false
  await done()
  expect(await watching).toEqual(once)
  expect(resumed).toHaveLength(1)
})

describe('bad input', () => {
  const bad = { code: 'invalid_input' }

  test.each<[string, object]>([
    ['no queue', { queue: '' }],
    ['a long queue', { queue: 'x'.repeat(101) }],
    ['no function', { onSettled: 'go' }],
    ['no interval', { intervalMs: 0 }],
    ['an endless interval', { intervalMs: Number.POSITIVE_INFINITY }],
    ['no signal', { signal: {} }],
    ['another option', { every: 5 }],
  ])('%s to a watch', async (_, more) => {
    const { auth } = await waiting()
    const options = { queue, onSettled: async () => undefined, ...more }
    await expect((async () => auth.watchRegistrations(options))()).rejects.toMatchObject(bad)
  })

  test.each<[string, unknown, unknown, string]>([
    ['no registration', [], { queue, at }, 'invalid_input'],
    ['no queue', undefined, { queue: '', at }, 'invalid_input'],
    ['no JSON', undefined, { queue, at: () => 1 }, 'invalid_input'],
    ['too much', undefined, { queue, at: 'x'.repeat(4_000) }, 'invalid_input'],
    ['one that is not there', ['reg_made-up'], { queue, at }, 'not_found'],
  ])('%s to wait for', async (_, ids, waiter, code) => {
    const { session, registration, waiters } = await waiting()
    const wait = session.waitFor.bind(session) as (...given: unknown[]) => Promise<void>
    await expect(wait(ids ?? [registration], waiter)).rejects.toMatchObject({ code })
    expect(await waiters()).toHaveLength(1)
  })

  test('another owner’s registration', async () => {
    const { auth, registration } = await waiting()
    const other = auth.as({ tenant: 'acme', user: 'eve' })
    const wait = other.waitFor([registration], { queue, at })
    await expect(wait).rejects.toMatchObject({ code: 'not_found' })
  })
})
