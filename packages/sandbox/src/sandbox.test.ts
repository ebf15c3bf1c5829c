import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { obtainKey, send } from '../test/client.ts'
import { longestChain, startSandbox } from './index.ts'

test('an agent gets from auth.md to a working key, and ledger and log tell of it', async () => {
  await using sandbox = await startSandbox()
  const { urls, ledger, log } = sandbox
  expect((await send('GET', `${urls.developers}/auth.md`)).status).toBe(200)
  const key = await obtainKey(sandbox)
  expect(key).toMatch(/^KEY01SANDBOX[0-9A-F]{32}$/)
  const used = await send('GET', `${urls.api}/v2/balance`, { token: key })
  expect(used.json).toMatchObject({ data: { balance: '5.00', currency: 'USD' } })

  expect(log.map(({ n, name, status, effect }) => [n, name, status, effect])).toEqual([
    [1, 'auth_md', 200, false],
    [2, 'bot_challenge', 200, false],
    [3, 'bot_signup', 200, true],
    [4, 'bot_sessions', 200, true],
    [5, 'api_keys', 200, true],
    [6, 'balance', 200, false],
  ])
  expect(longestChain(log)).toBe(6)
  const [link, session, apiKey] = ledger
  expect(ledger.map(({ kind, request }) => [kind, request])).toEqual([
    ['mail_link_token', 3],
    ['session', 4],
    ['api_key', 5],
  ])
  expect(new Set(ledger.map(({ account }) => account)).size).toBe(1)
  expect(link?.usedAt).toBeGreaterThan(0)
  expect(apiKey?.value).toBe(key)
  expect(log[4]?.authorization).toBe(session?.id)
  expect(log[5]?.authorization).toBe(apiKey?.id)
  expect(log[2]).toMatchObject({ method: 'POST', host: 'api.telnyx.localhost' })
  expect(JSON.parse(log[2]?.body ?? '')).toMatchObject({ email: 'ada@agents.example' })
})

test('hosts are told apart by the Host header, and unknown ones get 404', async () => {
  await using sandbox = await startSandbox()
  const at = (host: string) => send('GET', `http://${host}:${sandbox.port}/auth.md`)
  expect((await at('developers.telnyx.localhost')).status).toBe(200)
  expect((await at('DEVELOPERS.telnyx.localhost')).status).toBe(200)
  expect((await at('agent-inbox.telnyx.localhost')).status).toBe(404)
  expect((await at('telnyx.localhost')).status).toBe(404)
  expect((await at('docs.telnyx.localhost')).status).toBe(404)
  expect((await at('127.0.0.1')).status).toBe(404)
  expect(sandbox.log.map(({ name }) => name)).toEqual([
    'auth_md',
    'auth_md',
    'not_found',
    'not_found',
    'unknown_host',
    'unknown_host',
  ])
})

test('a client that goes away in the middle of its request does no harm', async () => {
  await using sandbox = await startSandbox()
  const socket = connect(sandbox.port, '127.0.0.1')
  socket.write(
    `POST /v2/bot_challenge HTTP/1.1\r\nHost: api.telnyx.localhost:${sandbox.port}\r\nContent-Length: 9\r\n\r\n{"a"`,
  )
  await expect.poll(() => sandbox.log.length).toBe(1)
  socket.destroy()
  await expect.poll(() => sandbox.log[0]?.endSeq).toBeDefined()
  expect(sandbox.log[0]).toMatchObject({ name: 'not_found', effect: false })
  expect(sandbox.log[0]?.status).toBeUndefined()
  expect((await send('GET', sandbox.urls.site)).status).toBe(200)
})

test('a port that is taken is refused', async () => {
  await using sandbox = await startSandbox()
  await expect(startSandbox({ port: sandbox.port })).rejects.toThrow(/EADDRINUSE/)
})
