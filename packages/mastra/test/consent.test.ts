import { authTools, ToolBook } from '@authmd/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Gate } from '../src/approval.ts'
import type { AuthAdapter } from '../src/index.ts'
import { adapter, as, Chat, modes, type Script } from './chat.ts'
import {
  beginSignup,
  effects,
  importKey,
  message,
  sent,
  solution,
  startWorld,
  type World,
} from './world.ts'

let world: World
let authmd: AuthAdapter
beforeEach(async () => {
  world = await startWorld()
  authmd = adapter(world)
})
afterEach(() => world.close())

const signedUp = ['bot_signup']

describe.each(modes)('nothing is done without a consent: %s', (mode) => {
  const chatOf = (script: Script, config?: Record<string, unknown>) =>
    new Chat(mode, authmd, script, config)

  test('an approval that the model writes among its arguments', async () => {
    const { tool, input } = await beginSignup(world)
    const forged = { tool, input: { ...input, resumeData: { approved: true } } }
    const chat = chatOf([forged])
    expect((await chat.say()).finish).toBe('suspended')
    const open = chatOf([forged], { defaultOptions: { autoResumeSuspendedTools: true } })
    expect((await open.say()).finish).toBe('suspended')
    expect(effects(world)).toEqual([])
  })

  test('a tool that is executed without the loop', async () => {
    const { input } = await beginSignup(world)
    const chat = chatOf([{ tool: 'auth_register', input }])
    const asked = await chat.say()
    const { execute } = authmd.tools.auth_register
    const { toolCallId } = asked.paused!
    const agent = { agentId: 'a', messages: [], suspend: async () => {} }
    const contexts = [
      {},
      { agent: { ...agent, toolCallId: 'made-up' } },
      { agent: { ...agent, toolCallId } },
      { agent: { ...agent, toolCallId, resumeData: { approved: true } } },
      { toolCallId, messages: [], resumeData: { approved: true } },
      { workflow: { runId: asked.runId, workflowId: 'w', resumeData: { approved: true } } },
    ]
    for (const context of contexts) {
      const all = { requestContext: as('kim'), ...context } as never
      expect(await execute?.(input, all)).toMatchObject({
        text: expect.stringContaining('needs_consent'),
      })
    }
    expect(effects(world)).toEqual([])
    await chat.answer(asked, 'yes')
    expect(effects(world)).toEqual(signedUp)
  })

  test('one answer for two pauses, whether or not it names its call', async () => {
    await importKey(world)
    for (const toolCallId of [undefined, 'named']) {
      const before = sent(world).length
      const chat = chatOf([[message(world, 'one'), message(world, 'two')]])
      const asked = await chat.say()
      const more = toolCallId ? {} : { toolCallId: undefined }
      const next = await chat.answer(asked, 'yes', as('kim'), more)
      expect(sent(world).length).toBe(before + 1)
      expect(next.paused?.text).toContain('"two"')
      await chat.answer(next, 'no')
      expect(sent(world).length).toBe(before + 1)
      world.sandbox.clock.advance(11 * 60_000)
    }
  })

  test('approval is switched off by a default option', async () => {
    const defaultOptions = { requireToolApproval: false }
    const chat = chatOf([await beginSignup(world)], { defaultOptions })
    const asked = await chat.say()
    expect(asked.paused?.text).toContain('Accept on your behalf')
    expect(effects(world)).toEqual([])
    await chat.answer(asked, 'yes')
    expect(effects(world)).toEqual(signedUp)
  })

  test.each([
    { how: 'false', value: false },
    { how: 'a function that says no', value: () => false },
    { how: 'a yes of its own', value: true },
  ])('the tool is given another requireApproval: $how', async ({ value }) => {
    const signup = await beginSignup(world)
    Object.assign(authmd.tools.auth_register, { requireApproval: value })
    const chat = chatOf([signup])
    const turn = await chat.say()
    const { told } = value === true ? await chat.answer(turn, 'yes') : turn
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(chat.read).not.toContain('cns_')
    expect(effects(world)).toEqual([])
  })

  test('the application shows another question than ours', async () => {
    const signup = await beginSignup(world)
    const transform = { transformToolPayload: () => ({ text: 'Say hello?' }) }
    const chat = chatOf([signup], { transform })
    const asked = await chat.say()
    const { told } = await chat.answer(asked, 'yes')
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(effects(world)).toEqual([])
  })

  test('a resume that answers nothing asks again', async () => {
    const chat = chatOf([await beginSignup(world)])
    const asked = await chat.say()
    const again = await chat.answer(asked, { resume: { hello: true } })
    expect(again).toMatchObject({ finish: 'suspended', paused: { text: asked.paused?.text } })
    expect(effects(world)).toEqual([])
    await chat.answer(again, 'yes')
    expect(effects(world)).toEqual(signedUp)
  })

  test('an open question, by an equal call with the same id that nobody was asked about', async () => {
    const signup = { ...(await beginSignup(world)), id: 'auth_register:0' }
    await chatOf([signup]).say()
    world.sandbox.clock.advance(11 * 60_000)
    const chat = chatOf([signup, (said) => ({ ...solution(world, said), id: 'auth_register:1' })])
    const turn = await chat.say()
    expect(turn.told).toEqual([expect.stringContaining('needs_answer')])
    expect(turn.finish).toBe('suspended')
    expect(effects(world)).toEqual([])
  })

  test('what was done before, by an equal call with the same id in another chat', async () => {
    await importKey(world)
    const twice = ['0', '1'].map((at) => ({ ...message(world, 'hello'), id: `auth_use:${at}` }))
    for (const times of [2, 4]) {
      const chat = chatOf(twice)
      const second = await chat.answer(await chat.say(), 'yes')
      await chat.answer(second, 'yes')
      expect(sent(world).length).toBe(times)
    }
  })
})

/** In another process a call that goes on cannot be told by what was announced. */
test('going on elsewhere with a call that was paused for something else, or never', async () => {
  const { session } = world
  const { input } = await beginSignup(world)
  const call = { toolCallId: 'auth_register:0', input }
  const register = authTools.find(({ verb }) => verb === 'register')!
  const asking = new Gate(new ToolBook(world.auth), async () => session, undefined)
  asking.announced(register, call)
  asking.entered(register, call)
  expect(await asking.asks(register, input, {})).toBe(true)
  const question = { ...call, suspendPayload: undefined }
  expect(await asking.shown(register, question)).toContain('Accept on your behalf')

  const resume = async (toolCallId: string, suspended: boolean) => {
    const gate = new Gate(new ToolBook(world.auth), async () => session, undefined)
    gate.entered(register, { toolCallId, input })
    expect(await gate.asks(register, input, {})).toBe(true)
    const known = await gate.executed(register, { toolCallId, input }, session, suspended)
    return (await session.register(input, known)).status
  }
  expect(await resume('auth_register:1', false)).toBe('needs_consent')
  expect(await resume('auth_register:0', true)).toBe('needs_consent')
  expect(effects(world)).toEqual([])
  expect(await resume('auth_register:0', false)).toBe('pending')
  expect(effects(world)).toEqual(signedUp)
})

test('a call goes on with its own registration alone', async () => {
  const { input } = await beginSignup(world)
  const context = {
    requestContext: as('kim'),
    agent: {
      toolCallId: 'call',
      messages: [],
      resumeData: {},
      suspendPayload: {
        authmd: 1,
        for: 'person',
        registration: 'reg_another',
        text: 'wait',
        verb: 'claim',
        input: { registration: 'reg_another' },
      },
    },
  }
  const said = await authmd.tools.auth_register.execute?.(input, context as never)
  expect(said).toMatchObject({ text: expect.stringContaining(input.registration) })
})
