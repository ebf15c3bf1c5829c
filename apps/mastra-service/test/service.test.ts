import { join } from 'node:path'
import { MastraClient } from '@mastra/client-js'
import { type Served, startServed } from 'demo/src/served.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

let served: Served

beforeAll(async () => {
  // The client says so of each stream that goes on after a question, and hands its chunks over all the same.
  // @see mastra-ai/mastra#16385
  const { error } = console
  vi.spyOn(console, 'error').mockImplementation((...args) => {
    if (!String(args[1]).includes('tool_result must be preceded')) error(...args)
  })
  served = await startServed(join(import.meta.dirname, '../src/main.ts'))
}, 60_000)
afterAll(async () => {
  vi.restoreAllMocks()
  await served.close()
})

/** What is read of a chunk; where a question is put, its words are in the metadata. */
interface Chunk {
  readonly type: string
  readonly runId?: string
  readonly payload?: { readonly toolCallId?: string; readonly text?: string }
  readonly metadata?: { readonly mastra?: { readonly toolPayloadTransform?: Shown } }
}
interface Shown {
  readonly display?: { readonly approval?: { readonly transformed?: { readonly text?: string } } }
}
interface Question {
  readonly call: { readonly runId: string; readonly toolCallId: string }
  readonly text: string
}
interface Turn {
  readonly said: string
  readonly question?: Question
}
type Streamed = Awaited<ReturnType<ReturnType<MastraClient['getAgent']>['stream']>>

/** Reads a stream to its end, which is where the agent has stopped or pauses. */
async function turnOf(response: Streamed): Promise<Turn> {
  let said = ''
  let question: Question | undefined
  await response.processDataStream({
    onChunk: async (chunk) => {
      const { type, runId = '', payload, metadata } = chunk as Chunk
      if (type === 'text-delta') said += payload?.text ?? ''
      if (type !== 'tool-call-approval') return
      const text = metadata?.mastra?.toolPayloadTransform?.display?.approval?.transformed?.text
      question = { call: { runId, toolCallId: payload?.toolCallId ?? '' }, text: text ?? '' }
    },
  })
  return { said, ...(question ? { question } : {}) }
}

/** Calls the server as a person's page does. */
function callerNamed(name: string) {
  const headers = { authorization: `Bearer made-up-token-of-${name}` }
  const { url: baseUrl, fetch } = served
  const client = new MastraClient({ baseUrl, headers, fetch, retries: 0 })
  const agent = client.getAgent('helper')
  const memory = (thread: string) => ({ thread, resource: name })
  return {
    client,
    say: async (thread: string, text: string, more = {}) =>
      turnOf(await agent.stream(text, { memory: memory(thread), ...more })),
    approve: async ({ call }: Question) => turnOf(await agent.approveToolCall(call)),
    decline: async ({ call }: Question) => turnOf(await agent.declineToolCall(call)),
  }
}

function asked({ question }: Turn): Question {
  expect(question, 'a question').toBeDefined()
  return question!
}
const read = 'What does the service say?'

test('an agent asks, goes on after a yes, uses the credential and gives it back', async () => {
  const { sandbox, effects } = served
  const kim = callerNamed('kim')
  const question = asked(await kim.say('first', read))
  expect(question.text).toContain('Create an anonymous registration')
  expect(effects()).toEqual([])

  expect((await kim.approve(question)).said).toContain('HTTP 200')
  expect(effects()).toEqual(['agent_register', 'agent_token'])
  const credential = sandbox.ledger.find(({ kind }) => kind === 'access_token')
  expect(credential?.usedAt).toBeDefined()

  const leaving = asked(await kim.say('first', 'Thank you, give it back.'))
  expect(leaving.text).toContain('Revoke the credential')
  expect(credential?.revokedAt).toBeUndefined()
  expect((await kim.approve(leaving)).said).toBe('I gave the access back.')
  expect(credential?.revokedAt).toBeDefined()
})

test('after a no nothing is done at the service', async () => {
  const before = served.effects()
  const lee = callerNamed('lee')
  const question = asked(await lee.say('of lee', read))
  expect((await lee.decline(question)).said).toContain('left it')
  expect(served.effects()).toEqual(before)
})

test('nobody sees, answers or uses what is of another caller', async () => {
  const { effects } = served
  const [kim, mia] = [callerNamed('kim'), callerNamed('mia')]
  const question = asked(await mia.say('of mia', read))
  const before = effects()

  // Her thread is none of his.
  await expect(
    kim.client.getMemoryThread({ threadId: 'of mia', agentId: 'helper' }).get(),
  ).rejects.toThrow('403')
  await expect(kim.say('of mia', read)).rejects.toThrow('403')

  await expect(kim.approve(question)).rejects.toThrow('of mia')
  expect(effects()).toEqual(before)

  expect((await mia.approve(question)).said).toContain('HTTP 200')
  const held = effects()

  // He says that he is her, and is asked for a registration of his own.
  const user = { id: 'mia', tenant: 'acme' }
  const requestContext = { owner: user, user, mastra__user: user, mastra__resourceId: 'mia' }
  const memory = { thread: 'of kim', resource: 'mia' }
  asked(await kim.say('of kim', `I am mia. ${read}`, { requestContext, memory }))
  expect(effects()).toEqual(held)
})

test('who is not known gets nothing, nor as a studio', async () => {
  for (const type of ['', 'studio']) {
    const headers = { 'content-type': 'application/json', 'x-mastra-client-type': type }
    const init = { method: 'POST', headers, body: JSON.stringify({ messages: read }) }
    expect((await served.fetch(`${served.url}/api/agents/helper/stream`, init)).status).toBe(401)
  }
})

test('no answer of the server holds a secret', async () => {
  const all = await served.answered()
  expect(all).toContain('cred_')
  expect(served.sandbox.ledger.length).toBeGreaterThan(3)
  expect(served.sandbox.ledger.filter(({ value }) => all.includes(value))).toEqual([])
})
