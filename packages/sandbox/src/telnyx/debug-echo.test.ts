import { expect, test } from 'vitest'
import { fetch, send } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

const token = 'KEY01SANDBOXECHO'

test('sends back method, headers and body, for any method', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/debug/echo?a=1`
  expect((await send('PUT', url, { token, json: { b: 2 } })).json).toMatchObject({
    data: {
      method: 'PUT',
      path: '/v2/debug/echo?a=1',
      headers: { authorization: `Bearer ${token}` },
      body: '{"b":2}',
    },
  })
  expect((await send('GET', url)).json).toMatchObject({ data: { method: 'GET', body: '' } })
})

test.each<[string, (shown: string) => string]>([
  ['base64', (shown) => Buffer.from(shown, 'base64').toString()],
  ['hex', (shown) => Buffer.from(shown, 'hex').toString()],
  ['percent', decodeURIComponent],
  ['json', (shown) => JSON.parse(`"${shown}"`)],
  ['html', (shown) => shown.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))],
])('as=%s sends the token back in that encoding only', async (as, decode) => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/debug/echo?as=${as}`
  const { text } = await send('GET', url, { token })
  const shown = text.match(/"token":"([^"]*)"/)?.[1] ?? ''
  expect(text).not.toContain(token)
  expect(decode(shown)).toBe(token)
})

test('stream=1 tears the token apart', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/debug/echo?stream=1`
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  const chunks: string[] = []
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) chunks.push(decoder.decode(chunk))
  expect(chunks.length).toBeGreaterThan(1)
  expect(chunks.some((chunk) => chunk.includes(token))).toBe(false)
  expect(JSON.parse(chunks.join(''))).toMatchObject({
    data: { headers: { authorization: `Bearer ${token}` } },
  })
  expect((await send('GET', url)).json).toMatchObject({ data: { method: 'GET' } })
})

test('an encoding that there is not is refused', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/debug/echo?as=`
  expect((await send('GET', `${url}rot13`)).status).toBe(400)
  expect((await send('GET', `${url}toString`)).status).toBe(400)
})
