import { expect, test } from 'vitest'
import { obtainKey, send } from '../../test/client.ts'
import { startSandbox } from '../index.ts'

test('the MCP server takes the same key', async () => {
  await using sandbox = await startSandbox()
  const token = await obtainKey(sandbox)
  const url = `${sandbox.urls.api}/v2/mcp`
  const call = (method: string, params?: unknown) =>
    send('POST', url, { token, json: { jsonrpc: '2.0', id: 1, method, params } })
  const hello = await call('initialize', { protocolVersion: '2025-06-18' })
  expect(hello.at('result.protocolVersion')).toBe('2025-06-18')
  expect((await call('initialize', {})).at('result.protocolVersion')).toBe('2025-11-25')
  const note = { jsonrpc: '2.0', method: 'notifications/initialized' }
  expect(await send('POST', url, { token, json: note })).toMatchObject({ status: 202, text: '' })
  expect((await call('tools/list')).json).toMatchObject({
    result: { tools: [{ name: 'get_balance' }] },
  })
  expect((await call('tools/call', { name: 'get_balance' })).json).toEqual({
    jsonrpc: '2.0',
    id: 1,
    result: { content: [{ type: 'text', text: '5.00' }] },
  })
  expect((await call('tools/call', { name: 'x' })).json).toMatchObject({
    result: { isError: true },
  })
  expect((await call('ping')).json).toMatchObject({ result: {} })
  expect((await call('no/such')).json).toMatchObject({ error: { code: -32601 } })
  expect((await send('GET', url, { token })).status).toBe(405)
  expect((await send('POST', url, { token, json: {} })).status).toBe(400)
})
