import { Mastra } from '@mastra/core/mastra'
import type { MastraCompositeStore } from '@mastra/core/storage'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Pause, WaitingRun } from '../src/index.ts'
import { adapter, as, Chat, type Turn } from './chat.ts'
import { storages } from './storage.ts'
import { beginSignup, effects, handOver, solution, startWorld, type World } from './world.ts'

// PostgreSQL is made all its tables.
vi.setConfig({ testTimeout: 120_000 })

let world: World
beforeEach(async () => {
  world = await startWorld({ mail: 'handed over' })
})
afterEach(() => world.close())

const nothing = { resumed: 0, failed: [] }
const signedUp = ['bot_signup', 'bot_sessions', 'api_keys']

function mastraOf(storage: MastraCompositeStore) {
  const authmd = adapter(world)
  const chat = new Chat('stream', authmd, [], { storage })
  const agents = { a: chat.agent as never }
  const workflows = { obtain: authmd.workflow as never }
  const mastra = new Mastra({ agents, workflows, storage, logger: false })
  return { authmd, chat, mastra, workflow: authmd.workflow }
}

const handles = async () => (await world.auth.as({ tenant: 'acme', user: 'kim' }).list()).length

describe.each(storages)('kept in $name', ({ make }) => {
  let storage: () => Promise<MastraCompositeStore>
  beforeEach(async () => {
    const kept = await make()
    onTestFinished(() => kept.remove())
    storage = () => kept.open()
  })

  test('a workflow goes on when the person has done their part, once for two that watch', async () => {
    const first = mastraOf(await storage())
    const run = await first.workflow.createRun({})
    const { runId } = run
    const context = { requestContext: as('kim') }
    const begun = await run.start({ inputData: { service: world.service }, ...context } as never)
    const steps = Object.values(begun.steps as Record<string, { suspendPayload?: Pause }>)
    const puzzle = steps.findLast(({ suspendPayload }) => suspendPayload)?.suspendPayload
    const { answer } = solution(world, puzzle?.text ?? '').input
    await run.resume({ resumeData: { answer }, ...context })
    await run.resume({ resumeData: { consent: world.asked[0], approve: true }, ...context })
    const seen: WaitingRun[] = []
    const ended: string[] = []
    const watch = async () => {
      const { authmd, mastra, workflow } = mastraOf(await storage())
      return authmd.watch({
        mastra,
        run: async (waiting) => {
          seen.push(waiting)
          const again = await workflow.createRun({ runId: waiting.runId })
          ended.push((await again.resume({ resumeData: {}, requestContext: as('kim') })).status)
        },
      })
    }
    expect(await watch()).toEqual(nothing)
    await handOver(world, (await registrations())[0])
    const reports = await Promise.all([watch(), watch()])
    expect(reports.map(({ resumed }) => resumed).sort()).toEqual([0, 1])
    expect(seen).toMatchObject([{ workflowId: 'auth_obtain', runId }])
    expect(ended).toEqual(['success'])
    expect(effects(world)).toEqual(signedUp)
    expect(await watch()).toEqual(nothing)
  })

  test('a tool call of an agent goes on the same', async () => {
    const first = mastraOf(await storage())
    first.chat.go([await beginSignup(world)])
    const asked = await first.chat.say()
    const paused: Turn = await first.chat.answer(asked, 'yes')
    expect(paused.paused?.pause).toMatchObject({ for: 'person' })
    const seen: WaitingRun[] = []
    const told: Turn[] = []
    const watch = async () => {
      const { authmd, mastra, chat } = mastraOf(await storage())
      return authmd.watch({
        mastra,
        run: async (waiting) => {
          seen.push(waiting)
          told.push(await chat.answer({ ...paused, runId: waiting.runId }, { resume: {} }))
        },
      })
    }
    expect(await watch()).toEqual(nothing)
    await handOver(world, (await registrations())[0])
    const reports = await Promise.all([watch(), watch()])
    expect(reports.map(({ resumed }) => resumed).sort()).toEqual([0, 1])
    const { runId, paused: { toolCallId = '' } = {} } = paused
    expect(seen).toMatchObject([{ agentId: 'a', runId, toolCallId }])
    expect(told[0]?.told.at(-1)).toMatch(/^ready/)
    expect(effects(world)).toEqual(signedUp)
    expect(await watch()).toEqual(nothing)
    expect(await handles()).toBe(1)
  })
})

async function registrations(): Promise<readonly string[]> {
  const found = await world.auth.as({ tenant: 'acme', user: 'kim' }).discover()
  return found.status === 'found' ? found.registrations.map(({ id }) => id) : []
}
