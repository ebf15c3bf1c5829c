import { describe, expect, onTestFinished, test } from 'vitest'
import { allowLoopback, createAgentAuth, memoryStore, type Store } from '../src/node/main.ts'
import { canary } from './held.ts'
import { serve } from './loopback-servers.ts'
import { owner } from './world.ts'

/** A store that says how often it was called. */
function counted(inner: Store): { store: Store; calls: string[] } {
  const calls: string[] = []
  const store = new Proxy(inner, {
    get: (target, name) => {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        calls.push(String(name))
        return member.apply(target, given)
      }
    },
  })
  return { store, calls }
}

const maxAgeMs = 5000

/** A service that accepts one key, and two processes that share a store: one remembers, the other does not. */
async function fleet(more: object = {}) {
  let now = Date.now()
  const clock = () => now
  const service = await serve((request, response) => {
    const right = request.headers.authorization === `Bearer ${service_.accepts}`
    response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ path: request.url }))
  })
  const service_ = { accepts: canary }
  const { store, calls } = counted(memoryStore({ clock }))
  const options = { [allowLoopback]: true, clock, ...more } as const
  const here = createAgentAuth({ ...options, store, cache: { maxAgeMs } })
  const elsewhere = createAgentAuth({ ...options, store })
  const { origin } = service
  const session = here.as(owner)
  const given = { service: origin, audience: origin, secret: canary }
  const { handle } = await session.import(given)
  const get = (path = '/thing') => session.fetch(origin)(`${origin}${path}`)
  const use = () => session.use({ credential: handle, path: '/thing' })
  onTestFinished(() => expect(service.seen.length).toBeGreaterThan(0))
  return {
    ...{ here, elsewhere, session, service, service_, calls, handle, get, use, given },
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('the hot path', () => {
  test('makes no call to the store', async () => {
    const { get, use, calls, session, service } = await fleet()
    // The first one reads, and notes that the credential works.
    await get()
    await get()
    calls.length = 0
    const byService = () => session.use({ service: service.origin, path: '/thing' })
    for (let times = 0; times < 20; times++) {
      expect((await get()).status).toBe(200)
      expect((await use()).status).toBe('answered')
      expect((await byService()).status).toBe('answered')
      expect(await session.preview('use', { service: service.origin, path: '/x' })).toBeUndefined()
    }
    await Promise.all(Array.from({ length: 50 }, () => get()))
    expect(calls).toEqual([])
  })

  test('reads again when what it knows is too old, once for all who come', async () => {
    const { get, calls, pass } = await fleet()
    await get()
    await get()
    pass(maxAgeMs + 1)
    calls.length = 0
    await Promise.all(Array.from({ length: 50 }, () => get()))
    // What is held, and what registrations hold.
    expect(calls).toEqual(['list', 'list'])
  })

  test('without a cache reads each time', async () => {
    const { elsewhere, service, calls } = await fleet()
    const fetch = elsewhere.as(owner).fetch(service.origin)
    await fetch(service.origin)
    calls.length = 0
    await fetch(service.origin)
    expect(calls).toContain('list')
  })
})

describe('what is given up', () => {
  test('in this process counts at once', async () => {
    const { get, use, session, handle, service } = await fleet()
    await get()
    await get()
    const before = service.seen.length
    await session.forget(handle)
    await expect(get()).rejects.toMatchObject({ code: 'not_found' })
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
    expect(service.seen).toHaveLength(before)
  })

  test.each(['revokeAll', 'erase'] as const)(
    'by admin.%s in this process counts at once',
    async (name) => {
      const { here, get, service } = await fleet()
      await get()
      await get()
      const before = service.seen.length
      await here.admin[name](owner, { approver: 'kim' })
      await expect(get()).rejects.toMatchObject({ code: 'not_found' })
      expect(service.seen).toHaveLength(before)
    },
  )

  test('in another process counts after the stated time at the latest', async () => {
    const { get, use, elsewhere, handle, pass, service } = await fleet()
    await get()
    await get()
    await elsewhere.as(owner).forget(handle)
    pass(maxAgeMs)
    expect((await get()).status).toBe(200)
    pass(1)
    const before = service.seen.length
    await expect(get()).rejects.toMatchObject({ code: 'not_found' })
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
    expect(service.seen).toHaveLength(before)
  })

  test('in another process, and refused by the service since, is said to be given up', async () => {
    const { get, use, elsewhere, handle, service_ } = await fleet()
    await get()
    await get()
    await elsewhere.as(owner).forget(handle)
    service_.accepts = 'nothing'
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
    await expect(get()).rejects.toMatchObject({ code: 'not_found' })
  })

  test('and erased in another process is no error of the answer', async () => {
    const { get, elsewhere, service_ } = await fleet()
    await get()
    await get()
    await elsewhere.admin.erase(owner)
    service_.accepts = 'nothing'
    expect((await get()).status).toBe(401)
    await expect(get()).rejects.toMatchObject({ code: 'not_found' })
  })
})

test('another owner is given nothing of it', async () => {
  const { here, get, service } = await fleet()
  await get()
  await get()
  for (const other of [{ tenant: 'acme' }, { tenant: 'acme', user: 'kim', agent: 'a' }]) {
    const fetch = here.as(other).fetch(service.origin)
    await expect(fetch(service.origin)).rejects.toMatchObject({ code: 'not_found' })
  }
})

test('what another process has learned is known to the redactor of a registration at once', async () => {
  const { get, session, elsewhere, given } = await fleet()
  await get()
  await get()
  const secret = 'made-up-other-key-0123456789'
  await elsewhere.as(owner).import({ ...given, secret })
  expect((await session.redactor()).redact(`it is ${secret}`).found).toBe(1)
})

test.each<[string, object]>([
  ['no age', { maxAgeMs: 0 }],
  ['a broken age', { maxAgeMs: 1.5 }],
  ['an endless age', { maxAgeMs: Number.POSITIVE_INFINITY }],
  ['an age of a day', { maxAgeMs: 86_400_000 }],
  ['a text', { maxAgeMs: '5000' }],
  ['no room', { maxCredentials: 0 }],
  ['another name', { ttl: 5000 }],
])('%s is no limit of a cache', (_, cache) => {
  const make = () => createAgentAuth({ store: memoryStore(), cache })
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})
