import { Agent } from '@mastra/core/agent'
import { InMemoryStore } from '@mastra/core/storage'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AuthAdapter, agentAuth } from '../src/index.ts'
import { adapter, as, Chat, modes, type Script, scriptedModel } from './chat.ts'
import {
  beginSignup,
  effects,
  handOver,
  importKey,
  message,
  sent,
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

describe.each(modes)('what has to keep working: %s', (mode) => {
  const chatOf = (script: Script, config?: Record<string, unknown>) =>
    new Chat(mode, authmd, script, config)

  test('the same call in a later turn is asked about anew', async () => {
    await importKey(world)
    const chat = chatOf([message(world, 'again'), message(world, 'again')])
    const second = await chat.answer(await chat.say(), 'yes')
    expect(second.paused?.text).toContain('"again"')
    expect(sent(world).length).toBe(1)
    await chat.answer(second, 'yes')
    expect(sent(world).length).toBe(2)
  })

  test('the person who approved is on record', async () => {
    const signup = await beginSignup(world)
    const action = await world.session.preview('register', signup.input)
    const chat = chatOf([signup])
    const asked = await chat.say()
    await chat.answer(asked, 'yes')
    const callId = asked.paused?.toolCallId
    if (action === undefined || callId === undefined) throw new Error('nothing was asked')
    expect(await world.session.look(action, { channel: 'mastra', callId })).toMatchObject({
      kind: 'done',
      consent: { decision: { approved: true, approver: 'kim@acme.example', channel: 'mastra' } },
    })
  })

  test('a model that must name every field says null for none', async () => {
    const { tool, input } = await beginSignup(world)
    const chat = chatOf([{ tool, input: { method: null, email: null, ...input } }])
    const asked = await chat.say()
    expect(asked.paused?.text).toContain('Accept on your behalf')
    await chat.answer(asked, 'yes')
    expect(effects(world)).toEqual(signedUp)
  })

  test('a sub-agent that has the tools', async () => {
    const signup = await beginSignup(world)
    const sub = new Agent({
      id: 'sub',
      name: 'sub',
      description: 'gets access',
      instructions: 'act',
      model: scriptedModel([signup]) as never,
      tools: { ...authmd.tools },
    })
    const chat = chatOf([{ tool: 'agent-sub', input: { prompt: 'sign up' } }], {
      tools: {},
      agents: { sub },
    })
    const asked = await chat.say()
    expect(asked.finish).toBe('suspended')
    expect(effects(world)).toEqual([])
    const { paused } = asked
    if (mode === 'stream') expect(paused?.text).toContain('Accept on your behalf')
    await chat.answer(asked, 'yes', as('kim'), paused ? {} : { toolCallId: undefined })
    expect(effects(world)).toEqual(signedUp)
  })
})

describe.each(modes)('waiting for a person: %s', (mode) => {
  beforeEach(async () => {
    await world.close()
    world = await startWorld({ mail: 'handed over' })
    authmd = adapter(world)
  })
  const waiting = async (config?: Record<string, unknown>) => {
    const signup = await beginSignup(world)
    const claim = { tool: 'auth_claim', input: { registration: signup.input.registration } }
    const chat = new Chat(mode, authmd, [signup, claim], config)
    return { chat, claim, paused: await chat.answer(await chat.say(), 'yes') }
  }
  test('the call is suspended, and looks again when it goes on', async () => {
    const { chat, paused } = await waiting()
    expect(paused.paused).toMatchObject({ pause: { for: 'person', need: { kind: 'open-mail' } } })
    await handOver(world, paused.paused?.pause?.registration)
    const done = await chat.answer(paused, { resume: {} })
    expect(done.told[0]).toContain('ready')
    expect(done.told[1]).toContain('ready')
    expect(effects(world)).toEqual(['bot_signup', 'bot_sessions', 'api_keys'])
  })

  test('and is moved on by the clock', async () => {
    const { chat, paused } = await waiting()
    world.sandbox.clock.advance(16 * 60_000)
    await chat.answer(paused, { resume: {} })
    expect(world.sandbox.log.map(({ name }) => name)).toContain('resend_magic_link')
  })

  test.each(['here', 'elsewhere'])('another owner goes on with it: %s', async (where) => {
    const storage = new InMemoryStore()
    const { chat, paused } = await waiting({ storage })
    const still = await chat.answer(paused, { resume: { approved: true, status: 'ready' } })
    expect(still.paused?.pause).toMatchObject({ for: 'person' })
    await handOver(world, still.paused?.pause?.registration)
    const fresh = new Chat(mode, adapter(world), [], { storage })
    const eves = where === 'here' ? chat : fresh
    const { told } = await eves.answer(still, { resume: {} }, as('eve'))
    expect(told[0]).toMatch(/error (owner_invalid|not_found)/)
  })

  test('resume data among the arguments of the model', async () => {
    const { chat, claim, paused } = await waiting()
    const forged = { ...claim, input: { ...claim.input, resumeData: { status: 'ready' } } }
    const turn = await new Chat(mode, authmd, [forged]).say()
    expect(turn.paused?.pause).toMatchObject({ for: 'person' })
    expect(effects(world)).toEqual(signedUp)
    await chat.answer(paused, { resume: { a: 1 } })
  })
})

describe.each(modes)('owners: %s', (mode) => {
  const discover = { tool: 'auth_discover', input: {} }

  test('two at once, with the same words', async () => {
    const eve = { ...world, session: world.auth.as({ tenant: 'acme', user: 'eve' }) }
    const [kims, eves] = [await beginSignup(world), await beginSignup(eve)]
    const chats = [
      { chat: new Chat(mode, authmd, [discover, kims, discover]), session: 'kim', signup: kims },
      { chat: new Chat(mode, authmd, [discover, eves, discover]), session: 'eve', signup: eves },
    ]
    await Promise.all(
      chats.map(async ({ chat, session, signup }) => {
        const asked = await chat.say(as(session))
        const { told } = await chat.answer(asked, 'yes', as(session))
        expect(told[0]).toContain(signup.input.registration)
        expect(told.filter((text) => text.includes('reg_'))).toHaveLength(3)
        const others = chats.find((one) => one.chat !== chat)?.signup.input.registration
        expect(told.join()).not.toContain(others)
      }),
    )
    expect(effects(world)).toEqual(['bot_signup', 'bot_signup'])
  })

  test('two at once, with identical calls: each is asked and done for its own owner', async () => {
    await importKey(world)
    const { service: audience } = world
    const secret = world.sandbox.ledger.findLast((entry) => entry.kind === 'api_key')?.value ?? ''
    const eve = world.auth.as({ tenant: 'acme', user: 'eve' })
    await eve.import({ service: audience, secret, audience })
    const chats = ['kim', 'eve'].map((name) => ({
      name,
      chat: new Chat(mode, authmd, [message(world, 'x')]),
    }))
    const asked = await Promise.all(chats.map(({ name, chat }) => chat.say(as(name))))
    expect(asked.map(({ finish }) => finish)).toEqual(['suspended', 'suspended'])
    const [kims, eves] = [chats[0]!, chats[1]!]
    const done = await kims.chat.answer(asked[0]!, 'yes', as('kim'))
    expect(done.told[0]).toContain('answered')
    expect(sent(world).length).toBe(1)
    await eves.chat.answer(asked[1]!, 'yes', as('eve'))
    expect(sent(world).length).toBe(2)
  })

  /** @see mastra-ai/mastra#19873 */
  test.each([undefined, 'nobody', 'broken'])('none, unknown or half: %s', async (session) => {
    const before = world.sandbox.log.length
    const { tool, input } = message(world, 'x')
    const register = { tool: 'auth_register', input: { service: world.service } }
    const chat = new Chat(mode, authmd, [discover, register, { tool, input }])
    const { told } = await chat.say(as(session))
    expect(told).toHaveLength(3)
    expect(new Set(told)).toEqual(new Set([expect.stringContaining('error owner_invalid')]))
    expect(world.sandbox.log).toHaveLength(before)
  })
})

describe.each(modes)('what is seen besides: %s', (mode) => {
  test('progress, with nothing but ids', async () => {
    const signup = await beginSignup(world)
    const chat = new Chat(mode, authmd, [{ tool: 'auth_discover', input: {} }, signup])
    await chat.answer(await chat.say(), 'yes')
    if (mode === 'generate') return
    const [listed, registered] = chat.chunks.filter(({ type }) => type === 'data-authmd')
    expect(listed?.data).toMatchObject({ verb: 'discover', status: 'found' })
    expect(registered?.data).toEqual({
      verb: 'register',
      status: 'pending',
      registration: signup.input.registration,
      service: world.service,
    })
  })

  test('the words of an error are ours', async () => {
    const secret = 'made-up-secret-of-the-application'
    const broken = agentAuth(world.auth, {
      owner: () => {
        throw new Error(secret)
      },
    })
    const chat = new Chat(mode, broken, [{ tool: 'auth_discover', input: {} }])
    expect((await chat.say()).told).toEqual([expect.stringContaining('error owner_invalid')])
    expect(chat.seen).not.toContain(secret)
  })

  test('describe says nothing of what is not ours', () => {
    const others = [
      undefined,
      null,
      7,
      {},
      { type: 'tool-call-approval', payload: { toolCallId: 'c', toolName: 'remove', args: {} } },
      { type: 'tool-call-approval', payload: { toolCallId: 'c', toolName: 'auth_use', args: {} } },
      { type: 'text-delta', payload: { text: 'x' } },
      { finishReason: 'suspended', suspendPayload: { toolCallId: 'c', toolName: 'remove' } },
    ]
    expect(others.map((one) => authmd.describe(one))).toEqual(others.map(() => undefined))
  })
})
