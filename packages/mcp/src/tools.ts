import { randomUUID } from 'node:crypto'
import {
  authTools,
  type Call,
  faultResult,
  type Session,
  seeThrough,
  type ToolResult,
  toolOutput,
  type Verb,
} from '@authmd/core'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { type Approvals, channel } from './approval.ts'
import { Client } from './client.ts'

/** Below the minute after which clients commonly give a request up. */
const patienceMs = 45_000

/**
 * What a result's `structuredContent` is: plain JSON without a secret. Clients may show it to the model
 * instead of the text; so the text is in it, and the words of a service, marked, nowhere else.
 */
const outputSchema = z.object({
  text: z.string().describe('the result in words; ends with what to do next'),
  outcome: z.looseObject({ status: z.string(), next: z.string() }).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})
const serviceWords = new Set(['problem', 'body', 'headers', 'errors', 'warnings', 'notice'])

const adds: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, openWorldHint: true }
const annotations: Record<Verb, ToolAnnotations> = {
  discover: { readOnlyHint: true, openWorldHint: true },
  register: adds,
  claim: adds,
  use: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  revoke: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
}

export function addTools(server: McpServer, session: Session, approvals: Approvals): void {
  // Not the transport's session id: over stdio there is none.
  const thread = `mcp-${randomUUID()}`
  for (const { name, verb, title, description, inputSchema, run } of authTools) {
    const config = { title, description, inputSchema, outputSchema, annotations: annotations[verb] }
    server.registerTool(name, config, async (input, extra): Promise<CallToolResult> => {
      const callId = `${thread}:${JSON.stringify(extra.requestId).slice(0, 80)}`
      const call: Call = { channel, callId, thread }
      const client = new Client(server.server, extra)
      try {
        await approvals.ask(verb, input, call, client)
        const result = await seenThrough(await run(session, input, call), session, call, client)
        return output(result, await approvals.handOver(result.outcome, client))
      } catch (thrown) {
        return output(faultResult(thrown))
      }
    })
  }
}

/** For a client that listens: waits for what goes on by itself. A person is not kept from the result. */
async function seenThrough(first: ToolResult, session: Session, call: Call, client: Client) {
  let stop: (() => void) | undefined
  const told = () => {
    stop ??= client.keepTelling('Waiting for the service')
  }
  const options = { patienceMs: client.listens ? patienceMs : 0, signal: client.signal, told }
  let last = first
  try {
    for await (last of seeThrough(session, first, call, options)) {
      if (last.outcome?.status !== 'pending') break
    }
  } finally {
    stop?.()
  }
  return last
}

function output(result: ToolResult, note: string = ''): CallToolResult {
  const { text: said, ...rest } = toolOutput(result)
  const text = note === '' ? said : `${said}\n${note}`
  const keep = (key: string, value: unknown) => (serviceWords.has(key) ? undefined : value)
  return {
    content: [{ type: 'text', text }],
    structuredContent: JSON.parse(JSON.stringify({ text, ...rest }, keep)),
    ...(result.error ? { isError: true } : {}),
  }
}
