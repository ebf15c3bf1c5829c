import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AuthError,
  type AuthTool,
  authTools,
  type Call,
  type Session,
  type ToolResult,
  type Verb,
} from '@authmd/core'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { type Approvals, channel } from './approval.ts'
import { Client } from './client.ts'

/** Below the minute after which clients commonly give a request up. */
const patienceMs = 45_000
const pauseMs = 1_000

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
        const result = await seeThrough(await run(session, input, call), session, call, client)
        return output(result, await approvals.handOver(result.outcome, client))
      } catch (thrown) {
        // What we did not write ourselves may quote what it should not.
        const known = AuthError.isInstance(thrown)
        const error = known ? thrown : new AuthError('method_failed', 'authmd failed unexpectedly')
        return output({ error, text: `error ${error.code}: ${error.message}` })
      }
    })
  }
}

/** For a client that listens: waits for what goes on by itself, and looks no earlier than it said. */
async function seeThrough(first: ToolResult, session: Session, call: Call, client: Client) {
  const claim = authTools.find(({ verb }) => verb === 'claim') as AuthTool
  const end = Date.now() + patienceMs
  for (let result = first; ; ) {
    const { outcome } = result
    if (outcome?.status !== 'pending' || !client.listens) return result
    const { registration, notBefore } = outcome
    const waitMs = Math.max(notBefore - Date.now(), pauseMs)
    if (registration === undefined || Date.now() + waitMs > end) return result
    const wait = sleep(waitMs, undefined, client).catch(() => undefined)
    await client.during('Waiting for the service', () => wait)
    if (client.signal.aborted) return result
    result = await claim.run(session, { registration }, call)
  }
}

function output({ text: said, outcome, error }: ToolResult, note: string = ''): CallToolResult {
  const text = note === '' ? said : `${said}\n${note}`
  const content: CallToolResult['content'] = [{ type: 'text', text }]
  if (error) {
    const { code, message } = error
    return { content, structuredContent: { text, error: { code, message } }, isError: true }
  }
  const keep = (key: string, value: unknown) => (serviceWords.has(key) ? undefined : value)
  return { content, structuredContent: JSON.parse(JSON.stringify({ text, outcome }, keep)) }
}
