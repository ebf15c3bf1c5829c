import { beginSignup, effects, owner, startWorld, type World } from '@authmd/scenarios/world'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answered, modes, turn, user } from './chat.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const eve = { tenant: 'acme', user: 'eve' }

/** @see vercel/ai#7637 */
describe.each([...modes, 'agent' as const])('owner from toolsContext: %s', (mode) => {
  const forOwner = (who: typeof owner) => {
    const { tools, toolApproval, toolsContext } = agentAuth(world.auth, { owner: 'context' })
    return { tools, toolApproval: toolApproval(), toolsContext: toolsContext(who) }
  }

  test('each call acts for the owner that it names', async () => {
    const signup = await beginSignup(world)
    const list = [{ tool: 'auth_discover', input: {} }]
    const own = await turn(mode, forOwner(owner), [user], list)
    expect(own.told).toEqual([expect.stringContaining(signup.input.registration)])
    const others = await turn(mode, forOwner(eve), [user], list)
    expect(others.told).toEqual([expect.not.stringContaining(signup.input.registration)])
  })

  test('the question of one owner is not answered for another', async () => {
    const asked = await turn(mode, forOwner(owner), [user], [await beginSignup(world)])
    expect(asked.asked).toHaveLength(1)
    const agreed = answered(asked.messages, true)
    const { told } = await turn(mode, forOwner(eve), agreed)
    expect(told).toEqual([expect.stringContaining('error not_found')])
    expect(effects(world)).toEqual([])
    await turn(mode, forOwner(owner), agreed)
    expect(effects(world)).toEqual(['bot_signup'])
  })

  /** @see mastra-ai/mastra#19873 */
  test('without an owner, or with half of one, nothing runs', async () => {
    const { tools, toolApproval } = agentAuth(world.auth, { owner: 'context' })
    const contexts = [undefined, {}, { user: 'kim' }, { tenant: ' ' }, { tenant: 'acme', user: '' }]
    for (const context of contexts) {
      for (const approvals of [toolApproval(), toolApproval(() => undefined), undefined]) {
        const setup = {
          tools,
          toolsContext: { auth_discover: context },
          ...(approvals ? { toolApproval: approvals } : {}),
        }
        const call = { tool: 'auth_discover', input: { service: world.service } }
        await expect(turn(mode, setup, [user], [call])).rejects.toThrow('validation failed')
      }
    }
    expect(world.sandbox.log).toEqual([])
  })
})

test('an owner that is none is refused before any call', () => {
  const none = { tenant: '' }
  expect(() => agentAuth(world.auth, { owner: none })).toThrow(
    expect.objectContaining({ code: 'owner_invalid' }),
  )
})
