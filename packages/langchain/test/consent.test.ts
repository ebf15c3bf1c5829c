import { Command, MemorySaver } from '@langchain/langgraph'
import { AIMessage, humanInTheLoopMiddleware } from 'langchain'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { agentOf, answer, modes, type Setup, said, scriptedModel, turn } from './chat.ts'
import {
  beginSignup,
  effects,
  eve,
  message,
  obtain,
  owner,
  sent,
  startWorld,
  type ToolCall,
  type World,
} from './world.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const hello = said('get me a phone number')

function setupFor(more: Partial<Setup> = {}): Setup {
  return { authmd: agentAuth(world.auth, { owner }), checkpointer: new MemorySaver(), ...more }
}

const yes = { type: 'approve' }
const edit = { type: 'edit', editedAction: { name: 'auth_discover', args: {} } }

/** The checkpoint at which a thread stands now. */
async function checkpoint(setup: Setup, thread: string) {
  const agent = agentOf(setup, scriptedModel([]))
  const { config } = await agent.getState({ configurable: { thread_id: thread } })
  return { ...config.configurable }
}

async function consentId({ name, args }: ToolCall): Promise<string> {
  const verb = name === 'auth_use' ? 'use' : 'register'
  const action = await world.session.preview(verb, args)
  return `cns_${action?.digest.slice(0, 16)}_0`
}

const named = (id: string) => ({
  decisions: [{ type: 'approve' }],
  authmd: { version: 1, consents: [id] },
})

describe.each(modes)('nothing is done without a consent: %s', (mode) => {
  test('a made-up answer where nothing was asked', async () => {
    const setup = setupFor()
    const signup = await beginSignup(world)
    await turn(mode, setup, 't', hello)
    const resume = named(await consentId(signup))
    await turn(mode, setup, 't', new Command({ resume, update: hello }), [signup])
    expect(effects(world)).toEqual([])
    const { asked } = await turn(mode, setup, 't2', hello, [signup])
    expect(asked).toHaveLength(1)
    expect(effects(world)).toEqual([])
  })

  test('a made-up answer that comes before its question, at a checkpoint between the two', async () => {
    const setup = setupFor()
    const signup = await beginSignup(world)
    const agent = agentOf(setup, scriptedModel([]))
    const call = { ...signup, id: 'made-up', type: 'tool_call' as const }
    const update = { messages: [new AIMessage({ content: '', tool_calls: [call] })] }
    const config = { configurable: { thread_id: 't' } }
    await agent.graph.updateState(config, update, 'model_request')
    const resume = named(await consentId(signup))
    const { told } = await turn(mode, setup, 't', new Command({ resume }))
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(effects(world)).toEqual([])
  })

  test('a state in which our question seems to have been passed already', async () => {
    const setup = setupFor()
    const signup = await beginSignup(world)
    const agent = agentOf(setup, scriptedModel([]))
    const call = { ...signup, id: 'made-up', type: 'tool_call' as const }
    const update = { messages: [new AIMessage({ content: '', tool_calls: [call] })] }
    await agent.graph.updateState(
      { configurable: { thread_id: 't' } },
      update,
      'authmd.after_model',
    )
    const { told } = await turn(mode, setup, 't', null)
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(effects(world)).toEqual([])
  })

  test('an answer used again, for the next question', async () => {
    await obtain(world)
    const setup = setupFor()
    const first = await turn(mode, setup, 't', hello, [message(world, 'one')])
    const [pause] = first.result.__interrupt__
    const yes = await answer(setup, first, true)
    const second = await turn(mode, setup, 't', yes, [message(world, 'two')])
    expect(second.asked).toHaveLength(1)
    expect(sent(world)).toBe(1)
    const value = (yes.resume as Record<string, unknown>)[pause?.id ?? '']
    const third = await turn(mode, setup, 't', new Command({ resume: value }))
    expect(third.told).toEqual([expect.stringContaining('needs_consent')])
    expect(sent(world)).toBe(1)
  })

  test('a checkpoint run again with its answer', async () => {
    await obtain(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [message(world, 'once')])
    const at = await checkpoint(setup, 't')
    const yes = await answer(setup, asked, true)
    await turn(mode, setup, 't', yes)
    const again = await turn(mode, setup, at, yes)
    const value = Object.values(yes.resume as object)[0]
    const plain = await turn(mode, setup, at, new Command({ resume: value }))
    expect([...again.asked, ...plain.asked]).toEqual([])
    expect(plain.told.at(-1)).toContain('answered')
    expect(sent(world)).toBe(1)
  })

  test('arguments altered between the question and the answer', async () => {
    await obtain(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [message(world, 'harmless')])
    const last = asked.messages.at(-1) as AIMessage
    const { args } = message(world, 'harmful')
    const altered = new AIMessage({
      id: last.id ?? '',
      content: '',
      tool_calls: last.tool_calls?.map((call) => ({ ...call, args })) ?? [],
    })
    const agent = agentOf(setup, scriptedModel([]))
    const config = { configurable: { thread_id: 't' } }
    await agent.graph.updateState(config, { messages: [altered] }, 'model_request')
    const yes = await answer(setup, asked, true)
    const value = Object.values(yes.resume as object)[0]
    await turn(mode, setup, 't', new Command({ resume: value }))
    await turn(mode, setup, 't', yes).catch(() => undefined)
    expect(sent(world)).toBe(0)
  })

  test('resumed for another owner', async () => {
    const signup = await beginSignup(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [signup])
    const other = { ...setup, authmd: agentAuth(world.auth, { owner: eve }) }
    const { told } = await turn(mode, other, 't', await answer(setup, asked, true))
    expect(told).toEqual([expect.stringContaining('error not_found')])
    expect(effects(world)).toEqual([])
  })

  test('an answer of one thread in another', async () => {
    await obtain(world)
    const setup = setupFor()
    const here = await turn(mode, setup, 'here', hello, [message(world, 'one')])
    const there = await turn(mode, setup, 'there', hello, [message(world, 'two')])
    const value = Object.values((await answer(setup, here, true)).resume as object)[0]
    const { told } = await turn(mode, setup, 'there', new Command({ resume: value }))
    expect(there.asked).toHaveLength(1)
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(sent(world)).toBe(0)
  })

  test('the same call in a thread where nobody was asked', async () => {
    await obtain(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 'here', hello, [message(world, 'one')])
    await world.session.decide(asked.consents[0] ?? '', {
      approved: true,
      approver: 'kim',
      channel: 'langchain',
    })
    const { told } = await turn(mode, { ...setup, middleware: [] }, 'there', hello, [
      message(world, 'one'),
    ])
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(sent(world)).toBe(0)
  })

  test('an answer that came too late', async () => {
    await obtain(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [message(world, 'late')])
    world.sandbox.clock.advance(16 * 60_000)
    const late = await turn(mode, setup, 't', await answer(setup, asked, true), [
      message(world, 'late'),
    ])
    expect(late.told).toEqual([expect.stringContaining('needs_consent')])
    expect(late.asked).toHaveLength(1)
    expect(sent(world)).toBe(0)
    await turn(mode, setup, 't', await answer(setup, late, true))
    expect(sent(world)).toBe(1)
  })

  test('a no, and the model asks again twenty times', async () => {
    const signup = await beginSignup(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [signup])
    const script = Array.from({ length: 20 }, () => signup)
    const again = await turn(mode, setup, 't', await answer(setup, asked, false), script)
    expect(again.asked).toEqual([])
    expect(again.told).toHaveLength(21)
    expect(again.told.every((text) => text.includes('consent_denied'))).toBe(true)
    const elsewhere = await turn(mode, setup, 't2', hello, [signup])
    expect(elsewhere.asked).toEqual([])
    expect(effects(world)).toEqual([])
  })

  test.each(['sync', 'exit'] as const)(
    'a no, then a yes at the checkpoint of the question: %s',
    async (durability) => {
      const signup = await beginSignup(world)
      const setup = setupFor()
      const agent = agentOf(setup, scriptedModel([signup]))
      const config = { configurable: { thread_id: 't' }, context: {}, durability }
      await agent.invoke(hello, config)
      const { config: at, tasks } = await agent.getState(config)
      const asked = { __interrupt__: tasks.flatMap(({ interrupts }) => interrupts) }
      const yes = await setup.authmd.resume(asked, () => true)
      await agent.invoke(await setup.authmd.resume(asked, () => false), config)
      const value = Object.values(yes.resume as object)[0]
      for (const input of [yes, new Command({ resume: value }), null]) {
        const fork = await turn(mode, setup, { ...at.configurable }, input)
        expect(fork.asked).toEqual([])
        expect(fork.told.at(-1)).toContain('consent_denied')
      }
      expect(effects(world)).toEqual([])
    },
  )

  test.each([
    ['false', () => false],
    ['true', () => true],
    ['an empty string', () => ''],
    ['nothing in it', () => ({})],
    ['no decisions', (consents) => ({ decisions: [], authmd: { version: 1, consents } })],
    ['decisions without ids', () => ({ decisions: [yes, yes] })],
    ['one for two', (consents) => ({ decisions: [yes], authmd: { version: 1, consents } })],
    [
      'three for two',
      (consents) => ({ decisions: [yes, yes, yes], authmd: { version: 1, consents } }),
    ],
    [
      'another version',
      (consents) => ({ decisions: [yes, yes], authmd: { version: 2, consents } }),
    ],
    [
      'ids that are none',
      () => ({ decisions: [yes, yes], authmd: { version: 1, consents: [null, true] } }),
    ],
    [
      'ids of others',
      () => ({ decisions: [yes, yes], authmd: { version: 1, consents: ['x', 'cns_0'] } }),
    ],
    [
      'edits',
      (consents) => ({
        decisions: [edit, edit],
        authmd: { version: 1, consents },
      }),
    ],
    [
      'both at once',
      (consents) => ({
        decisions: [yes, yes, { type: 'reject' }, edit],
        authmd: { version: 1, consents: [...consents, ...consents] },
      }),
    ],
  ] satisfies [string, (consents: readonly string[]) => unknown][])(
    'an answer that is none: %s',
    async (_, make) => {
      await obtain(world)
      const setup = setupFor()
      const two = [message(world, 'one'), message(world, 'two')]
      const asked = await turn(mode, setup, 't', hello, [two])
      expect(asked.asked).toHaveLength(2)
      const resume = make(asked.consents)
      const { told } = await turn(mode, setup, 't', new Command({ resume }))
      expect(told).toHaveLength(2)
      expect(told.join()).not.toContain('answered')
      expect(sent(world)).toBe(0)
    },
  )

  test('switched off from the context', async () => {
    const signup = await beginSignup(world)
    const context = { interruptOn: {}, owner, authmd: false, unnamedDecisions: true }
    const setup = setupFor({ context })
    const { asked } = await turn(mode, setup, 't', hello, [signup])
    expect(asked).toHaveLength(1)
    await turn(mode, setup, 't', new Command({ resume: { decisions: [{ type: 'approve' }] } }))
    expect(effects(world)).toEqual([])
  })

  test('without our middleware', async () => {
    const signup = await beginSignup(world)
    const hitl = humanInTheLoopMiddleware({ interruptOn: { auth_register: true } })
    const setup = setupFor({ middleware: [hitl] })
    const asked = await turn(mode, setup, 't', hello, [signup])
    expect(asked.asked).toHaveLength(1)
    const resume = { decisions: [{ type: 'approve' }] }
    const { told } = await turn(mode, setup, 't', new Command({ resume }))
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(effects(world)).toEqual([])
  })
})
