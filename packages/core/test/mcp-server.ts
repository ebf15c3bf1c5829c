import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import type { MountOptions } from '../src/mcp/mount.ts'
import { type Held, hold } from './held.ts'

export interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/**
 * How a server of a test answers one message; what it does not take is answered as MCP has it. A request
 * without a message comes as one of the method `GET` or `DELETE`.
 */
export type Script = (message: Message, reply: Reply) => unknown

/** One answer over HTTP. */
export class Reply {
  readonly response: ServerResponse
  readonly #id: Message['id']

  constructor(response: ServerResponse, id: Message['id']) {
    this.response = response
    this.#id = id
  }

  message(body: object): string {
    return JSON.stringify({ jsonrpc: '2.0', id: this.#id, ...body })
  }

  json(body: object): void {
    this.response.writeHead(200, { 'content-type': 'application/json' }).end(this.message(body))
  }

  /** Begins an event stream. */
  open(): void {
    this.response.writeHead(200, { 'content-type': 'text/event-stream' })
  }

  event(text: string): void {
    this.response.write(`event: message\ndata: ${text}\n\n`)
  }

  /** The answer as an event, cut in two wherever `at` stands in it. */
  async torn(body: object, at: string): Promise<void> {
    this.open()
    const parts = `data: ${this.message(body)}\n\n`.split(at)
    const half = Math.floor(at.length / 2)
    for (const [n, part] of parts.entries()) {
      const last = n === parts.length - 1
      this.response.write((n > 0 ? at.slice(half) : '') + part + (last ? '' : at.slice(0, half)))
      await sleep(5)
    }
    this.response.end()
  }

  text(text: string): void {
    this.json({ result: { content: [{ type: 'text', text }] } })
  }
}

/** A tool as a list has it. */
export const tool = (name: string, more: object = {}) => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object', properties: {} },
  ...more,
})

/** An MCP server on loopback that does what a test says, and an owner who holds the canary for it. */
export async function mcpServer(
  script: Script,
  options: Partial<AgentAuthOptions> = {},
): Promise<
  Held & {
    readonly url: string
    readonly messages: readonly Message[]
    /** How often this tool was called. */
    calls(name: string): number
    mount(options?: MountOptions): ReturnType<Held['session']['mount']>
  }
> {
  const messages: Message[] = []
  const held: Held = await hold(
    async (request, response) => {
      if (request.method !== 'POST') {
        await script({ method: request.method ?? '' }, new Reply(response, undefined))
        if (!response.headersSent) response.writeHead(405).end()
        return
      }
      const message = JSON.parse(held.service.seen.at(-1)?.body ?? '') as Message
      messages.push(message)
      const reply = new Reply(response, message.id)
      await script(message, reply)
      if (response.headersSent || response.destroyed) return
      standard(message, reply)
    },
    {},
    options,
  )
  const url = `${held.service.origin}/mcp`
  return {
    ...held,
    url,
    messages,
    calls: (name) =>
      messages.filter(({ method, params }) => method === 'tools/call' && params?.name === name)
        .length,
    mount: (more) => held.session.mount(url, { prefix: 'x', ...more }),
  }
}

function standard({ id, method, params }: Message, reply: Reply): void {
  if (id === undefined || method === undefined) {
    reply.response.writeHead(202).end()
  } else if (method === 'initialize') {
    const serverInfo = { name: 'made-up', version: '0' }
    const { protocolVersion } = params ?? {}
    reply.json({ result: { protocolVersion, serverInfo, capabilities: { tools: {} } } })
  } else if (method === 'tools/list') {
    reply.json({ result: { tools: [tool('read'), tool('write')] } })
  } else if (method === 'tools/call') {
    reply.text('done')
  } else {
    reply.json({ error: { code: -32601, message: 'no such method' } })
  }
}
