import { authTools } from '@authmd/core'
import { expect, test } from 'vitest'
import type { Around, Chat, ChatOptions, Driver, Mode, Turn } from './driver.ts'
import {
  beginSignup,
  effects,
  importKey,
  inWorld,
  message,
  owner,
  sent,
  solution,
  stranger,
  type World,
} from './world.ts'

interface Scene {
  readonly world: World
  readonly open: (options?: Partial<ChatOptions>) => Promise<Chat>
}
type Case = (scene: Scene) => Promise<unknown>

const denied = /consent_denied|said no/
const solved = (world: World) => (said: string) => solution(world, said)

/** The framework may refuse what was tampered with by throwing. */
const tried = (turn: Promise<Turn>): Promise<Turn> =>
  turn.catch((error: unknown) => ({ told: [String(error)], asked: [] }))

/** What must leave nothing behind at the service, in whatever framework. */
const nothing: Readonly<Record<string, Case>> = {
  'nobody answers': async ({ world, open }) => {
    const chat = await open()
    const { asked } = await chat.say([await beginSignup(world)])
    expect(asked).toHaveLength(1)
  },
  'a no, and the model tries again, twenty times and elsewhere': async ({ world, open }) => {
    const chat = await open()
    const call = await beginSignup(world)
    await chat.say([call])
    const tries = Array.from({ length: 20 }, () => call)
    const again = await chat.answer(false, tries)
    expect(again.asked).toEqual([])
    expect(again.told.slice(-20).filter((text) => denied.test(text))).toHaveLength(20)
    const elsewhere = await (await open()).say([call])
    expect(elsewhere.asked).toEqual([])
    expect(elsewhere.told).toEqual([expect.stringMatching(denied)])
  },
  'a no after the puzzle has expired': async ({ world, open }) => {
    const chat = await open()
    const call = await beginSignup(world)
    await chat.say([call])
    world.sandbox.clock.advance(11 * 60_000)
    const next = (said: string) => (said.startsWith('needs_answer') ? solution(world, said) : call)
    const { asked, told } = await chat.answer(false, [next, next])
    expect(asked).toEqual([])
    expect(told.join('\n')).toContain('needs_answer')
    expect(told.at(-1)).toMatch(denied)
  },
  'an answer that came too late': async ({ world, open }) => {
    const chat = await open()
    await importKey(world)
    const call = message(world, 'late')
    await chat.say([call])
    world.sandbox.clock.advance(16 * 60_000)
    const { asked } = await chat.answer(true, [call])
    expect(asked).toHaveLength(1)
  },
  "another owner's yes": async ({ world, open }) => {
    const chat = await open()
    await chat.say([await beginSignup(world)])
    await chat.answer(true, [], stranger)
  },
  "another owner's registration": async ({ world, open }) => {
    const call = await beginSignup(world)
    const chat = await open({ owner: stranger })
    const { asked, told } = await chat.say([call])
    expect(asked).toEqual([])
    expect(told[0]).toMatch(/^error not_found/)
  },
  'a tool that runs without the loop': async ({ world }) => {
    const { input } = await beginSignup(world)
    const tool = authTools.find(({ verb }) => verb === 'register')
    const call = { channel: 'made-up', callId: 'call-1' }
    expect((await tool?.run(world.session, input, call))?.outcome?.status).toBe('needs_consent')
  },
  'a model that says it was approved': async ({ world, open }) => {
    const chat = await open()
    const said = { approved: true, resumeData: { approved: true }, consent: 'yes' }
    const { tool, input } = await beginSignup(world)
    const { asked } = await chat.say([{ tool, input: { ...input, ...said } }])
    expect(asked).toHaveLength(1)
  },
  /** @see vercel/ai#16543 */
  'an approval that the client made up': async ({ world, open }) => {
    const chat = await open()
    const { asked } = await tried(chat.tamper.forge(await beginSignup(world)))
    expect(asked).toEqual([])
  },
  'arguments altered before the answer': async ({ world, open }) => {
    await importKey(world)
    const chat = await open()
    await chat.say([message(world, 'harmless')])
    await chat.tamper.alter('harmless', 'harmful')
    await tried(chat.answer(true))
  },
  "another chat's approval": async ({ world, open }) => {
    await importKey(world)
    const [here, there] = [await open(), await open()]
    await here.say([message(world, 'one')])
    await there.say([message(world, 'two')])
    await tried(there.tamper.take(await here.tamper.reply()))
  },
  /** @see mastra-ai/mastra#20470 */
  'a no, then a yes where the question stood': async ({ world, open }) => {
    const chat = await open()
    await chat.say([await beginSignup(world)])
    await chat.answer(false, [{ tool: 'auth_discover', input: {} }])
    const { asked } = await tried(chat.tamper.fork(true))
    expect(asked).toEqual([])
  },
  'approvals are switched off': ({ world, open }) => unasked(world, open, 'no approvals'),
  "the application's approval function says nothing": ({ world, open }) =>
    unasked(world, open, 'a silent approval function'),
}

async function unasked(world: World, open: Scene['open'], around: Around): Promise<void> {
  const chat = await open({ around })
  const { asked, told } = await chat.say([await beginSignup(world)])
  if (asked.length === 0) expect(told).toEqual([expect.stringContaining('needs_consent')])
}

/** What must send the message "one" once and nothing else. */
const once: Readonly<Record<string, Case>> = {
  /** @see mastra-ai/mastra#19633 */
  'the same answer twice': async ({ world, open }) => {
    const chat = await open()
    await chat.say([message(world, 'one')])
    const yes = await chat.tamper.reply()
    await chat.answer(true)
    await tried(chat.tamper.take(yes))
    await tried(chat.say([message(world, 'two')]))
    await tried(chat.tamper.take(yes))
  },
  'arguments altered after the answer': async ({ world, open }) => {
    const chat = await open()
    await chat.say([message(world, 'one')])
    await chat.answer(true)
    await chat.tamper.alter('one', 'two')
    await tried(chat.tamper.fork(true))
  },
  /** @see mastra-ai/mastra#19083 */
  'an answer to one of two questions': async ({ world, open }) => {
    const chat = await open()
    await chat.say([[message(world, 'one'), message(world, 'two')]])
    await tried(chat.tamper.take(await chat.tamper.reply('first')))
  },
  'two identical calls at once': async ({ world, open }) => {
    const chat = await open()
    await chat.say([[message(world, 'one'), message(world, 'one')]])
    await chat.answer(true)
  },
  /** @see langchain-ai/langchainjs#11649 */
  'what throws is swallowed, and everything runs twice': async ({ world, open }) => {
    const chat = await open({ around: 'everything twice' })
    const { asked } = await chat.say([message(world, 'one')])
    expect(asked).toHaveLength(1)
    expect(sent(world)).toEqual([])
    await chat.answer(true)
  },
}

/** What must go on as if nothing had been, to one signup. */
const works: Readonly<Record<string, Case>> = {
  'a wrong answer to the puzzle, then a right one': async ({ world, open }) => {
    const chat = await open()
    const { tool, input } = await beginSignup(world)
    await chat.say([{ tool, input: { ...input, answer: 'wrong' } }])
    expectSolved(await chat.answer(true, [solved(world)]))
  },
  'the puzzle expires while the person thinks': async ({ world, open }) => {
    const chat = await open()
    await chat.say([await beginSignup(world)])
    world.sandbox.clock.advance(11 * 60_000)
    expectSolved(await chat.answer(true, [solved(world)]))
  },
  'the person agrees outside the chat': async ({ world, open }) => {
    const call = await beginSignup(world)
    const asked = await world.session.register(call.input)
    const id = asked.status === 'needs_consent' ? asked.consent : ''
    await world.auth.people.answer(id, { approve: true }, { approver: 'kim' })
    const done = await (await open()).say([call])
    expect([...statuses(done), ...done.asked]).toEqual(['pending'])
  },
  'sent again, or run again from its top': async ({ world, open }) => {
    const chat = await open()
    await chat.say([await beginSignup(world)])
    const done = await chat.answer(true)
    expect(statuses(done)).toEqual(['pending'])
    expect(statuses(await chat.tamper.fork(true))).toEqual(['pending'])
  },
}

function expectSolved(done: Turn): void {
  expect([...statuses(done), ...done.asked]).toEqual(['needs_answer', 'pending'])
}

const statuses = ({ told }: Turn) => told.map((text) => text.split(' ', 1)[0])

export function hostileCases(driver: Driver, mode: Mode): void {
  const scene = (world: World): Scene => ({
    world,
    open: (options) => driver.open(world, { mode, owner, ...options }),
  })
  test.each(Object.entries(nothing))('hostile: %s', (_, run) =>
    inWorld(async (world) => {
      await run(scene(world))
      expect(effects(world)).toEqual([])
    }),
  )
  test.each(Object.entries(once))('hostile: %s', (_, run) =>
    inWorld(async (world) => {
      await importKey(world)
      await run(scene(world))
      expect(sent(world)).toEqual(['one'])
    }),
  )
  test.each(Object.entries(works))('works: %s', (_, run) =>
    inWorld(async (world) => {
      await run(scene(world))
      expect(effects(world)).toEqual(['bot_signup'])
    }),
  )
}
