import { expect, test } from 'vitest'
import { fetch, send, signUp } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

const email = 'ada@agents.example'
const minute = 60_000

test('the link gives a session once', async () => {
  await using sandbox = await startSandbox()
  const link = await signUp(sandbox, email)
  const first = await send('GET', link)
  expect(first).toMatchObject({ status: 200, json: { data: { api_v2_token: expect.any(String) } } })
  const second = await send('GET', link)
  expect(second).toMatchObject({ status: 401, json: { errors: [{ code: '10009' }] } })
  expect(sandbox.log.slice(-2).map(({ effect }) => effect)).toEqual([true, false])
})

test.each(['HEAD', 'POST', 'DELETE', 'OPTIONS'])('%s uses the link up', async (method) => {
  await using sandbox = await startSandbox()
  const link = await signUp(sandbox, email)
  expect((await send(method, link)).status).toBe(405)
  expect(sandbox.log.at(-1)).toMatchObject({ name: 'bot_sessions', effect: true })
  expect(sandbox.ledger[0]?.usedAt).toBeDefined()
  expect((await send('GET', link)).status).toBe(401)
  expect(sandbox.ledger.map(({ kind }) => kind)).toEqual(['mail_link_token'])
})

test.each([{ cut: 'before' }, { status: 500 }, { cut: 'after' }] as const)(
  'a first request that fails uses the link up: %j',
  async (fault) => {
    await using sandbox = await startSandbox()
    const link = await signUp(sandbox, email)
    sandbox.faults.add({ name: 'bot_sessions', times: 1, ...fault })
    await fetch(link).catch(() => undefined)
    expect((await send('GET', link)).status).toBe(401)
  },
)

test('the link is good for 15 minutes', async () => {
  await using sandbox = await startSandbox()
  const [early, late] = [await signUp(sandbox, email), await signUp(sandbox, email)]
  sandbox.clock.advance(15 * minute - 1)
  expect((await send('GET', early)).status).toBe(200)
  sandbox.clock.advance(1)
  expect((await send('GET', late)).status).toBe(401)
  expect((await send('GET', `${sandbox.urls.api}/v2/bot_sessions`)).status).toBe(401)
})

test('redirectSession: a redirect with portal_redirect_token comes first', async () => {
  await using sandbox = await startSandbox({ redirectSession: true })
  const link = await signUp(sandbox, email)
  const first = await send('GET', link)
  const target = new URL(first.headers.get('location') ?? '')
  expect(first.status).toBe(302)
  expect(target.origin).toBe(sandbox.urls.api)
  expect(target.searchParams.get('portal_redirect_token')).toBeTruthy()
  const second = await send('GET', target.href)
  expect(second.at('data.api_v2_token')).toMatch(/^SESSION01SANDBOX/)
  expect((await send('GET', target.href)).status).toBe(401)
  expect((await send('GET', link)).status).toBe(401)
  expect(sandbox.log.slice(-4).map(({ name }) => name)).toEqual([
    'bot_sessions',
    'bot_sessions_redirect',
    'bot_sessions_redirect',
    'bot_sessions',
  ])
  // One token does not pass for the other.
  const again = new URL(await signUp(sandbox, email))
  const token = again.searchParams.get('token')
  const mixed = `${sandbox.urls.api}/v2/bot_sessions?portal_redirect_token=${token}`
  expect((await send('GET', mixed)).status).toBe(401)
  expect((await send('GET', again.href)).status).toBe(302)
})
