import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js'
import type { Hono } from 'hono'
import type { SandboxEnv } from '../server.ts'
import type { OAuthScope } from './options.ts'
import type { Bearer, Guard } from './resource.ts'
import type { OAuth } from './state.ts'

interface GuardedTool {
  readonly tool: Tool
  readonly needs?: OAuthScope
  run(site: OAuth, bearer: Bearer, args: Readonly<Record<string, unknown>>): unknown
}

const tools: readonly GuardedTool[] = [
  {
    tool: {
      name: 'whoami',
      description: 'Whose account it is.',
      inputSchema: { type: 'object', properties: {} },
      annotations: { readOnlyHint: true },
    },
    run: (_, { user = null, client }) => ({ user, client_id: client }),
  },
  {
    tool: {
      name: 'add_thing',
      description: 'Writes a thing down.',
      inputSchema: {
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
      },
      annotations: { readOnlyHint: false },
    },
    needs: 'things.write',
    run: ({ things }, { user, client }, { text }) => {
      const thing = { by: user ?? client, text: String(text ?? '') }
      things.push(thing)
      return thing
    },
  },
]

/**
 * An MCP server, streamable HTTP without sessions, as the MCP authorization chapter wants it: nothing is said
 * without a token, and a tool that needs another scope is refused with 403 and its name.
 */
export function mcpRoute(app: Hono<SandboxEnv>, site: OAuth, guard: Guard): void {
  const handle = site.server.endpoint('oauth_mcp', (c) => {
    const message = messageIn(c.env.entry.body)
    const called = tools.find(({ tool }) => tool.name === calledBy(message))
    return guard(c, called?.needs, async (bearer) => {
      if (c.req.method !== 'POST') return c.json({ error: 'method_not_allowed' }, 405)
      const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
      const mcp = serverFor(site, bearer)
      await mcp.connect(transport)
      const response = await transport.handleRequest(c.req.raw, { parsedBody: message })
      c.env.entry.effect ||= called?.needs !== undefined && response.ok
      return response
    })
  })
  app.all('/mcp', handle)
}

function serverFor(site: OAuth, bearer: Bearer): Server {
  const mcp = new Server({ name: site.name, version: '0' }, { capabilities: { tools: {} } })
  mcp.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(({ tool }) => tool) }))
  mcp.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    const known = tools.find(({ tool }) => tool.name === params.name)
    if (!known) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${params.name}.`)
    const result = known.run(site, bearer, params.arguments ?? {})
    return { content: [{ type: 'text', text: JSON.stringify(result) }] }
  })
  return mcp
}

function messageIn(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function calledBy(message: unknown): unknown {
  const { method, params } = Object(message) as { method?: unknown; params?: { name?: unknown } }
  return method === 'tools/call' ? params?.name : undefined
}
