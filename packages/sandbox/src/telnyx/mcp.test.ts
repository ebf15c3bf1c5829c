import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect, onTestFinished, test } from 'vitest'
import { fetch, obtainKey, send } from '../../test/client.ts'
import { type Sandbox, startSandbox } from '../index.ts'

/** The SDK's own client with a key. */
async function connect(sandbox: Sandbox, token: string) {
  const transport = new StreamableHTTPClientTransport(new URL(`${sandbox.urls.api}/v2/mcp`), {
    fetch: fetch as unknown as typeof globalThis.fetch,
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  const client = new Client({ name: 'test', version: '0' })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return { client, transport }
}

const log = ({ log }: Sandbox, name: string) => log.filter((entry) => entry.name === name)
const textOf = (result: unknown) =>
  JSON.parse((result as { content: { text: string }[] }).content[0]?.text ?? '')

test('the MCP server takes the same key and has tools over the API', async () => {
  await using sandbox = await startSandbox()
  const { client, transport } = await connect(sandbox, await obtainKey(sandbox))
  expect(client.getServerVersion()?.name).toBe('telnyx-sandbox')
  expect(transport.sessionId).toMatch(/^[\w-]{36}$/)
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual(['get_balance', 'search_numbers', 'order_number'])
  const balance = await client.callTool({ name: 'get_balance' })
  expect(textOf(balance)).toMatchObject({ data: { balance: '5.00' } })
  const found = await client.callTool({
    name: 'search_numbers',
    arguments: { locality: 'Chicago', limit: 2 },
  })
  const [number] = textOf(found).data as { phone_number: string }[]
  const order = { name: 'order_number', arguments: { phone_number: number?.phone_number } }
  expect(textOf(await client.callTool(order))).toMatchObject({ data: { status: 'success' } })
  expect(textOf(await client.callTool({ name: 'get_balance' }))).toMatchObject({
    data: { balance: '4.00' },
  })
  expect(log(sandbox, 'mcp_get_balance').map(({ effect }) => effect)).toEqual([false, false])
  expect(log(sandbox, 'mcp_order_number').map(({ effect }) => effect)).toEqual([true])
  expect(log(sandbox, 'number_orders')).toEqual([])
  // The API's refusal is the tool's.
  expect(await client.callTool(order)).toMatchObject({ isError: true })
  expect(log(sandbox, 'mcp_order_number').map(({ effect }) => effect)).toEqual([true, false])
  await expect(client.callTool({ name: 'x' })).rejects.toMatchObject({ code: -32602 })
})

test('answers come as event streams', async () => {
  await using sandbox = await startSandbox()
  const token = await obtainKey(sandbox)
  const { transport } = await connect(sandbox, token)
  const headers = {
    accept: 'application/json, text/event-stream',
    'mcp-session-id': transport.sessionId ?? '',
  }
  const json = { jsonrpc: '2.0', id: 9, method: 'tools/list' }
  const url = `${sandbox.urls.api}/v2/mcp`
  const answer = await send('POST', url, { token, headers, json })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  expect(answer.text).toMatch(/^event: message\ndata: \{.*\}\n\n$/)
})

test('a session is known to its own key alone, until it is ended', async () => {
  await using sandbox = await startSandbox()
  const token = await obtainKey(sandbox)
  const other = await obtainKey(sandbox, 'eve@agents.example')
  const { client, transport } = await connect(sandbox, token)
  const headers = {
    accept: 'application/json, text/event-stream',
    'mcp-session-id': transport.sessionId ?? '',
  }
  const url = `${sandbox.urls.api}/v2/mcp`
  const json = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'order_number' } }
  const status = async (sent: Parameters<typeof send>[2]) =>
    (await send('POST', url, { json, ...sent })).status
  expect(await status({ token: other, headers })).toBe(404)
  expect(await status({ headers })).toBe(401)
  expect(await status({ token, headers: { accept: headers.accept } })).toBe(400)
  expect(await status({ token, headers, json: {} })).toBe(400)
  expect(await status({ token, headers, json: [json] })).toBe(400)
  expect(await client.callTool({ name: 'get_balance' })).toBeTruthy()
  await transport.terminateSession()
  expect(await status({ token, headers })).toBe(404)
  expect(sandbox.log.filter(({ name, effect }) => effect && name.startsWith('mcp'))).toEqual([])
})

test('a key that may read only orders nothing', async () => {
  await using sandbox = await startSandbox()
  const portal = `${sandbox.urls.portal}/api`
  const signIn = await send('POST', `${portal}/sign-in`, { json: { email: 'ada@agents.example' } })
  const session = signIn.at('data.token')
  const made = await send('POST', `${portal}/keys`, { token: session, json: { scope: 'read' } })
  const { client } = await connect(sandbox, made.at('data.api_key'))
  expect(await client.callTool({ name: 'get_balance' })).not.toHaveProperty('isError')
  const order = { name: 'order_number', arguments: { phone_number: '+13125550100' } }
  expect(await client.callTool(order)).toMatchObject({ isError: true })
  expect(log(sandbox, 'mcp_order_number').map(({ effect }) => effect)).toEqual([false])
})

test('an answer that is cut off after the order leaves the order done', async () => {
  await using sandbox = await startSandbox()
  const { client } = await connect(sandbox, await obtainKey(sandbox))
  sandbox.faults.add({ name: 'mcp_order_number', cut: 'after', times: 1 })
  const order = { name: 'order_number', arguments: { phone_number: '+13125550100' } }
  await expect(client.callTool(order)).rejects.toThrow()
  expect(log(sandbox, 'mcp_order_number').map(({ effect }) => effect)).toEqual([true])
})
