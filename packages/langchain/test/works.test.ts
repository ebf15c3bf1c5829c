import { Command, MemorySaver } from '@langchain/langgraph'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { answer, modes, type Setup, said, turn } from './chat.ts'
import { importKey, message, owner, sent, startWorld, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const hello = said('get me a phone number')

function setupFor(more: Partial<Setup> = {}): Setup {
  return { authmd: agentAuth(world.auth, { owner }), checkpointer: new MemorySaver(), ...more }
}

describe.each(modes)('what has to keep working: %s', (mode) => {
  test('one is approved, the other not', async () => {
    await importKey(world)
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
    await importKey(world)
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
    await importKey(world)
    const setup = setupFor()
    const two = [message(world, 'twice'), message(world, 'twice')]
    const asked = await turn(mode, setup, 't', hello, [two])
    expect(asked.asked).toHaveLength(1)
    await turn(mode, setup, 't', await answer(setup, asked, true))
    expect(sent(world)).toBe(1)
  })

  test('the same once more later is another question', async () => {
    await importKey(world)
    const setup = setupFor()
    for (const times of [1, 2]) {
      const asked = await turn(mode, setup, 't', hello, [message(world, 'again')])
      expect(asked.asked).toHaveLength(1)
      const { told } = await turn(mode, setup, 't', await answer(setup, asked, true))
      expect(told).toEqual([expect.stringContaining('answered')])
      expect(sent(world)).toBe(times)
    }
  })
})
