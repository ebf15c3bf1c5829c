import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '@authmd/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { type Move, modes, type Script, said, type Turn, turn } from './chat.ts'
import { type Kept, keep, kinds, postgresFault } from './checkpointers.ts'
import {
  beginSignup,
  deleteKeys,
  effects,
  owner,
  solution,
  startWorld,
  type World,
} from './world.ts'

let world: World
let dir: string
let kept: Kept
beforeEach(async () => {
  world = await startWorld()
  dir = await mkdtemp(join(tmpdir(), 'authmd-langchain-'))
})
afterEach(async () => {
  await kept.close()
  await world.close()
  await rm(dir, { recursive: true, force: true })
})

const fault = await postgresFault()
if (fault !== undefined) {
  const line = `PostgreSQL is not tested with: ${fault}`
  if (process.env.CI === 'true') throw new Error(line)
  console.warn(line)
}

const find = (text: string, pattern: RegExp) =>
  pattern.exec(text)?.[0] ?? `no ${pattern} in ${text}`

/** What a model does that reads the tools' texts and nothing else. */
function wholeFlow({ service }: World): Script {
  let credential = ''
  const revoke = (): Move => ({ name: 'auth_revoke', args: { credential } })
  const use = { service, method: 'GET', path: '/v2/available_phone_numbers' }
  return [
    { name: 'auth_discover', args: { service } },
    { name: 'auth_register', args: { service } },
    (text) => solution(world, text),
    (text) => ({ name: 'auth_claim', args: { registration: find(text, /reg_[\w-]+/) } }),
    (text) => {
      credential = find(text, /cred_[\w-]+/)
      return { name: 'auth_use', args: use }
    },
    revoke,
    revoke,
  ]
}

describe.each(kinds)('checkpoints in %s', (kind) => {
  test.skipIf(kind === 'postgres' && fault !== undefined).each(modes)(
    'discover, register, claim, use and revoke with two approvals; no secret is seen: %s',
    async (mode) => {
      kept = await keep(kind, dir)
      const script = wholeFlow(world)
      const turns: Turn[] = []
      const go = async (input: Parameters<typeof turn>[3], rest: Script) => {
        const authmd = agentAuth(world.auth, { owner, approver: 'kim@acme.example' })
        const setup = { authmd, checkpointer: kept.open() }
        const done = await turn(mode, setup, 't', input, rest)
        turns.push(done)
        return done
      }
      const { resume } = agentAuth(world.auth, { owner })

      const first = await go(said('get me a phone number'), script.slice(0, 3))
      expect(first.asked).toEqual([expect.stringContaining('agents@operator.test')])
      expect(effects(world)).toEqual([])

      const second = await go(await resume(first.result, () => true), script.slice(3, 6))
      expect(second.asked).toEqual([expect.stringContaining('Revoke the credential cred_')])
      expect(second.told.some((text) => text.startsWith('answered'))).toBe(true)

      const third = await go(await resume(second.result, () => true), [{ say: 'Delete the key.' }])
      expect(third.told.join()).toContain(world.sandbox.urls.portal)
      await deleteKeys(world)
      const last = await go(said('deleted'), script.slice(6))
      expect(last.told.at(-1)).toMatch(/^ended.*\nrevoked: /)

      expect(turns.flatMap((one) => one.asked)).toHaveLength(2)
      const secrets = world.sandbox.ledger.map((entry) => entry.value)
      expect(secrets.length).toBeGreaterThan(2)
      const stored = await kept.bytes()
      // What is looked through does hold what was said.
      expect(stored).toContain('agents@operator.test')
      const seen = [...turns.map((one) => one.seen), stored].join('\n')
      expect(secrets.filter((secret) => seen.includes(secret))).toEqual([])
    },
  )
})

test.each([
  ['of one chat', 'kim@acme.example'],
  ['of an owner', ({ user }: Owner) => `${user}@acme.example`],
])('the person %s who decided is on record, with what they said', async (_, approver) => {
  kept = await keep('memory', dir)
  const authmd = agentAuth(world.auth, { owner, approver })
  const setup = { authmd, checkpointer: kept.open() }
  const signup = await beginSignup(world)
  const action = await world.session.preview('register', signup.args)
  const asked = await turn('invoke', setup, 't', said('x'), [signup])
  const reason = 'not with this address'
  const answer = await authmd.resume(asked.result, () => ({ approved: false, reason }))
  await turn('invoke', setup, 't', answer)
  if (action === undefined) throw new Error('nothing was asked')
  expect(await world.session.look(action, { channel: 'langchain', thread: 't' })).toMatchObject({
    kind: 'denied',
    consent: {
      decision: { approved: false, approver: 'kim@acme.example', channel: 'langchain', reason },
    },
  })
})

test('a stream tells how the tools go on', async () => {
  kept = await keep('memory', dir)
  const setup = { authmd: agentAuth(world.auth, { owner }), checkpointer: kept.open() }
  const { service } = world
  const call = { name: 'auth_register', args: { service } }
  const { seen } = await turn('stream', setup, 't', said('x'), [call])
  const [chunks] = JSON.parse(seen) as [[string, Record<string, unknown>][]]
  const progress = chunks.flatMap(([kind, part]) => (kind === 'custom' ? [part] : []))
  const about = { authmd: 1, tool: 'auth_register', callId: expect.stringMatching(/^call-/) }
  const registration = expect.stringMatching(/^reg_/)
  expect(progress).toEqual([
    { ...about, status: 'running' },
    { ...about, status: 'needs_answer', registration },
  ])
})
