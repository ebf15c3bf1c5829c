import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { MasterKey } from '@authmd/core'
import { fileStore } from '@authmd/core/node'
import { Mastra } from '@mastra/core/mastra'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Pause } from '../src/index.ts'
import { adapter, as, Chat } from './chat.ts'
import type { Task } from './child.ts'
import { openLibSql, temporary } from './libsql.ts'
import { beginSignup, effects, email, solution, startWorld, type World } from './world.ts'

// Another process takes its time to load the framework.
vi.setConfig({ testTimeout: 120_000 })

let world: World
let dir: string
const key = randomBytes(32).toString('hex')
beforeEach(async () => {
  dir = await temporary()
  const store = fileStore({ dir: `${dir}/authmd`, key: MasterKey.parse(key) })
  world = await startWorld({ mail: 'handed over', store })
})
afterEach(async () => {
  await world.close()
  await rm(dir, { recursive: true })
})

/** Runs the task in a process of its own, and gives what it printed. */
async function elsewhere(task: Pick<Task, 'session' | 'agent' | 'workflow'>): Promise<unknown> {
  const script = fileURLToPath(new URL('child.ts', import.meta.url))
  const ahead = world.sandbox.clock.now() - Date.now()
  const whole: Task = { ...task, dir, key, ahead, email }
  const args = ['--conditions=@authmd/source', script, JSON.stringify(whole)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const part of child.stdout) said += part
  return JSON.parse(said.trim().split('\n').at(-1) ?? '')
}

const ask = async () => {
  const signup = await beginSignup(world)
  const chat = new Chat('stream', adapter(world), [signup], { storage: await openLibSql(dir) })
  return { signup, paused: await chat.say() }
}

test('a call is asked about in one process and answered in another', async () => {
  const { paused } = await ask()
  const done = await elsewhere({ session: 'kim', agent: { paused, answer: 'yes' } })
  expect(done).toMatchObject({ paused: { pause: { for: 'person', need: { kind: 'open-mail' } } } })
  expect(effects(world)).toEqual(['bot_signup'])
})

test('the workflow goes on in another process', async () => {
  const { workflow } = adapter(world)
  new Mastra({
    workflows: { obtain: workflow as never },
    storage: await openLibSql(dir),
    logger: false,
  })
  const run = await workflow.createRun()
  const inputData = { service: world.service }
  const begun = await run.start({ inputData, requestContext: as('kim') } as never)
  const puzzle = begun.steps.auth_register?.suspendPayload as Pause
  const { runId } = run
  const { answer } = solution(world, puzzle.text).input
  const asks = await elsewhere({ session: 'kim', workflow: { runId, resumeData: { answer } } })
  expect(asks).toMatchObject({
    status: 'suspended',
    steps: { auth_register: { suspendPayload: { for: 'consent' } } },
  })
  const { asked } = asks as { asked: string[] }
  const resumeData = { consent: asked[0], approve: true }
  const done = await elsewhere({ session: 'kim', workflow: { runId, resumeData } })
  expect(done).toMatchObject({
    status: 'suspended',
    steps: { auth_claim: { suspendPayload: { for: 'person', need: { kind: 'open-mail' } } } },
  })
  expect(effects(world)).toEqual(['bot_signup'])
})
