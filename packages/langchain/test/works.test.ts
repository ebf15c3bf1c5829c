import { Command, MemorySaver } from '@langchain/langgraph'
import { toolErrorMiddleware, toolRetryMiddleware } from 'langchain'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answer, modes, type Setup, said, turn } from './chat.ts'
import {
  beginSignup,
  effects,
  message,
  obtain,
  owner,
  sent,
  solution,
  startWorld,
  type World,
} from './world.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const signedUp = ['bot_signup']
const hello = said('get me a phone number')

function setupFor(more: Partial<Setup> = {}): Setup {
  return { authmd: agentAuth(world.auth, { owner }), checkpointer: new MemorySaver(), ...more }
}

describe.each(modes)('what has to keep working: %s', (mode) => {
  test('one is approved, the other not', async () => {
    await obtain(world)
    const setup = setupFor()
    const two = [message(world, 'one'), message(world, 'two')]
    const asked = await turn(mode, setup, 't', hello, [two])
    expect(asked.result.__interrupt__).toHaveLength(1)
    const { told } = await turn(mode, setup, 't', await answer(setup, asked, false, true))
    expect(told).toEqual([
      expect.stringContaining('consent_denied'),
      expect.stringContaining('answered'),
    ])
    expect(sent(world)).toBe(1)
  })

  test('decisions are found by their ids, in whatever order', async () => {
    await obtain(world)
    const setup = setupFor()
    const two = [message(world, 'one'), message(world, 'two')]
    const asked = await turn(mode, setup, 't', hello, [two])
    const resume = {
      decisions: [{ type: 'reject' }, { type: 'approve' }],
      authmd: { version: 1, consents: asked.consents.toReversed() },
    }
    const { told } = await turn(mode, setup, 't', new Command({ resume }))
    expect(told).toEqual([
      expect.stringContaining('answered'),
      expect.stringContaining('consent_denied'),
    ])
    expect(sent(world)).toBe(1)
  })

  test('two identical calls at once are one question and have one effect', async () => {
    await obtain(world)
    const setup = setupFor()
    const two = [message(world, 'twice'), message(world, 'twice')]
    const asked = await turn(mode, setup, 't', hello, [two])
    expect(asked.asked).toHaveLength(1)
    await turn(mode, setup, 't', await answer(setup, asked, true))
    expect(sent(world)).toBe(1)
  })

  test('the same once more later is another question', async () => {
    await obtain(world)
    const setup = setupFor()
    for (const times of [1, 2]) {
      const asked = await turn(mode, setup, 't', hello, [message(world, 'again')])
      expect(asked.asked).toHaveLength(1)
      const { told } = await turn(mode, setup, 't', await answer(setup, asked, true))
      expect(told).toEqual([expect.stringContaining('answered')])
      expect(sent(world)).toBe(times)
    }
  })

  test('a wrong answer to the puzzle, then a right one, under the same consent', async () => {
    const signup = await beginSignup(world)
    const wrong = { ...signup, args: { ...signup.args, answer: '1234567' } }
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [wrong])
    const done = await turn(mode, setup, 't', await answer(setup, asked, true), [
      (text) => solution(world, text),
    ])
    expect(done.asked).toEqual([])
    expect(done.told).toEqual([
      expect.stringContaining('needs_answer'),
      expect.stringContaining('pending'),
    ])
    expect(effects(world)).toEqual(signedUp)
  })

  test.each([
    [true, 'pending'],
    [false, 'consent_denied'],
  ])('the puzzle expires while the person thinks, who then says %s', async (approved, end) => {
    const signup = await beginSignup(world)
    const setup = setupFor()
    const asked = await turn(mode, setup, 't', hello, [signup])
    world.sandbox.clock.advance(11 * 60_000)
    const done = await turn(mode, setup, 't', await answer(setup, asked, approved), [
      (text) => solution(world, text),
    ])
    expect(done.asked).toEqual([])
    expect(done.told).toEqual([
      expect.stringContaining('needs_answer'),
      expect.stringContaining(end),
    ])
    expect(effects(world)).toEqual(approved ? signedUp : [])
  })

  test('the person answers outside the chat', async () => {
    const signup = await beginSignup(world)
    const setup = setupFor({ middleware: [] })
    const first = await turn(mode, setup, 't', hello, [signup])
    expect(first.told).toEqual([expect.stringContaining('needs_consent')])
    const asked = await world.session.register(signup.args)
    const id = asked.status === 'needs_consent' ? asked.consent : ''
    await world.auth.people.answer(id, { approve: true }, { approver: 'kim' })
    const { told } = await turn(mode, setup, 't', hello, [signup])
    expect(told).toEqual([expect.stringContaining('pending')])
    expect(effects(world)).toEqual(signedUp)
  })

  /** @see langchain-ai/langchainjs#11649 */
  test('under middleware that retries tools and swallows what they throw', async () => {
    await obtain(world)
    const { authmd, checkpointer } = setupFor()
    const others = [
      toolRetryMiddleware({ maxRetries: 2 }),
      toolErrorMiddleware({ onError: () => 'x' }),
    ]
    for (const [at, middleware] of [
      [...others, authmd.middleware],
      [authmd.middleware, ...others],
    ].entries()) {
      const setup = { authmd, checkpointer, middleware }
      const call = message(world, `number ${at}`)
      const asked = await turn(mode, setup, `t${at}`, hello, [call])
      expect(asked.asked).toHaveLength(1)
      expect(sent(world)).toBe(at)
      const { told } = await turn(mode, setup, `t${at}`, await answer(setup, asked, true))
      expect(told).toEqual([expect.stringContaining('answered')])
      expect(sent(world)).toBe(at + 1)
    }
  })
})
