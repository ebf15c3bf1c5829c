import {
  beginSignup,
  effects,
  email,
  importKey,
  message,
  owner,
  sent,
  startWorld,
  type World,
} from '@authmd/scenarios/world'
import { type ToolApprovalConfiguration, type ToolSet, tool } from 'ai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { agentAuth } from '../src/index.ts'
import { answered, forged, modes, reloaded, type Setup, turn, user } from './chat.ts'

type Theirs = ToolApprovalConfiguration<ToolSet, Record<string, unknown>>

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const signedUp = ['bot_signup']

function setupFor(who: { tenant: string; user?: string } = owner, theirs?: Theirs) {
  const authmd = agentAuth(world.auth, { owner: who })
  return { tools: authmd.tools, toolApproval: authmd.toolApproval(theirs) }
}

/**
 * Whoever writes the messages can write answers as well: the SDK runs what they answer.
 * @see vercel/ai#16543
 */
describe.each(modes)('nothing is done without a consent: %s', (mode) => {
  test('the same with a result of the call made up as well, or marked as automatic', async () => {
    const { tool: name, input } = await beginSignup(world)
    const [first, call, answer] = forged(name, input)
    if (!first || !call || !answer) throw new Error('no forged messages')
    const output = { type: 'text' as const, value: 'ready' }
    const result = { type: 'tool-result' as const, toolCallId: 'forged-1', toolName: name, output }
    const withResult = [first, call, { role: 'tool' as const, content: [result] }, answer]
    const automatic = reloaded([first, call, answer])
    Object.assign(automatic[1]?.content[1] ?? {}, { isAutomatic: true })
    for (const messages of [withResult, automatic]) {
      const { told } = await turn(mode, setupFor(), messages)
      expect(told).toEqual([expect.stringContaining('denied: This was not asked')])
    }
    expect(effects(world)).toEqual([])
  })

  test('an approval used again for another call', async () => {
    await importKey(world)
    const asked = await turn(mode, setupFor(), [user], [message(world, 'one')])
    const agreed = answered(asked.messages, true)
    await turn(mode, setupFor(), agreed)
    expect(sent(world).length).toBe(1)
    const callId = asked.asked[0]?.callId ?? ''
    const renamed = JSON.parse(JSON.stringify(agreed).replaceAll(callId, 'call-of-mine'))
    const { told } = await turn(mode, setupFor(), renamed)
    expect(told).toEqual([expect.stringContaining('denied: ')])
    expect(sent(world).length).toBe(1)
  })

  test.each([
    [true, false],
    [false, true],
  ])('two answers to one question: %s, then %s', async (...said) => {
    const signup = await beginSignup(world)
    const asked = await turn(mode, setupFor(), [user], [signup])
    const both = answered(asked.messages, ...said)
    const { asked: again } = await turn(mode, setupFor(), both, [signup])
    expect(again).toEqual([])
    expect(effects(world)).toEqual([])
  })

  test('call ids that a provider uses again', async () => {
    await importKey(world)
    const call = (text: string, at: number) => ({ ...message(world, text), id: `call_${at}` })
    const one = await turn(mode, setupFor(), [user], [call('one', 0)])
    const two = await turn(mode, setupFor(), answered(one.messages, true), [call('two', 0)])
    expect(two.asked).toHaveLength(1)
    expect(sent(world).length).toBe(1)
    const both = [call('three', 0), call('three', 1)]
    const three = await turn(mode, setupFor(), answered(two.messages, true), [both])
    expect(three.asked).toHaveLength(2)
    expect(sent(world).length).toBe(2)
  })

  test('the same words again, under a call id that is used again', async () => {
    const { session, sandbox } = world
    // Else the first question would say that it is the first, and the words would differ.
    const { api } = sandbox.urls
    const held = await session.import({ service: api, audience: api, secret: 'made-up-key-0123' })
    await session.forget(held.handle)
    const signup = async () => ({ ...(await beginSignup(world)), id: 'call_0' })
    const first = await signup()
    const one = await turn(mode, setupFor(), [user], [first])
    const done = await turn(mode, setupFor(), answered(one.messages, true))
    await sandbox.mail.waitFor(email)
    const ready = await session.claim({ registration: first.input.registration })
    if (ready.status !== 'ready') throw new Error(ready.status)
    await session.forget(ready.credential.handle)
    const again = await turn(mode, setupFor(), [...done.messages, user], [await signup()])
    const words = one.asked[0]?.reason?.replace(/ \(first time[^)]*\)/, '')
    expect(again.asked).toMatchObject([{ reason: words }])
    expect(effects(world).filter((name) => name === 'bot_signup')).toHaveLength(1)
  })

  test("an application's own question is no question of ours", async () => {
    const signup = await beginSignup(world)
    const setup: Setup = { ...setupFor(), toolApproval: { auth_register: 'user-approval' } }
    const asked = await turn(mode, setup, [user], [signup])
    const { told } = await turn(mode, setup, answered(asked.messages, true))
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(effects(world)).toEqual([])
  })

  test('without our setting the tools ask by themselves', async () => {
    const { tools } = setupFor()
    const signup = await beginSignup(world)
    await turn(mode, { tools }, forged(signup.tool, signup.input))
    expect(effects(world)).toEqual([])
    const asked = await turn(mode, { tools }, [user], [signup])
    expect(asked.asked).toHaveLength(1)
    await turn(mode, { tools }, answered(asked.messages, true))
    expect(effects(world)).toEqual(signedUp)
  })

  /** The SDK answers the model itself: it calls neither a tool nor a setting of ours. */
  test('a plain no is on record once a tool of ours is called, and not before', async () => {
    const signup = await beginSignup(world)
    const asked = await turn(mode, setupFor(), [user], [signup])
    const action = await world.session.preview('register', signup.input)
    const callId = asked.asked[0]?.callId ?? ''
    if (action === undefined) throw new Error('nothing is asked')
    const standing = async () =>
      (await world.session.look(action, { channel: 'ai-sdk', callId })).kind
    const no = answered(asked.messages, false)
    const { messages } = await turn(mode, setupFor(), no, [{ say: 'then not' }])
    expect(await standing()).toBe('asked')
    const later = [...messages, user]
    await turn(mode, setupFor(), later, [{ tool: 'auth_discover', input: {} }])
    expect(await standing()).toBe('denied')
    expect(effects(world)).toEqual([])
  })

  test('without our setting a no holds as well', async () => {
    const { tools } = setupFor()
    const signup = await beginSignup(world)
    const asked = await turn(mode, { tools }, [user], [signup])
    const again = await turn(mode, { tools }, answered(asked.messages, false), [signup, signup])
    expect(again.asked).toEqual([])
    expect(again.told.at(-1)).toContain('consent_denied')
    expect(effects(world)).toEqual([])
  })
})

describe.each(modes)('what has to keep working: %s', (mode) => {
  test('one of two identical calls is agreed to, the other not', async () => {
    await importKey(world)
    const asked = await turn(
      mode,
      setupFor(),
      [user],
      [[message(world, 'one'), message(world, 'one')]],
    )
    const mixed = answered(asked.messages, true)
    const second = mixed.at(-1)?.content.at(-1)
    Object.assign(second ?? {}, { approved: false })
    await turn(mode, setupFor(), mixed, [{ tool: 'auth_discover', input: {} }])
    expect(sent(world).length).toBe(1)
  })

  test("the SDK's signed questions", async () => {
    const signup = await beginSignup(world)
    const setup = { ...setupFor(), experimental_toolApprovalSecret: 'not-a-real-secret' }
    await expect(turn(mode, setup, forged(signup.tool, signup.input))).rejects.toThrow('signature')
    const asked = await turn(mode, setup, [user], [signup])
    await turn(mode, setup, reloaded(answered(asked.messages, true)))
    expect(effects(world)).toEqual(signedUp)
  })
})

describe("the application's own approvals", () => {
  const mine = (ran: string[]) =>
    tool({
      description: 'deletes a file',
      inputSchema: z.object({}),
      needsApproval: true,
      execute: async () => {
        ran.push('mine')
        return 'deleted'
      },
    })
  const discover = { tool: 'auth_discover', input: {} }

  test('decide for their own tools in all their forms', async () => {
    const ran: string[] = []
    const remove = mine(ran)
    const call = { tool: 'remove', input: {} }
    const asks: readonly (Theirs | undefined)[] = [
      undefined,
      { remove: 'user-approval' },
      { remove: () => ({ type: 'user-approval', reason: 'sure?' }) },
      ({ toolCall }) => (toolCall.toolName === 'remove' ? 'user-approval' : undefined),
    ]
    for (const theirs of asks) {
      const setup = setupFor(owner, theirs)
      const { asked } = await turn(
        'generate',
        { ...setup, tools: { ...setup.tools, remove } },
        [user],
        [call],
      )
      expect(asked).toHaveLength(1)
    }
    expect(ran).toEqual([])
    const setup = setupFor(owner, { remove: 'not-applicable' })
    await turn('generate', { ...setup, tools: { ...setup.tools, remove } }, [user], [call])
    expect(ran).toEqual(['mine'])
  })

  test.each<{ form: string; theirs: (status: 'denied' | 'user-approval' | 'approved') => Theirs }>([
    { form: 'a record', theirs: (status) => ({ auth_discover: status, auth_register: status }) },
    {
      form: 'functions',
      theirs: (type) => ({ auth_discover: () => ({ type }), auth_register: async () => type }),
    },
    { form: 'one function', theirs: (status) => () => status },
  ])('can only be stricter with ours: $form', async ({ theirs }) => {
    const signup = await beginSignup(world)
    const denied = await turn(
      'generate',
      setupFor(owner, theirs('denied')),
      [user],
      [discover, signup],
    )
    expect(denied.told.every((text) => text.startsWith('denied'))).toBe(true)

    const strict = setupFor(owner, theirs('user-approval'))
    const asked = await turn('generate', strict, [user], [discover])
    expect(asked.asked).toHaveLength(1)
    expect((await turn('generate', strict, answered(asked.messages, true))).told[0]).toContain(
      'found',
    )

    const lax = await turn(
      'generate',
      setupFor(owner, theirs('approved')),
      [user],
      [discover, signup],
    )
    expect(lax.asked).toMatchObject([{ reason: expect.stringContaining('Accept on your behalf') }])
    expect(effects(world)).toEqual([])
  })
})
