import { Mastra } from '@mastra/core/mastra'
import { InMemoryStore, type MastraCompositeStore } from '@mastra/core/storage'
import { createWorkflow } from '@mastra/core/workflows'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import type { AuthAdapter, Pause, StepOutput } from '../src/index.ts'
import { adapter, as, Chat } from './chat.ts'
import { storages } from './storage.ts'
import {
  deleteKeys,
  effects,
  email,
  handOver,
  importKey,
  obtain,
  solution,
  startWorld,
  type World,
} from './world.ts'

// PostgreSQL is made all its tables.
vi.setConfig({ testTimeout: 120_000 })

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const signedUp = ['bot_signup', 'bot_sessions', 'api_keys']

interface Result {
  readonly status: string
  readonly result?: StepOutput
  readonly error?: Error
  readonly pause?: Pause | undefined
}

type Picked = (authmd: AuthAdapter) => AuthAdapter['workflow']
const ready: Picked = ({ workflow }) => workflow

/** A run of a workflow. Each time it goes on, it is with all made anew but the storage. */
class Run {
  readonly #storage: MastraCompositeStore
  readonly #pick: Picked
  #runId: string | undefined

  constructor(pick: Picked = ready, storage: MastraCompositeStore = new InMemoryStore()) {
    this.#pick = pick
    this.#storage = storage
  }

  async start(inputData: object = { service: world.service }, context = as('kim')) {
    const run = await this.#run()
    this.#runId = run.runId
    return seen(await run.start({ inputData, requestContext: context } as never))
  }

  async resume(resumeData: unknown, context = as('kim')): Promise<Result> {
    const run = await this.#run()
    return seen(await run.resume({ resumeData, requestContext: context }))
  }

  async #run() {
    const workflow = this.#pick(adapter(world))
    new Mastra({ workflows: { it: workflow as never }, storage: this.#storage, logger: false })
    return workflow.createRun(this.#runId === undefined ? {} : { runId: this.#runId })
  }
}

type Ended = Awaited<
  ReturnType<Awaited<ReturnType<AuthAdapter['workflow']['createRun']>>['resume']>
>

function seen(ended: Ended): Result {
  const { suspended, steps, ...rest } = ended as unknown as Result & {
    suspended?: string[][]
    steps: Record<string, { suspendPayload?: Pause }>
  }
  return { ...rest, pause: steps[suspended?.[0]?.[0] ?? '']?.suspendPayload }
}

const answerTo = ({ pause }: Result) => solution(world, pause?.text ?? '').input.answer
const secrets = () => world.sandbox.ledger.map((entry) => entry.value)

describe.each(storages)('from a service to a credential, kept in $name', ({ make }) => {
  beforeEach(async () => {
    await world.close()
    world = await startWorld({ mail: 'handed over' })
  })

  test('over puzzle, consent and mail, with a process for each step', async () => {
    const kept = await make()
    onTestFinished(() => kept.remove())
    const run = new Run(ready, await kept.open())
    const puzzle = await run.start()
    expect(puzzle.pause).toMatchObject({ authmd: 1, for: 'answer' })
    const again = await run.resume({ answer: 'http://not-a-number.test' })
    expect(again.pause).toMatchObject({ for: 'answer', notice: expect.stringContaining('form') })
    const consent = await run.resume({ answer: answerTo(again) })
    expect(consent.pause).toMatchObject({ for: 'consent', text: expect.stringContaining(email) })
    expect(JSON.stringify(consent.pause)).not.toContain('cns_')
    expect(effects(world)).toEqual([])

    for (const useless of [{}, { approve: true }, { consent: 'cns_made-up_0', approve: true }, 7]) {
      expect((await run.resume(useless)).pause?.for).toBe('consent')
    }
    expect(effects(world)).toEqual([])
    const mail = await run.resume({ consent: world.asked[0], approve: true })
    expect(mail.pause).toMatchObject({ for: 'person', need: { kind: 'open-mail', email } })
    expect((await run.resume({ approved: true })).pause?.for).toBe('person')
    await handOver(world, mail.pause?.registration)
    const done = await run.resume({})
    expect(done).toMatchObject({ status: 'success', result: { outcome: { status: 'ready' } } })
    expect(effects(world)).toEqual(signedUp)

    const text = await kept.text()
    expect(text).toContain(world.service)
    expect(secrets().filter((secret) => text.includes(secret))).toEqual([])
  })

  test('and an agent, whose calls are kept as well', async () => {
    const kept = await make()
    onTestFinished(() => kept.remove())
    const storage = await kept.open()
    const { service } = world
    const use = { service, method: 'POST', path: '/v2/debug/echo', json: { text: 'hello' } }
    await importKey(world)
    const chat = new Chat('stream', adapter(world), [{ tool: 'auth_use', input: use }], { storage })
    const asked = await chat.say()
    const held = await kept.text()
    await chat.answer(asked, 'yes')
    const text = held + (await kept.text()) + chat.seen
    expect(text).toContain('auth_use')
    expect(chat.seen).toContain('hello')
    expect(secrets().filter((secret) => text.includes(secret))).toEqual([])
  })
})

describe('consent in a workflow', () => {
  const toConsent = async () => {
    const run = new Run()
    const consent = await run.resume({ answer: answerTo(await run.start()) })
    expect(consent.pause?.for).toBe('consent')
    const [id = ''] = world.asked
    return { run, id }
  }

  test('is given by auth.people', async () => {
    const { run, id } = await toConsent()
    await world.auth.people.answer(id, { approve: true }, { approver: 'kim' })
    expect((await run.resume({})).status).toBe('success')
    expect(effects(world)).toEqual(signedUp)
  })

  test('is refused', async () => {
    const { run, id } = await toConsent()
    const ended = await run.resume({ consent: id, approve: false })
    expect(ended.result?.outcome).toMatchObject({ status: 'refused', code: 'consent_denied' })
    expect(effects(world)).toEqual([])
  })

  test('counts for its own owner alone', async () => {
    const { run, id } = await toConsent()
    const others = await run.resume({ consent: id, approve: true }, as('eve'))
    expect(others.pause?.notice).toContain('not_found')
    expect((await run.resume({})).pause?.for).toBe('consent')
    expect(effects(world)).toEqual([])
  })

  test('came too late', async () => {
    const { run, id } = await toConsent()
    world.sandbox.clock.advance(16 * 60_000)
    const late = await run.resume({ consent: id, approve: true })
    expect(late.pause?.for).toBe('answer')
    expect((await run.resume({ answer: answerTo(late) })).pause?.for).toBe('consent')
    expect(effects(world)).toEqual([])
  })

  test('holds when the puzzle expired in the meantime', async () => {
    const { run, id } = await toConsent()
    world.sandbox.clock.advance(11 * 60_000)
    const puzzle = await run.resume({ consent: id, approve: true })
    expect(puzzle.pause?.for).toBe('answer')
    expect((await run.resume({ answer: answerTo(puzzle) })).status).toBe('success')
    expect(effects(world)).toEqual(signedUp)
  })

  test('and a wrong answer to the puzzle, then a right one', async () => {
    const run = new Run()
    await run.start()
    await run.resume({ answer: '1234567' })
    const again = await run.resume({ consent: world.asked[0], approve: true })
    expect(again.pause?.for).toBe('answer')
    expect((await run.resume({ answer: answerTo(again) })).status).toBe('success')
    expect(effects(world)).toEqual(signedUp)
  })
})

describe('steps', () => {
  test('use and revoke, in a workflow of the application', async () => {
    const credential = await obtain(world)
    const run = new Run(({ useStep, revokeStep }) => {
      const inputSchema = z.object({ credential: z.string(), path: z.string() })
      return createWorkflow({ id: 'own', inputSchema, outputSchema: z.unknown() })
        .then(useStep)
        .map(async ({ getInitData }) => ({
          credential: getInitData<{ credential: string }>().credential,
        }))
        .then(revokeStep)
        .commit() as never
    })
    const consent = await run.start({ credential, path: '/v2/available_phone_numbers' })
    expect(consent.pause).toMatchObject({ for: 'consent', text: expect.stringContaining('Revoke') })
    const person = await run.resume({ consent: world.asked.at(-1), approve: true })
    expect(person.pause).toMatchObject({ for: 'person', need: { kind: 'open-link' } })
    await deleteKeys(world)
    const ended = await run.resume({})
    expect(ended.result?.outcome).toMatchObject({ status: 'ended', verdict: 'revoked' })
  })

  test('what is held already ends the way at once', async () => {
    await importKey(world)
    const before = effects(world)
    const ended = await new Run().start()
    expect(ended).toMatchObject({ status: 'success', result: { outcome: { status: 'ready' } } })
    expect(effects(world)).toEqual(before)
  })

  /** @see mastra-ai/mastra#19873 */
  test.each([undefined, 'nobody', 'broken'])(
    'without an owner nothing runs: %s',
    async (session) => {
      const ended = await new Run().start(undefined, as(session))
      expect(ended.status).toBe('failed')
      expect(ended.error?.message).toContain('owner')
      expect(world.sandbox.log).toEqual([])
    },
  )
})
