import { signInLink } from '@authmd/sandbox'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Method } from '../src/methods/method.ts'
import type { Outcome } from '../src/outcome.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { type SeeThroughOptions, seeThrough } from '../src/tools/see-through.ts'
import type { ToolResult } from '../src/tools/tools.ts'
import { closeWorlds, email, openWorld, sent, signedUp, type World } from './world.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  return closeWorlds()
})

const minute = 60_000
const call = { channel: 'code' }
const byPerson = { identity: () => ({ email }) }
const resultOf = (outcome: Outcome): ToolResult => ({ outcome, text: renderOutcome(outcome) })

/** Sees an outcome through; what it says is collected as it comes. */
function watch({ session }: World, outcome: Outcome, options: Partial<SeeThroughOptions> = {}) {
  const said: (string | undefined)[] = []
  const told: string[] = []
  const end = (async () => {
    const waiting = {
      patienceMs: minute,
      told: ({ status }: Outcome) => told.push(status),
      ...options,
    }
    for await (const one of seeThrough(session, resultOf(outcome), call, waiting)) {
      said.push(one.outcome?.status)
    }
  })()
  return { said, told, end }
}

test('a mail is looked for when the outcome says so, not before, and the end is told', async () => {
  const world = await openWorld()
  const { outcome } = await signedUp(world)
  const { said, told, end } = watch(world, outcome)
  await vi.advanceTimersByTimeAsync(4_999)
  // Time enough for a look that would have begun.
  await fetch(`http://127.0.0.1:${world.sandbox.port}/`)
  expect(sent(world, 'bot_sessions')).toBe(0)
  expect([said, told]).toEqual([['pending'], ['pending']])
  await vi.advanceTimersByTimeAsync(1)
  await end
  expect([said, told]).toEqual([['pending', 'ready'], ['pending']])
})

test('what a person hands over elsewhere is noticed; what says the same is not repeated', async () => {
  const world = await openWorld(byPerson)
  const { outcome, registration } = await signedUp(world)
  const { said, told, end } = watch(world, outcome)
  for (let looks = 0; looks < 3; looks++) {
    await vi.advanceTimersByTimeAsync(2_000)
    await vi.waitFor(() => expect(told).toHaveLength(looks + 2), 30_000)
  }
  expect(said).toEqual(['needs_person'])
  const [mail] = world.sandbox.mail.list(email)
  const link = signInLink(mail ?? { html: '' })
  await world.auth.people.answer(registration, { link }, { approver: 'kim' })
  await vi.advanceTimersByTimeAsync(2_000)
  await end
  expect(said).toEqual(['needs_person', 'ready'])
})

test.each([0, 4_999])('with %i ms of patience no mail is waited for', async (patienceMs) => {
  const world = await openWorld()
  const { outcome } = await signedUp(world)
  const { said, told, end } = watch(world, outcome, { patienceMs })
  await end
  expect([said, told]).toEqual([['pending'], []])
  expect(sent(world, 'bot_sessions')).toBe(0)
})

test('patience that runs out leaves what was known last', async () => {
  const world = await openWorld({ identity: () => ({ mailbox: { address: email, list } }) })
  const list = async () => []
  const { outcome } = await signedUp(world)
  const { said, told, end } = watch(world, outcome, { patienceMs: 12_000 })
  for (let looks = 0; looks < 2; looks++) {
    await vi.advanceTimersByTimeAsync(5_000)
    await vi.waitFor(() => expect(said).toHaveLength(looks + 2), 30_000)
  }
  await end
  expect([said, told]).toEqual([
    ['pending', 'pending', 'pending'],
    ['pending', 'pending'],
  ])
})

test.each(['before', 'while'])(
  'aborted %s it waits, it ends at once, and nothing is lost',
  async (when) => {
    const world = await openWorld()
    const { outcome, registration } = await signedUp(world)
    const gone = new AbortController()
    const timers = vi.getTimerCount()
    if (when === 'before') gone.abort()
    const { said, end } = watch(world, outcome, { signal: gone.signal })
    if (when === 'while') await vi.waitFor(() => expect(said).toHaveLength(1), 30_000)
    gone.abort()
    await vi.advanceTimersByTimeAsync(0)
    await end
    expect([said, sent(world, 'bot_sessions')]).toEqual([['pending'], 0])
    expect(vi.getTimerCount()).toBeLessThanOrEqual(timers)
    expect(await world.session.claim({ registration })).toMatchObject({ status: 'ready' })
  },
)

test('a look that fails, and what does not go on by itself, end it with what is known', async () => {
  const broken = async () => {
    throw new Error('the mailbox is on fire')
  }
  const world = await openWorld({ identity: () => ({ mailbox: { address: email, list: broken } }) })
  const { outcome } = await signedUp(world)
  const { said, end } = watch(world, outcome)
  await vi.advanceTimersByTimeAsync(5_000)
  await end
  expect(said).toEqual(['pending'])
  const nothing = watch(world, await world.session.discover())
  await nothing.end
  expect([nothing.said, nothing.told]).toEqual([['found'], []])
})

test('a look that would bind somebody is not made: the question belongs to a call', async () => {
  const url = (path: string) => `${world.sandbox.urls.api}${path}`
  const method: Method = {
    id: 'own',
    offers: ({ service }) => [
      { method: 'own', service, summary: 'Mine.', needs: ['person'], plan: null, sources: [] },
    ],
    begin: () => ({
      state: null,
      next: { wait: { for: 'time', at: Date.now(), reason: 'Soon.' } },
    }),
    next: () => {
      const at = url('/v2/bot_challenge')
      const binds = [
        { kind: 'create-credential', at, audience: [at], credential: 'a key' },
      ] as const
      const request = { method: 'POST', url: at, json: {} } as const
      const plan = { name: 'make', request, effect: 'creates', ifLost: 'uncertain', binds } as const
      return { state: null, next: { send: [plan] } }
    },
  }
  const asked: unknown[] = []
  const onPersonNeeded = (request: unknown) => void asked.push(request)
  const world = await openWorld({ methods: [method], onPersonNeeded })
  const { said, told, end } = watch(world, await world.session.register({ service: url('') }))
  await vi.advanceTimersByTimeAsync(2_000)
  await end
  expect([said, told, asked]).toEqual([['pending'], ['pending'], []])
})
