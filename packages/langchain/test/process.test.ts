import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileStore, keyFromFile } from '@authmd/core/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { said, turn } from './chat.ts'
import { keep } from './checkpointers.ts'
import { beginSignup, effects, email, eve, owner, startWorld, type World } from './world.ts'

let world: World
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-langchain-'))
  const key = await keyFromFile(join(dir, 'key'), { create: true })
  const store = fileStore({ dir: join(dir, 'store'), key })
  world = await startWorld({ store, identity: { email } })
})
afterEach(async () => {
  await world.close()
  await rm(dir, { recursive: true, force: true })
})

const child = join(import.meta.dirname, 'resume-child.ts')
// A process that loads the framework takes its time on a busy machine.
const timeout = 120_000

async function inAnotherProcess(input: { owner: object; approved: boolean }) {
  const args = ['--conditions=@authmd/source', child, JSON.stringify({ dir, email, ...input })]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as { asked: string[]; told: string[] }
}

async function ask() {
  const kept = await keep('sqlite', dir)
  const setup = { authmd: agentAuth(world.auth, { owner }), checkpointer: kept.open() }
  const asked = await turn('stream', setup, 't', said('x'), [await beginSignup(world)])
  expect(effects(world)).toEqual([])
  await kept.close()
  return asked
}

test('asked here, agreed to in another process', { timeout }, async () => {
  const { asked, result } = await ask()
  const done = await inAnotherProcess({ owner, approved: true })
  expect(done).toEqual({ asked, told: [expect.stringContaining('needs_person')] })
  expect(effects(world)).toEqual(['bot_signup'])

  const kept = await keep('sqlite', dir)
  const setup = { authmd: agentAuth(world.auth, { owner }), checkpointer: kept.open() }
  await turn('stream', setup, 't', await setup.authmd.resume(result, () => true))
  await kept.close()
  expect(effects(world)).toEqual(['bot_signup'])
})

test('asked here, agreed to in another process for another owner', { timeout }, async () => {
  await ask()
  const { told } = await inAnotherProcess({ owner: eve, approved: true })
  expect(told).toEqual([expect.stringContaining('error not_found')])
  expect(effects(world)).toEqual([])
})
