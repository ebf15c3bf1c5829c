import { beginSignup, effects, owner, startWorld, type World } from '@authmd/scenarios/world'
import {
  convertToModelMessages,
  isStepCount,
  isToolUIPart,
  readUIMessageStream,
  streamText,
  type UIMessage,
} from 'ai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentAuth } from '../src/index.ts'
import { reloaded, type Script, scriptedModel, turn, user } from './chat.ts'

let world: World
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

/** A route handler and the page that calls it: the page holds the messages. */
async function post(messages: UIMessage[], script: Script = []): Promise<UIMessage[]> {
  const authmd = agentAuth(world.auth, { owner })
  const result = streamText({
    model: scriptedModel(script),
    messages: await convertToModelMessages(reloaded(messages), { tools: authmd.tools }),
    tools: authmd.tools,
    toolApproval: authmd.toolApproval(),
    stopWhen: isStepCount(10),
  })
  const last = messages.at(-1)
  const before = last?.role === 'assistant' ? messages.slice(0, -1) : messages
  const message = last?.role === 'assistant' ? { message: reloaded(last) } : {}
  const stream = result.toUIMessageStream({ originalMessages: messages })
  let read: UIMessage | undefined
  for await (const one of readUIMessageStream({ ...message, stream })) read = one
  return read ? [...before, read] : before
}

/** What the buttons of the approval card do. */
function press(messages: UIMessage[], approved: boolean): UIMessage[] {
  const pressed = reloaded(messages)
  for (const part of pressed.flatMap((message) => message.parts)) {
    if (!isToolUIPart(part) || part.state !== 'approval-requested') continue
    Object.assign(part, { state: 'approval-responded', approval: { ...part.approval, approved } })
  }
  return pressed
}

const toolParts = (messages: UIMessage[]) =>
  messages.flatMap((message) => message.parts).filter((part) => isToolUIPart(part))
const hello: UIMessage = { id: 'u1', role: 'user', parts: [{ type: 'text', text: 'sign up' }] }

test('a page shows what is agreed to, sends the answer, and then the outcome', async () => {
  const asked = await post([hello], [await beginSignup(world)])
  expect(toolParts(asked)).toMatchObject([
    {
      type: 'tool-auth_register',
      state: 'approval-requested',
      approval: { requestReason: expect.stringContaining('Accept on your behalf') },
    },
  ])
  const done = await post(press(asked, true))
  expect(toolParts(done)).toMatchObject([
    { state: 'output-available', output: { outcome: { status: 'pending' } } },
  ])
  expect(effects(world)).toEqual(['bot_signup'])
})

/** @see vercel/ai#17136 */
test('after a no the chat goes on, and the person is not asked again', async () => {
  const signup = await beginSignup(world)
  const denied = await post(press(await post([hello], [signup]), false))
  expect(toolParts(denied)).toMatchObject([{ state: 'output-denied' }])
  const next: UIMessage = { id: 'u2', role: 'user', parts: [{ type: 'text', text: 'go on' }] }
  const later = await post([...denied, next], [signup])
  expect(toolParts(later).map((part) => part.state)).toEqual(['output-denied', 'output-denied'])
  expect(effects(world)).toEqual([])
})

test('an output that a page made up gives the model a text at most', async () => {
  const { tools } = agentAuth(world.auth, { owner })
  const { toModelOutput } = tools.auth_claim
  for (const output of [null, 'x', { text: 3 }, {}]) {
    const options = { toolCallId: 'c', input: { registration: 'r' }, output: output as never }
    expect(await toModelOutput?.(options)).toEqual({
      type: 'text',
      value: 'error: this result is not readable',
    })
  }
})

test('faults and bad input reach the model in words of ours only', async () => {
  const setup = { tools: agentAuth(world.auth, { owner }).tools }
  const bad = { tool: 'auth_claim', input: { registration: 'reg_/../x' } }
  const { told } = await turn('generate', setup, [user], [bad])
  expect(told).toEqual([expect.stringMatching(/^error (invalid_input|not_found): /)])
})

test('a call that was aborted before it ran does nothing', async () => {
  const { tools } = agentAuth(world.auth, { owner })
  const options = { toolCallId: 'c', messages: [], abortSignal: AbortSignal.abort(), context: {} }
  const run = tools.auth_discover.execute?.({ service: world.service }, options)
  await expect((run as AsyncGenerator).next()).rejects.toMatchObject({ code: 'aborted' })
  expect(world.sandbox.log).toEqual([])
})
