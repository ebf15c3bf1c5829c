import type { Owner } from '@authmd/core'
import { MemorySaver } from '@langchain/langgraph'
import { ToolMessage } from 'langchain'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { modes, type Setup, said, turn } from './chat.ts'
import { beginSignup, effects, eve, owner, startWorld, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const hello = said('x')
const list = { name: 'auth_discover', args: {} }

describe.each(modes)('the owner of a run: %s', (mode) => {
  const forContext = (): Setup => ({
    authmd: agentAuth(world.auth, { owner: (runtime) => runtime.context.owner }),
    checkpointer: new MemorySaver(),
  })

  test('two at once, each asked and answered for themselves', async () => {
    const setup = forContext()
    const run = async (who: Owner, approved: boolean) => {
      const own = { ...setup, context: { owner: who } }
      const thread = `thread of ${who.user}`
      const signup = await beginSignup(world, world.auth.as(who))
      const asked = await turn(mode, own, thread, hello, [signup])
      return turn(mode, own, thread, await setup.authmd.resume(asked.result, () => approved))
    }
    const [kim, other] = await Promise.all([run(owner, true), run(eve, false)])
    expect(kim.told).toEqual([expect.stringContaining('pending')])
    expect(other.told).toEqual([expect.stringContaining('consent_denied')])
    expect(effects(world)).toEqual(['bot_signup'])
  })

  /** @see mastra-ai/mastra#19873 */
  test.each([
    ['no context', undefined],
    ['no owner', {}],
    ['half an owner', { owner: { user: 'kim' } }],
    ['an empty one', { owner: { tenant: ' ' } }],
    ['one with an empty part', { owner: { tenant: 'acme', user: '' } }],
    ['a name', { owner: 'acme' }],
  ])('%s: nothing runs', async (_, context) => {
    const setup = { ...forContext(), ...(context ? { context } : {}) }
    const signup = await beginSignup(world)
    const before = world.sandbox.log.length
    const calls = [[signup, { name: 'auth_discover', args: { service: world.service } }]]
    const { told, asked, messages } = await turn(mode, setup, 't', hello, calls)
    expect(asked).toEqual([])
    expect(told).toEqual([
      expect.stringContaining('error owner_invalid'),
      expect.stringContaining('error owner_invalid'),
    ])
    const last = messages.findLast((one) => ToolMessage.isInstance(one))
    expect(last?.artifact).toMatchObject({ error: { code: 'owner_invalid' } })
    expect(world.sandbox.log).toHaveLength(before)
  })

  test('resumed without the context', async () => {
    const setup = forContext()
    const signup = await beginSignup(world)
    const asked = await turn(mode, { ...setup, context: { owner } }, 't', hello, [signup])
    const yes = await setup.authmd.resume(asked.result, () => true)
    const { told } = await turn(mode, setup, 't', yes)
    expect(told).toEqual([expect.stringContaining('error owner_invalid')])
    expect(effects(world)).toEqual([])
  })

  test('found by what the server put into configurable', async () => {
    const users: Record<string, Owner> = { 'user-1': owner }
    const authmd = agentAuth(world.auth, {
      owner: async ({ configurable }) => {
        const { identity } = configurable.langgraph_auth_user as { identity: string }
        return users[identity] ?? Promise.reject(new Error(`no user ${identity}`))
      },
    })
    const setup = { authmd, checkpointer: new MemorySaver() }
    const signup = await beginSignup(world)
    const as = (identity: string, thread_id: string) => ({
      thread_id,
      langgraph_auth_user: { identity },
    })
    const none = await turn(mode, setup, as('user-2', 'a'), hello, [signup])
    expect(none.told).toEqual([expect.stringContaining('error owner_invalid')])
    expect(none.seen).not.toContain('no user user-2')
    const asked = await turn(mode, setup, as('user-1', 'b'), hello, [signup])
    const yes = await authmd.resume(asked.result, () => true)
    await turn(mode, setup, as('user-1', 'b'), yes)
    expect(effects(world)).toEqual(['bot_signup'])
  })
})

test('a fixed owner that is none is refused before any call', () => {
  expect(() => agentAuth(world.auth, { owner: { tenant: '' } })).toThrow(
    expect.objectContaining({ code: 'owner_invalid' }),
  )
})

test('a call that was aborted before it ran does not begin', async () => {
  const { tools } = agentAuth(world.auth, { owner })
  const begun: unknown[] = []
  const config = { configurable: {}, writer: (event: unknown) => begun.push(event) }
  const call = { type: 'tool_call' as const, id: 'c', ...list }
  const aborted = tools[0].invoke(call, { ...config, signal: AbortSignal.abort() })
  await expect(aborted).rejects.toThrow(/abort/i)
  expect(begun).toEqual([])
  await tools[0].invoke(call, config)
  expect(begun).toHaveLength(2)
})

test('bad input and faults reach the model in words of ours only', async () => {
  const setup = { authmd: agentAuth(world.auth, { owner }), checkpointer: new MemorySaver() }
  const bad = { name: 'auth_claim', args: { registration: 'reg_/../x' } }
  const { told } = await turn('invoke', setup, 't', hello, [bad])
  expect(told).toEqual([expect.stringMatching(/^error (invalid_input|not_found): /)])
})
