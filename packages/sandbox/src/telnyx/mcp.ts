import type { Hono } from 'hono'
import type { SandboxEnv } from '../server.ts'
import type { Guard } from './api-auth.ts'
import { apiError, jsonBody } from './api-error.ts'
import { accountOf, type Telnyx } from './state.ts'

const versions = ['2025-11-25', '2025-06-18', '2025-03-26']

/** The MCP server: streamable HTTP without sessions or streams, and one tool. */
export function mcpRoute(app: Hono<SandboxEnv>, telnyx: Telnyx, guard: Guard): void {
  app.all(
    '/v2/mcp',
    telnyx.server.endpoint(
      'mcp',
      guard((c, key) => {
        if (c.req.method !== 'POST') {
          return apiError(c, 'method', 'There is no stream to listen to.', { allow: 'POST' })
        }
        const { id, method, params } = jsonBody(c) ?? {}
        if (typeof method !== 'string') return apiError(c, 'invalid', 'Not a JSON-RPC request.')
        if (id === undefined) return c.body(null, 202)
        const account = accountOf(telnyx, key)
        const result = answer(method, params, (account.balanceCents / 100).toFixed(2))
        const error = { code: -32601, message: `no ${method}` }
        return c.json({ jsonrpc: '2.0', id, ...(result ? { result } : { error }) })
      }),
    ),
  )
}

function answer(method: string, params: unknown, balance: string): object | undefined {
  const { protocolVersion, name } = (params ?? {}) as Record<string, unknown>
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: versions.find((version) => version === protocolVersion) ?? versions[0],
        capabilities: { tools: {} },
        serverInfo: { name: 'telnyx-sandbox', version: '0' },
      }
    case 'ping':
      return {}
    case 'tools/list':
      return {
        tools: [
          {
            name: 'get_balance',
            description: 'The balance of the account in US dollars.',
            inputSchema: { type: 'object', properties: {} },
          },
        ],
      }
    case 'tools/call':
      return name === 'get_balance'
        ? { content: [{ type: 'text', text: balance }] }
        : { content: [{ type: 'text', text: `no tool ${String(name)}` }], isError: true }
    default:
      return undefined
  }
}
