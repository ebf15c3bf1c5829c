import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentAuth, AuthError } from '@authmd/core'
import { fileStore, keyFromFile } from '@authmd/core/node'
import type { Command } from '@langchain/langgraph'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { agentAuth, type WaitingThread } from '../src/index.ts'
import { agentOf, type Setup, said, scriptedModel, type Turn, turn } from './chat.ts'
import { type Kept, keep, kinds, postgresFault } from './checkpointers.ts'
import { beginSignup, effects, email, link, owner, startWorld, type World } from './world.ts'

vi.setConfig({ testTimeout: 120_000 })

let world: World
let kept: Kept
let dir: string
const child = join(import.meta.dirname, 'watch-child.ts')

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-watch-'))
})
afterEach(async () => {
  await kept.close()
  await world.close()
  await rm(dir, { recursive: true })
})

/** A thread of a chat that waits for the person to hand over the link of a mail. */
async function waiting(kind: (typeof kinds)[number]) {
  const key = await keyFromFile(`${dir}/key`, { create: true })
  world = await startWorld({
    identity: { email },
    store: fileStore({ dir: `${dir}/store`, key }),
  })
  kept = await keep(kind, dir)
  const setupOf = (auth: AgentAuth): Setup => ({
    authmd: agentAuth(auth, { owner, waits: 'interrupt' }),
    checkpointer: kept.open(),
  })
  const setup = setupOf(world.auth)
  const signup = await beginSignup(world)
  const { registration } = signup.args
  const asked = await turn('invoke', setup, 't', said('get me a phone number'), [signup])
  const agreed = await setup.authmd.resume(asked.result, () => true)
  const stopped = await turn('invoke', setup, 't', agreed)
  expect(stopped.result.__interrupt__).toHaveLength(1)
  const done: Turn[] = []
  /** As a process that holds nothing but the two stores. */
  const watch = async (
    before: (waiting: WaitingThread) => unknown = () => undefined,
    graph = agentOf(setup, scriptedModel([])),
  ) => {
    const one = setupOf(world.auth)
    return one.authmd.watch({
      graph,
      run: async (command, thread) => {
        await before(thread)
        done.push(await turn('invoke', one, thread.thread, command as Command))
      },
    })
  }
  const handOver = async () => {
    await world.auth.people.answer(registration, { link: await link(world) }, { approver: 'kim' })
  }
  return { watch, done, handOver, registration, setup, stopped }
}

const once = { resumed: 1, failed: [] }
const nothing = { resumed: 0, failed: [] }
const there = (await postgresFault()) === undefined || process.env.CI === 'true'

describe.each(kinds.filter((kind) => kind !== 'postgres' || there))('kept in %s', (kind) => {
  test('a thread goes on when the person has done their part, once for two that watch', async () => {
    const { watch, done, handOver, registration } = await waiting(kind)
    expect(await watch()).toEqual(nothing)
    await handOver()
    const seen: WaitingThread[] = []
    const reports = await Promise.all([1, 2, 3].map(() => watch((one) => seen.push(one))))
    expect(reports.map(({ resumed }) => resumed).sort()).toEqual([0, 0, 1])
    expect(seen).toEqual([{ thread: 't', owner, registration }])
    expect(done).toHaveLength(1)
    expect(done[0]?.result.__interrupt__).toEqual([])
    expect(done[0]?.messages.at(-1)?.text).toBe('done')
    expect(done[0]?.messages.at(-2)?.text).toMatch(/^ready/)
    expect(await watch()).toEqual(nothing)
    expect(effects(world)).toEqual(['bot_signup', 'bot_sessions', 'api_keys'])
  })
})

test('one that fails to run is reported, and goes on later', async () => {
  const { watch, done, handOver, registration } = await waiting('memory')
  await handOver()
  const error = new AuthError('network_failed', 'the model does not answer')
  const fails = () => Promise.reject(error)
  expect(await watch(fails)).toEqual({ resumed: 0, failed: [{ registration, error }] })
  world.sandbox.clock.advance(30_001)
  expect(await watch()).toEqual(once)
  expect(done).toHaveLength(1)
})

test('one that the application has resumed itself is left alone', async () => {
  const { watch, done, handOver, setup, stopped } = await waiting('memory')
  await handOver()
  await turn('invoke', setup, 't', await setup.authmd.resume(stopped.result, () => undefined))
  expect(await watch()).toEqual(nothing)
  world.sandbox.clock.advance(700_000)
  expect(await watch()).toEqual(nothing)
  expect(done).toEqual([])
})

test('a watcher that is killed between taking and resuming is followed by another', async () => {
  const { watch, done, handOver } = await waiting('sqlite')
  await handOver()
  const args = JSON.stringify({ dir, owner, now: world.sandbox.clock.now() })
  const execArgv = ['--conditions=@authmd/source', '--no-warnings', child, args]
  const process_ = spawn(process.execPath, execArgv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await Promise.all([
    new Promise<string>((told) => {
      process_.stdout.once('data', (data) => told(String(data)))
    }),
  ])
  expect(said).toContain('taken t')
  process_.kill('SIGKILL')
  await new Promise((gone) => process_.once('close', gone))
  expect(await watch()).toEqual(nothing)
  world.sandbox.clock.advance(60_001)
  expect(await watch()).toEqual(once)
  expect(done).toHaveLength(1)
})
