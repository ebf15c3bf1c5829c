import {
  beginSignup,
  deleteKeys,
  effects,
  owner,
  solution,
  startWorld,
  type World,
} from '@authmd/scenarios/world'
import { afterEach, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answered, type Move, reloaded, type Script, type Turn, turn, user } from './chat.ts'

let world: World
afterEach(() => world.close())

const find = (text: string, pattern: RegExp) =>
  pattern.exec(text)?.[0] ?? `no ${pattern} in ${text}`

/** What a model does that reads the tools' texts and nothing else. */
function wholeFlow({ service }: World): Script {
  let handle = ''
  const revoke = (): Move => ({ tool: 'auth_revoke', input: { credential: handle } })
  const use = { service, method: 'GET', path: '/v2/available_phone_numbers' }
  return [
    { tool: 'auth_discover', input: { service } },
    { tool: 'auth_register', input: { service } },
    (said) => solution(world, said),
    (said) => ({ tool: 'auth_claim', input: { registration: find(said, /reg_[\w-]+/) } }),
    (said) => {
      handle = find(said, /cred_[\w-]+/)
      return { tool: 'auth_use', input: use }
    },
    revoke,
    revoke,
  ]
}

/** The scenarios go this way without the class. */
test('an agent: discover, register, claim, use and revoke with two approvals; no secret is seen', async () => {
  world = await startWorld()
  const authmd = agentAuth(world.auth, { owner, approver: 'kim@acme.example' })
  const setup = { tools: authmd.tools, toolApproval: authmd.toolApproval() }
  const script = wholeFlow(world)
  const turns: Turn[] = []
  const go = async (messages: Turn['messages'], rest: Script) => {
    const done = await turn('agent', setup, reloaded(messages), rest)
    turns.push(done)
    return done
  }

  const first = await go([user], script.slice(0, 3))
  expect(first.asked).toHaveLength(1)
  expect(first.asked[0]?.reason).toContain('agents@operator.test')
  expect(effects(world)).toEqual([])

  const second = await go(answered(first.messages, true), script.slice(3, 6))
  expect(second.asked).toHaveLength(1)
  expect(second.asked[0]?.reason).toContain('Revoke the credential cred_')
  expect(second.told.some((text) => text.startsWith('answered'))).toBe(true)

  const third = await go(answered(second.messages, true), [{ say: 'Please delete the key.' }])
  expect(third.told.join()).toContain(world.sandbox.urls.portal)
  await deleteKeys(world)
  const last = await go([...third.messages, { role: 'user', content: 'deleted' }], script.slice(6))
  expect(last.asked).toEqual([])
  expect(last.told.at(-1)).toMatch(/^ended.*\nrevoked: /)

  expect(turns.flatMap((one) => one.asked)).toHaveLength(2)
  const secrets = world.sandbox.ledger.map((entry) => entry.value)
  expect(secrets.length).toBeGreaterThan(2)
  const seen = turns.map((one) => one.seen).join('\n')
  expect(secrets.filter((secret) => seen.includes(secret))).toEqual([])
})

test('the person who approved is on record', async () => {
  world = await startWorld()
  const { session } = world
  const authmd = agentAuth(world.auth, { owner, approver: 'kim@acme.example' })
  const setup = { tools: authmd.tools, toolApproval: authmd.toolApproval() }
  const signup = await beginSignup(world)
  const action = await session.preview('register', signup.input)
  const asked = await turn('generate', setup, [user], [signup])
  await turn('generate', setup, answered(asked.messages, true))
  const callId = asked.asked[0]?.callId
  if (action === undefined || callId === undefined) throw new Error('nothing was asked')
  expect(await session.look(action, { channel: 'ai-sdk', callId })).toMatchObject({
    kind: 'done',
    consent: { decision: { approved: true, approver: 'kim@acme.example', channel: 'ai-sdk' } },
  })
})
