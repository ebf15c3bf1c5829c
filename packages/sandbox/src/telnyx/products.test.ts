import { expect, test } from 'vitest'
import { obtainKey, send, signUp } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

const error = (code: string) => ({
  errors: [{ code, title: expect.any(String), detail: expect.any(String) }],
})

const protectedEndpoints = [
  ['GET', '/v2/available_phone_numbers'],
  ['GET', '/v2/balance'],
  ['POST', '/v2/number_orders'],
  ['POST', '/v2/messages'],
  ['POST', '/v2/api_keys'],
  ['POST', '/v2/mcp'],
] as const

test.each(protectedEndpoints)('%s %s without a good key: 401 and no hint', async (method, path) => {
  await using sandbox = await startSandbox()
  const url = sandbox.urls.api + path
  const wrong: Record<string, string>[] = [
    {},
    { authorization: 'Bearer KEY01SANDBOXNOBODY' },
    { authorization: `Basic ${await obtainKey(sandbox)}` },
  ]
  for (const headers of wrong) {
    const { status, json, headers: got } = await send(method, url, { headers })
    expect([status, json]).toEqual([401, error('10009')])
    expect(got.get('www-authenticate')).toBeNull()
    expect(sandbox.log.at(-1)?.effect).toBe(false)
  }
})

test('a session makes keys and does nothing else; it ends after an hour', async () => {
  await using sandbox = await startSandbox()
  const { api } = sandbox.urls
  const session = await send('GET', await signUp(sandbox, 'ada@agents.example'))
  const token = session.at('data.api_v2_token')
  const made = await send('POST', `${api}/v2/api_keys`, { token })
  expect(made.status).toBe(200)
  expect(made.json).toEqual({
    data: {
      record_type: 'api_key',
      id: expect.any(String),
      api_key: expect.stringMatching(/^KEY01SANDBOX[0-9A-F]{32}$/),
      name: 'unnamed',
      scope: 'full',
      active: true,
      created_at: expect.any(String),
    },
  })
  expect(sandbox.ledger.at(-1)).toMatchObject({ id: made.at('data.id'), kind: 'api_key' })
  expect((await send('GET', `${api}/v2/balance`, { token })).status).toBe(401)
  sandbox.clock.advance(3_600_000)
  expect((await send('POST', `${api}/v2/api_keys`, { token })).status).toBe(401)
})

test('a key makes further keys, and there is nothing to list or delete them with', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/api_keys`
  const token = await obtainKey(sandbox)
  const made = await send('POST', url, { token, json: { name: 'crm' } })
  expect(made.at('data.name')).toBe('crm')
  expect(made.at('data.api_key')).not.toBe(token)
  expect((await send('POST', url, { token, json: { name: 1 } })).status).toBe(400)
  expect((await send('POST', url, { token, json: 'crm' })).status).toBe(400)

  const gone = await send('DELETE', `${url}/${made.at('data.id')}`, { token })
  expect([gone.status, gone.json]).toEqual([404, error('10005')])
  expect((await send('GET', url, { token })).status).toBe(404)
  const { status } = await send('GET', `${sandbox.urls.api}/v2/balance`, {
    token: made.at('data.api_key'),
  })
  expect(status).toBe(200)
})

test('numbers can be looked for by area code and place, and ordered once', async () => {
  await using sandbox = await startSandbox()
  const { api } = sandbox.urls
  const token = await obtainKey(sandbox)
  const find = async (query: string) => {
    const { json } = await send('GET', `${api}/v2/available_phone_numbers?${query}`, { token })
    return (json as { data: { phone_number: string }[] }).data.map((it) => it.phone_number)
  }
  const chicago = await find('filter[locality]=Chicago')
  expect(chicago).toHaveLength(20)
  expect(chicago.every((number) => /^\+1(312|773)55501\d\d$/.test(number))).toBe(true)
  const loop = await find('filter%5Bnational_destination_code%5D=312&page%5Bsize%5D=2')
  expect(loop).toEqual(['+13125550100', '+13125550101'])
  expect(await find('filter[national_destination_code]=999')).toEqual([])

  const order = (...numbers: string[]) =>
    send('POST', `${api}/v2/number_orders`, {
      token,
      json: { phone_numbers: numbers.map((phone_number) => ({ phone_number })) },
    })
  const ordered = await order('+13125550100')
  expect(ordered.json).toMatchObject({
    data: {
      record_type: 'number_order',
      status: 'success',
      phone_numbers: [{ phone_number: '+13125550100', status: 'success' }],
    },
  })
  expect(sandbox.log.at(-1)).toMatchObject({ name: 'number_orders', effect: true })
  expect(await find('filter[national_destination_code]=312')).not.toContain('+13125550100')
  expect((await send('GET', `${api}/v2/balance`, { token })).at('data.balance')).toBe('4.00')
  expect((await order('+13125550100')).status).toBe(404)
  expect((await order()).status).toBe(400)
  expect((await order(...chicago.slice(2, 7))).status).toBe(403)
  expect(
    (await send('GET', `${api}/v2/available_phone_numbers?page[size]=0`, { token })).status,
  ).toBe(400)
})

test('a message is taken and queued', async () => {
  await using sandbox = await startSandbox()
  const token = await obtainKey(sandbox)
  const url = `${sandbox.urls.api}/v2/messages`
  const json = { from: '+13125550100', to: '+17735550100', text: 'Hello' }
  const sent = await send('POST', url, { token, json })
  expect(sent.json).toMatchObject({
    data: {
      record_type: 'message',
      from: { phone_number: json.from },
      to: [{ phone_number: json.to, status: 'queued' }],
      text: 'Hello',
    },
  })
  expect((await send('POST', url, { token, json: { to: json.to } })).status).toBe(400)
})

test('a key that reads only: 403 where something would change', async () => {
  await using sandbox = await startSandbox()
  const { api, portal } = sandbox.urls
  const email = 'ada@agents.example'
  const signIn = await send('POST', `${portal}/api/sign-in`, { json: { email } })
  const made = await send('POST', `${portal}/api/keys`, {
    token: signIn.at('data.token'),
    json: { scope: 'read' },
  })
  const token = made.at('data.api_key')
  expect((await send('GET', `${api}/v2/balance`, { token })).status).toBe(200)
  for (const path of ['/v2/messages', '/v2/number_orders', '/v2/api_keys']) {
    const { status, json } = await send('POST', api + path, { token, json: {} })
    expect([status, json]).toEqual([403, error('10010')])
  }
})

test('too many requests with one key: 429 with Retry-After, for that key alone', async () => {
  await using sandbox = await startSandbox({ limits: { requestsPerKey: 2 } })
  const url = `${sandbox.urls.api}/v2/balance`
  const [token, other] = [await obtainKey(sandbox), await obtainKey(sandbox)]
  const status = async (key: string) => (await send('GET', url, { token: key })).status
  expect([await status(token), await status(token)]).toEqual([200, 200])
  const { status: limited, json, headers } = await send('GET', url, { token })
  expect([limited, json]).toEqual([429, error('10011')])
  expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60)
  expect(await status(other)).toBe(200)
  sandbox.clock.advance(Number(headers.get('retry-after')) * 1000)
  expect(await status(token)).toBe(200)
})

test('what there is not: 404 in the envelope', async () => {
  await using sandbox = await startSandbox()
  const { status, json } = await send('GET', `${sandbox.urls.api}/v2/nothing`)
  expect([status, json]).toEqual([404, error('10005')])
})
