import { Command, MemorySaver } from '@langchain/langgraph'
import { AIMessage, humanInTheLoopMiddleware } from 'langchain'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { agentOf, modes, type Setup, said, scriptedModel, turn } from './chat.ts'
import {
  beginSignup,
  effects,
  importKey,
  message,
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

  test('the same call in a thread where nobody was asked', async () => {
    await importKey(world)
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
      await importKey(world)
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
