import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileStore, keyFromFile } from '@authmd/core/node'
import {
  beginSignup,
  effects,
  email,
  owner,
  startWorld,
  stranger,
  type World,
} from '@authmd/scenarios/world'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answered, turn, user } from './chat.ts'

let world: World
let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-ai-sdk-'))
  const key = await keyFromFile(join(dir, 'key'), { create: true })
  const store = fileStore({ dir: join(dir, 'store'), key })
  world = await startWorld({ store, identity: { email } })
})
afterEach(async () => {
  await world.close()
  await rm(dir, { recursive: true, force: true })
})

const child = join(import.meta.dirname, 'answer-child.ts')
// A process that loads the SDK takes its time on a busy machine.
const timeout = 120_000

async function inAnotherProcess(who: typeof owner): Promise<string[]> {
  const args = ['--conditions=@authmd/source', child, JSON.stringify({ dir, email, owner: who })]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout)
}

test('asked here, agreed to in other processes, for another owner and for its own', {
  timeout,
}, async () => {
  const authmd = agentAuth(world.auth, { owner })
  const setup = { tools: authmd.tools, toolApproval: authmd.toolApproval() }
  const asked = await turn('stream', setup, [user], [await beginSignup(world)])
  expect(asked.asked).toHaveLength(1)
  await writeFile(join(dir, 'messages.json'), JSON.stringify(answered(asked.messages, true)))
  expect(await inAnotherProcess(stranger)).toEqual([expect.stringContaining('error not_found')])
  expect(effects(world)).toEqual([])
  expect(await inAnotherProcess(owner)).toEqual([expect.stringContaining('needs_person')])
  expect(effects(world)).toEqual(['bot_signup'])
})
