import { expect, test } from 'vitest'
import { fetch, send } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

const wished = {
  name: 'scribe',
  owner: { email: 'kim@operator.test' },
  purpose: 'It writes notes.',
  plan: 'free',
  accept_terms: true,
}

test('the text is all there is, and what it says holds', async () => {
  await using sandbox = await startSandbox()
  const { api } = sandbox.prose
  const text = await (await fetch(`${api}/auth.md`)).text()
  expect(text).toContain(`POST ${api}/v1/agents`)
  expect((await fetch(`${api}/.well-known/oauth-protected-resource`)).status).toBe(404)
  const made = await send('POST', `${api}/v1/agents`, { json: wished })
  expect(made).toMatchObject({ status: 201, json: { created: true } })
  const key = made.at('agent.api_key')
  const me = (headers: Record<string, string>) => fetch(`${api}/v1/me`, { headers })
  expect((await me({ 'x-prose-key': key })).status).toBe(200)
  expect((await me({ authorization: `Bearer ${key}` })).status).toBe(401)
  expect(sandbox.ledger.at(-1)).toMatchObject({ kind: 'api_key', value: key, account: 'agt_1' })
  expect((await send('POST', `${api}/v1/agents`, { json: wished })).status).toBe(409)
  expect(sandbox.prose.agents).toHaveLength(1)
})

test.each([
  ['nothing', {}],
  ['a short name', { ...wished, name: 'x' }],
  ['no address', { ...wished, owner: { email: 'kim' } }],
  ['terms refused', { ...wished, accept_terms: false }],
  ['another plan', { ...wished, plan: 'gold' }],
  ['a field too many', { ...wished, more: 1 }],
])('%s is refused and makes nothing', async (_, json) => {
  await using sandbox = await startSandbox()
  const answer = await send('POST', `${sandbox.prose.api}/v1/agents`, { json })
  expect(answer.status).toBe(422)
  expect(answer.at('error.message')).not.toBe('')
  expect(sandbox.prose.agents).toEqual([])
})
