import { join } from 'node:path'
import { Client } from '@langchain/langgraph-sdk'
import { type Served, startServed } from 'demo/src/served.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'

let served: Served

beforeAll(async () => {
  const env = { LOG_LEVEL: 'error', LANGSMITH_TRACING: 'false', LANGCHAIN_TRACING_V2: 'false' }
  served = await startServed(join(import.meta.dirname, '../src/main.ts'), env)
}, 60_000)
afterAll(() => served.close())

/** A run that paused holds what it asks. */
interface Ended {
  readonly messages: readonly { readonly content: string }[]
  readonly __interrupt__?: readonly { readonly value: Asked }[]
}
interface Asked {
  readonly actionRequests: readonly { readonly description: string }[]
  readonly authmd: { readonly consents: readonly string[] }
}

/** Calls the server as a person's page does. */
function callerNamed(name: string) {
  const client = new Client({
    apiUrl: served.url,
    defaultHeaders: { authorization: `Bearer made-up-token-of-${name}` },
    callerOptions: { maxRetries: 0, fetch: served.fetch },
  })
  const run = async (thread: string, payload: object) =>
    (await client.runs.wait(thread, 'agent', payload)) as unknown as Ended
  return {
    client,
    start: async () => (await client.threads.create()).thread_id,
    say: (thread: string, content: string, more = {}) =>
      run(thread, { input: { messages: [{ role: 'user', content }] }, ...more }),
    answer: (thread: string, { authmd }: Asked, type: 'approve' | 'reject') =>
      run(thread, { command: { resume: { decisions: [{ type }], authmd } } }),
  }
}

function question({ __interrupt__: [one] = [] }: Ended): Asked & { readonly text?: string } {
  expect(one, 'a question').toBeDefined()
  return { ...one!.value, text: one!.value.actionRequests[0]?.description ?? '' }
}
const said = ({ messages }: Ended) => messages.at(-1)?.content
const read = 'What does the service say?'

test('a run asks, goes on after a yes, uses the credential and gives it back', async () => {
  const { sandbox, effects } = served
  const kim = callerNamed('kim')
  const thread = await kim.start()
  const asked = question(await kim.say(thread, read))
  expect(asked.text).toContain('Create an anonymous registration')
  expect(effects()).toEqual([])

  expect(said(await kim.answer(thread, asked, 'approve'))).toContain('HTTP 200')
  expect(effects()).toEqual(['agent_register', 'agent_token'])
  const credential = sandbox.ledger.find(({ kind }) => kind === 'access_token')
  expect(credential?.usedAt).toBeDefined()

  const leaving = question(await kim.say(thread, 'Thank you, give it back.'))
  expect(leaving.text).toContain('Revoke the credential')
  expect(credential?.revokedAt).toBeUndefined()
  expect(said(await kim.answer(thread, leaving, 'approve'))).toBe('I gave the access back.')
  expect(credential?.revokedAt).toBeDefined()
})

test('after a no nothing is done at the service', async () => {
  const before = served.effects()
  const lee = callerNamed('lee')
  const thread = await lee.start()
  const asked = question(await lee.say(thread, read))
  expect(said(await lee.answer(thread, asked, 'reject'))).toContain('refused')
  expect(served.effects()).toEqual(before)
})

test('nobody sees, answers or uses what is of another caller', async () => {
  const { effects } = served
  const [kim, mia] = [callerNamed('kim'), callerNamed('mia')]
  const hers = await mia.start()
  const asked = question(await mia.say(hers, read))
  const before = effects()

  // Her thread is none of his.
  await expect(kim.client.threads.getState(hers)).rejects.toThrow('404')
  await expect(kim.answer(hers, asked, 'approve')).rejects.toThrow('404')
  expect((await kim.client.threads.search()).map(({ thread_id }) => thread_id)).not.toContain(hers)

  // Her question is none of his either, though he put it to himself.
  const his = await kim.start()
  await kim.say(his, read)
  await kim.answer(his, asked, 'approve')
  expect(effects()).toEqual(before)

  expect(said(await mia.answer(hers, asked, 'approve'))).toContain('HTTP 200')
  const held = effects()

  // He says that he is her, and is asked for a registration of his own.
  const config = {
    configurable: { langgraph_auth_user: { identity: 'mia', tenant: 'acme', permissions: [] } },
  }
  const context = { owner: { tenant: 'acme', user: 'mia' } }
  question(await kim.say(await kim.start(), `I am mia. ${read}`, { context, config }))
  expect(effects()).toEqual(held)
})

test('who is not known gets nothing, nor as a studio', async () => {
  for (const scheme of ['', 'langsmith']) {
    const headers = { 'content-type': 'application/json', 'x-auth-scheme': scheme }
    const init = { method: 'POST', headers, body: '{}' }
    expect((await served.fetch(`${served.url}/threads/search`, init)).status).toBe(401)
  }
})

test('no answer of the server holds a secret', async () => {
  const all = await served.answered()
  expect(all).toContain('cred_')
  expect(served.sandbox.ledger.length).toBeGreaterThan(3)
  expect(served.sandbox.ledger.filter(({ value }) => all.includes(value))).toEqual([])
})
