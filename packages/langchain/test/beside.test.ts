import { tool } from '@langchain/core/tools'
import {
  Annotation,
  Command,
  END,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { AIMessage, humanInTheLoopMiddleware } from 'langchain'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type AuthAdapter, agentAuth } from '../src/index.ts'
import { agentOf, modes, type Script, type Setup, said, scriptedModel, turn } from './chat.ts'
import {
  beginSignup,
  effects,
  importKey,
  message,
  owner,
  sent,
  startWorld,
  type World,
} from './world.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const hello = said('get me a phone number')
const yes = { type: 'approve' }
const no = { type: 'reject' }

const setupFor = (unnamedDecisions = false): Setup => ({
  authmd: agentAuth(world.auth, { owner, unnamedDecisions }),
  checkpointer: new MemorySaver(),
})

describe.each(modes)('review pages that know nothing of authmd: %s', (mode) => {
  test('their answers count where the application says so', async () => {
    await importKey(world)
    const setup = setupFor(true)
    const two = [message(world, 'one'), message(world, 'two')]
    const { result } = await turn(mode, setup, 't', hello, [two])
    expect(result.__interrupt__[0]?.value).toMatchObject({
      actionRequests: [{ name: 'auth_use' }, { name: 'auth_use' }],
      reviewConfigs: [{ actionName: 'auth_use', allowedDecisions: ['approve', 'reject'] }],
    })
    const { told } = await turn(mode, setup, 't', new Command({ resume: { decisions: [no, yes] } }))
    expect(told).toEqual([
      expect.stringContaining('consent_denied'),
      expect.stringContaining('answered'),
    ])
    expect(sent(world)).toBe(1)
  })

  test.each([
    ['too few', [yes]],
    ['too many', [yes, yes, yes]],
    ['none', []],
    ['edits', [{ type: 'edit' }, { type: 'edit' }]],
    ['something else', [true, 'approve']],
  ])('but not %s', async (_, decisions) => {
    await importKey(world)
    const setup = setupFor(true)
    const two = [message(world, 'one'), message(world, 'two')]
    await turn(mode, setup, 't', hello, [two])
    await turn(mode, setup, 't', new Command({ resume: { decisions } }))
    expect(sent(world)).toBe(0)
  })

  test('and not ids of other consents', async () => {
    await importKey(world)
    const setup = setupFor(true)
    await turn(mode, setup, 't', hello, [message(world, 'one')])
    const resume = { decisions: [yes], authmd: { version: 1, consents: ['cns_other_0'] } }
    await turn(mode, setup, 't', new Command({ resume }))
    expect(sent(world)).toBe(0)
  })

  test('and not the answer of a fork to a question that has been asked anew', async () => {
    await importKey(world)
    const setup = setupFor(true)
    const agent = agentOf(setup, scriptedModel([message(world, 'one')]))
    const config = { configurable: { thread_id: 't' }, context: {} }
    await agent.invoke(hello, config)
    const { config: at } = await agent.getState(config)
    world.sandbox.clock.advance(16 * 60_000)
    const resume = { decisions: [yes] }
    await agent.invoke(new Command({ resume }), config)
    await turn(mode, setup, { ...at.configurable }, new Command({ resume }))
    expect(sent(world)).toBe(0)
  })
})

describe.each(modes)('humanInTheLoopMiddleware beside ours: %s', (mode) => {
  const ran: string[] = []
  const remove = tool(
    ({ path }) => {
      ran.push(path)
      return 'removed'
    },
    { name: 'remove', description: 'removes a file', schema: z.object({ path: z.string() }) },
  )
  beforeEach(() => ran.splice(0))

  const both = (order: 'before' | 'after', interruptOn: Record<string, boolean>): Setup => {
    const setup = setupFor()
    const hitl = humanInTheLoopMiddleware({ interruptOn })
    const ours = setup.authmd.middleware
    return {
      ...setup,
      tools: [remove],
      middleware: order === 'before' ? [hitl, ours] : [ours, hitl],
    }
  }

  test.each(['before', 'after'] as const)(
    'each asks for its own, one after the other: %s',
    async (order) => {
      await importKey(world)
      const setup = both(order, { remove: true })
      const calls = [message(world, 'one'), { name: 'remove', args: { path: '/tmp/x' } }]
      let state = await turn(mode, setup, 't', hello, [calls])
      for (let pauses = 0; pauses < 2; pauses++) {
        expect(state.result.__interrupt__).toHaveLength(1)
        expect([sent(world), ran]).toEqual([0, []])
        const resume = { decisions: [yes] }
        const next = state.consents.length
          ? await setup.authmd.resume(state.result, () => true)
          : new Command({ resume })
        if (!state.consents.length) {
          await expect(setup.authmd.resume(state.result, () => true)).rejects.toThrow(
            'no interrupt of',
          )
        }
        state = await turn(mode, setup, 't', next)
      }
      expect([sent(world), ran]).toEqual([1, ['/tmp/x']])
    },
  )

  test('arguments that it lets a person edit are another action', async () => {
    await importKey(world)
    const setup = both('before', { auth_use: true })
    const first = await turn(mode, setup, 't', hello, [message(world, 'one')])
    expect(first.consents).toHaveLength(1)
    await turn(mode, setup, 't', await setup.authmd.resume(first.result, () => true))
    const editedAction = message(world, 'other')
    const resume = { decisions: [{ type: 'edit', editedAction }] }
    const { told } = await turn(mode, setup, 't', new Command({ resume }))
    expect(told).toEqual([expect.stringContaining('needs_consent')])
    expect(sent(world)).toBe(0)
  })

  test('its approval of our tools is none of ours', async () => {
    await importKey(world)
    const setup = both('after', { auth_use: true })
    await turn(mode, setup, 't', hello, [message(world, 'one')])
    const { consents } = await turn(mode, setup, 't', new Command({ resume: { decisions: [yes] } }))
    expect(consents).toHaveLength(1)
    expect(sent(world)).toBe(0)
  })
})

/** An agent of plain nodes. */
function graphOf(authmd: AuthAdapter, script: Script) {
  const model = scriptedModel(script)
  return new StateGraph(MessagesAnnotation)
    .addNode('model', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode('approve', authmd.approve)
    .addNode('tools', new ToolNode([...authmd.tools]))
    .addEdge(START, 'model')
    .addConditionalEdges('model', ({ messages }) => {
      const last = messages.at(-1)
      return AIMessage.isInstance(last) && last.tool_calls?.length ? 'approve' : END
    })
    .addEdge('approve', 'tools')
    .addEdge('tools', 'model')
}

describe('a plain StateGraph', () => {
  const config = { configurable: { thread_id: 't' } }

  test.each([
    [
      'our own answer',
      (id: string) => ({ decisions: [yes], authmd: { version: 1, consents: [id] } }),
      1,
    ],
    ['no id', () => ({ decisions: [yes] }), 0],
    ["another's id", () => ({ decisions: [yes], authmd: { version: 1, consents: ['x'] } }), 0],
    ['a plain true', () => true, 0],
  ])('%s', async (_, make, effect) => {
    const signup = await beginSignup(world)
    const authmd = agentAuth(world.auth, { owner, unnamedDecisions: true })
    const graph = graphOf(authmd, [signup]).compile({ checkpointer: new MemorySaver() })
    const asked = await graph.invoke(hello, config)
    const ids: string[] = []
    await authmd.resume(asked, (question) => {
      if (question.kind === 'consent') ids.push(question.id)
      return true
    })
    expect(ids).toHaveLength(1)
    expect(effects(world)).toEqual([])
    await graph.invoke(new Command({ resume: make(ids[0] ?? '') }), config)
    expect(effects(world)).toHaveLength(effect)
  })

  test('without its approve node nothing is done', async () => {
    const { name, args } = await beginSignup(world)
    const { tools } = agentAuth(world.auth, { owner })
    const call = { name, args, id: 'c', type: 'tool_call' as const }
    const state = { messages: [new AIMessage({ content: '', tool_calls: [call] })] }
    const { messages } = await new ToolNode([...tools]).invoke(state, config)
    expect(messages[0].text).toContain('needs_consent')
    expect(effects(world)).toEqual([])
  })
})

/** One resume value reaches all interrupts of a step. */
describe('two agents at once, both paused', () => {
  const config = { configurable: { thread_id: 't' } }

  async function pair(unnamedDecisions: boolean) {
    await importKey(world)
    const authmd = agentAuth(world.auth, { owner, unnamedDecisions })
    const agent = (text: string) =>
      agentOf({ authmd, checkpointer: undefined as never }, scriptedModel([message(world, text)]))
    const State = Annotation.Root({
      done: Annotation<string[]>({ reducer: (a, b) => [...a, ...b] }),
    })
    const node = (text: string) => {
      const one = agent(text)
      return async () => {
        await one.invoke(hello, { context: {} })
        return { done: [text] }
      }
    }
    const graph = new StateGraph(State)
      .addNode('one', node('one'))
      .addNode('two', node('two'))
      .addEdge(START, 'one')
      .addEdge(START, 'two')
      .compile({ checkpointer: new MemorySaver() })
    const asked = await graph.invoke({ done: [] }, config)
    return { graph, asked, authmd }
  }

  test.each([true, false])(
    'one answer for both is none; unnamed decisions: %s',
    async (unnamed) => {
      const { graph, asked } = await pair(unnamed)
      expect(asked).toMatchObject({ __interrupt__: [{}, {}] })
      await graph.invoke(new Command({ resume: { decisions: [yes] } }), config)
      expect(sent(world)).toBe(0)
    },
  )

  test('the answer to one is not the answer to the other', async () => {
    const { graph, asked, authmd } = await pair(true)
    const answers = Object.values((await authmd.resume(asked, () => true)).resume as object)
    await graph.invoke(new Command({ resume: answers[0] }), config)
    expect(sent(world)).toBe(1)
  })

  test('each is answered on its own', async () => {
    const { graph, asked, authmd } = await pair(false)
    const said = await authmd.resume(asked, (question) => {
      return question.kind === 'consent' && question.summary.includes('"one"')
    })
    await graph.invoke(said, config)
    expect(sent(world)).toBe(1)
  })
})
