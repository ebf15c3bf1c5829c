import { Command, MemorySaver } from '@langchain/langgraph'
import { ToolMessage } from 'langchain'
import { afterEach, describe, expect, test } from 'vitest'
import { type AuthQuestion, agentAuth } from '../src/index.ts'
import { modes, type Setup, said, type Turn, turn } from './chat.ts'
import {
  beginSignup,
  deleteKeys,
  effects,
  email,
  eve,
  link,
  obtain,
  owner,
  startWorld,
  type World,
} from './world.ts'

let world: World
afterEach(() => world.close())

const hello = said('get me a phone number')

async function start(waits?: 'interrupt'): Promise<Setup> {
  world = await startWorld({ identity: { email } })
  const authmd = agentAuth(world.auth, { owner, ...(waits ? { waits } : {}) })
  return { authmd, checkpointer: new MemorySaver() }
}

const toolTexts = ({ messages }: Turn) =>
  messages.filter((one) => ToolMessage.isInstance(one)).map(({ text }) => text)

describe.each(modes)('what a person has to do outside the chat: %s', (mode) => {
  test('is a result of the tool like any other, unless asked for otherwise', async () => {
    const setup = await start()
    const asked = await turn(mode, setup, 't', hello, [await beginSignup(world)])
    const done = await turn(mode, setup, 't', await setup.authmd.resume(asked.result, () => true))
    expect(done.result.__interrupt__).toEqual([])
    expect(done.told).toEqual([expect.stringContaining('needs_person')])
    const artifact = done.messages.findLast((one) => ToolMessage.isInstance(one))?.artifact
    expect(artifact).toMatchObject({
      outcome: { status: 'needs_person', need: { kind: 'open-mail' } },
    })
  })

  test('is an interrupt that carries the registration, and core looks again after it', async () => {
    const setup = await start('interrupt')
    const signup = await beginSignup(world)
    const { registration } = signup.args
    const asked = await turn(mode, setup, 't', hello, [signup])
    const agreed = await setup.authmd.resume(asked.result, () => true)
    const waiting = await turn(mode, setup, 't', agreed)
    const need = { kind: 'open-mail', text: expect.stringMatching(/\w/) }
    const authmd = { version: 1, waits: [{ registration, tool: 'auth_register', need }] }
    expect(waiting.result.__interrupt__).toMatchObject([{ value: { authmd } }])

    await world.auth.people.answer(registration, { link: await link(world) }, { approver: 'kim' })
    const questions: AuthQuestion[] = []
    const go = await setup.authmd.resume(waiting.result, (question) => {
      questions.push(question)
    })
    expect(questions).toMatchObject([{ kind: 'person', registration }])
    const done = await turn(mode, setup, 't', go)
    expect(done.result.__interrupt__).toEqual([])
    expect(toolTexts(done)).toEqual([expect.stringMatching(/^ready/)])
    expect(done.messages.at(-1)?.text).toBe('done')
  })

  test('resumed before it is done, whatever the answer says, nothing is believed', async () => {
    const setup = await start('interrupt')
    const signup = await beginSignup(world)
    const asked = await turn(mode, setup, 't', hello, [signup])
    const waiting = await turn(
      mode,
      setup,
      't',
      await setup.authmd.resume(asked.result, () => true),
    )
    expect(waiting.result.__interrupt__).toHaveLength(1)
    const resume = { status: 'ready', approved: true, decisions: [{ type: 'approve' }] }
    const again = await turn(mode, setup, 't', new Command({ resume }), [
      { name: 'auth_claim', args: { registration: signup.args.registration } },
    ])
    expect(toolTexts(again)[0]).toContain('needs_person')
    expect(again.result.__interrupt__).toHaveLength(1)
    expect(effects(world)).toEqual(['bot_signup'])
  })

  test('resumed for another owner it says nothing', async () => {
    const setup = await start('interrupt')
    const signup = await beginSignup(world)
    const asked = await turn(mode, setup, 't', hello, [signup])
    const waiting = await turn(
      mode,
      setup,
      't',
      await setup.authmd.resume(asked.result, () => true),
    )
    const go = await setup.authmd.resume(waiting.result, () => undefined)
    const other = { ...setup, authmd: agentAuth(world.auth, { owner: eve, waits: 'interrupt' }) }
    const done = await turn(mode, other, 't', go)
    expect(toolTexts(done)).toEqual([expect.stringContaining('error not_found')])
  })

  test('a credential that a person deletes', async () => {
    world = await startWorld()
    const credential = await obtain(world)
    const authmd = agentAuth(world.auth, { owner, waits: 'interrupt' })
    const setup = { authmd, checkpointer: new MemorySaver() }
    const asked = await turn(mode, setup, 't', hello, [
      { name: 'auth_revoke', args: { credential } },
    ])
    const waiting = await turn(mode, setup, 't', await authmd.resume(asked.result, () => true))
    const urls: unknown[] = []
    const go = await authmd.resume(waiting.result, (question) => {
      if (question.kind === 'person') urls.push(question.need.url)
    })
    expect(urls).toEqual([expect.stringContaining(world.sandbox.urls.portal)])
    await deleteKeys(world)
    const done = await turn(mode, setup, 't', go)
    expect(toolTexts(done)).toEqual([expect.stringMatching(/^ended.*\nrevoked: /)])
  })
})
