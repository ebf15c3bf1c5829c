import { randomUUID } from 'node:crypto'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js'
import type { Hono } from 'hono'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import type { Guard } from './api-auth.ts'
import { apiError, jsonBody } from './api-error.ts'
import type { Telnyx } from './state.ts'

type Args = Readonly<Record<string, unknown>>

/** A tool, and the request of the API that it stands for. */
interface ApiTool extends Tool {
  request(args: Args): { readonly method: string; readonly path: string; readonly json?: unknown }
}

const tools: readonly ApiTool[] = [
  {
    name: 'get_balance',
    description: 'The balance of the account.',
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true },
    request: () => ({ method: 'GET', path: '/v2/balance' }),
  },
  {
    name: 'search_numbers',
    description: 'Phone numbers that are for sale.',
    inputSchema: {
      type: 'object',
      properties: {
        locality: { type: 'string', description: 'A city, such as Chicago.' },
        limit: { type: 'integer', minimum: 1, maximum: 50, default: 5 },
      },
    },
    annotations: { readOnlyHint: true },
    request: ({ locality, limit = 5 }) => {
      const query = new URLSearchParams({ 'page[size]': String(limit) })
      if (typeof locality === 'string') query.set('filter[locality]', locality)
      return { method: 'GET', path: `/v2/available_phone_numbers?${query}` }
    },
  },
  {
    name: 'order_number',
    description: 'Orders a phone number, which is paid from the balance.',
    inputSchema: {
      type: 'object',
      properties: { phone_number: { type: 'string', description: 'With + and country code.' } },
      required: ['phone_number'],
    },
    annotations: { readOnlyHint: false },
    request: ({ phone_number }) => ({
      method: 'POST',
      path: '/v2/number_orders',
      json: { phone_numbers: [{ phone_number }] },
    }),
  },
]

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport
  /** Ledger id of the key that began it: another key does not find it. */
  readonly key: string
}

/** The MCP server: streamable HTTP with sessions, answers as event streams, tools over the API. */
export function mcpRoute(app: Hono<SandboxEnv>, telnyx: Telnyx, guard: Guard): void {
  const { server } = telnyx
  const sessions = new Map<string, Session>()

  const handle = guard(async (c, { id: key }) => {
    const message = jsonBody(c)
    if (c.req.method === 'POST' && message?.method === undefined && message?.id === undefined) {
      return apiError(c, 'invalid', 'Not one JSON-RPC message.')
    }
    const id = c.req.header('mcp-session-id')
    const known = id === undefined ? undefined : sessions.get(id)
    if (id !== undefined && known?.key !== key) {
      return apiError(c, 'notFound', 'There is no such session.')
    }
    const { transport } = known ?? (await begin(app, sessions, key))
    const response = await transport.handleRequest(c.req.raw, {
      ...(c.req.method === 'POST' ? { parsedBody: message } : {}),
      authInfo: { token: '', clientId: key, scopes: [], extra: { context: c } },
    })
    if (c.req.method !== 'POST' || response.body === null) return response
    // To its end, so that what it does is done before a fault cuts its answer.
    return new Response(await response.text(), response)
  })

  const other = server.endpoint('mcp', handle)
  const called = new Map(tools.map(({ name }) => [name, server.endpoint(`mcp_${name}`, handle)]))
  app.all('/v2/mcp', (c) => {
    const { method, params } = jsonBody(c) ?? {}
    const { name } = (params ?? {}) as { name?: unknown }
    return ((method === 'tools/call' && called.get(String(name))) || other)(c)
  })
}

async function begin(
  app: Hono<SandboxEnv>,
  sessions: Map<string, Session>,
  key: string,
): Promise<Session> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, session),
    onsessionclosed: (id) => void sessions.delete(id),
    keepAliveMs: 0,
  })
  const session = { transport, key }
  const mcp = new Server({ name: 'telnyx-sandbox', version: '0' }, { capabilities: { tools: {} } })
  mcp.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ request, ...tool }) => tool),
  }))
  mcp.setRequestHandler(CallToolRequestSchema, ({ params }, { authInfo }) => {
    const tool = tools.find(({ name }) => name === params.name)
    const context = authInfo?.extra?.context as SandboxContext
    if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${params.name}.`)
    return callApi(app, context, tool, params.arguments ?? {})
  })
  await mcp.connect(transport)
  return session
}

/** Makes a tool's request of the API with the key of the call; it counts as part of the call. */
async function callApi(
  app: Hono<SandboxEnv>,
  { env, req }: SandboxContext,
  { request }: ApiTool,
  args: Args,
): Promise<CallToolResult> {
  const { method, path, json } = request(args)
  const body = json === undefined ? '' : JSON.stringify(json)
  const entry = { ...env.entry, method, path, body }
  const headers = { authorization: req.header('authorization') ?? '' }
  const asked = new Request(new URL(path, req.url), { method, headers, body: body || null })
  const response = await app.fetch(asked, { ...env, entry })
  env.entry.effect ||= entry.effect
  const content = [{ type: 'text' as const, text: await response.text() }]
  return response.ok ? { content } : { content, isError: true }
}
