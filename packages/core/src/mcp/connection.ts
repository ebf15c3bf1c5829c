import { z } from 'zod'
import { AuthError } from '../errors.ts'
import { orAborted } from '../net/abort.ts'
import type { Choice } from '../use/authorised-fetch.ts'
import type { McpParts } from './access.ts'
import { type Listing, readListing } from './definition.ts'
import { wireFetch } from './wire.ts'

/** Milliseconds of one exchange: of opening with all it takes, and of a call. */
const timeoutMs = 60_000
const maxPages = 50
const maxListed = 1_000

type Sdk = Awaited<ReturnType<typeof loadSdk>>
type Client = InstanceType<Sdk['Client']>
type Transport = InstanceType<Sdk['StreamableHTTPClientTransport']>

/** Stands in the error of a request whose answer was lost on the way. */
const lostMark = Symbol('lost')
const connectionClosed = -32_000

const page = z.looseObject({
  tools: z.array(z.unknown()),
  nextCursor: z.string().optional().catch(undefined),
})
const anyResult = z.looseObject({})

/** A conversation with an MCP server for one credential. It offers the server nothing to ask for. */
export class Connection {
  readonly listing: Listing
  /** The server said that its tools are others now. */
  stale: boolean = false
  readonly #client: Client
  readonly #transport: Transport
  readonly #timeoutMs: number

  private constructor(client: Client, transport: Transport, listing: Listing, timeoutMs: number) {
    this.#client = client
    this.#transport = transport
    this.listing = listing
    this.#timeoutMs = timeoutMs
    client.fallbackNotificationHandler = async ({ method }) => {
      if (method === 'notifications/tools/list_changed') this.stale = true
    }
  }

  /** Connects and reads the whole list of tools. Throws what {@link wireFetch} and the SDK throw. */
  static async open(parts: McpParts, url: URL, choose: Choice): Promise<Connection> {
    const sdk = await loadSdk()
    const patience = parts.net.limits?.timeoutMs ?? timeoutMs
    const lost = (id: string | number) => {
      // After the SDK has read what came before the end.
      setTimeout(() => transport.onmessage?.(lostAnswer(id)), 0)
    }
    const transport: Transport = new sdk.StreamableHTTPClientTransport(url, {
      fetch: wireFetch(parts, url, choose, lost),
    })
    const client = new sdk.Client(
      { name: 'authmd', version: '0' },
      // The default compiles the schemas of whoever answers.
      { capabilities: {}, jsonSchemaValidator: { getValidator: () => refuseToValidate } },
    )
    const signal = AbortSignal.timeout(patience)
    const options = { signal, timeout: 2 * patience }
    try {
      // The SDK waits for ever for an answer to its last message.
      await orAborted(signal, client.connect(transport, options))
      const entries: unknown[] = []
      let cursor: string | undefined
      for (let pages = 0; pages < maxPages; pages++) {
        const params = cursor === undefined ? {} : { cursor }
        const answer = await client.request({ method: 'tools/list', params }, page, options)
        entries.push(...answer.tools)
        cursor = answer.nextCursor
        if (cursor === undefined || entries.length > maxListed) break
      }
      if (cursor !== undefined || entries.length > maxListed) {
        throw new AuthError(
          'response_too_large',
          `the MCP server lists more than ${maxListed} tools`,
        )
      }
      return new Connection(client, transport, await readListing(entries), patience)
    } catch (error) {
      await client.close().catch(() => {})
      if (!signal.aborted) throw error
      throw new AuthError('response_timeout', `the MCP server took more than ${patience} ms`)
    }
  }

  /** Calls a tool: the result as it came, or what was thrown on the way. */
  async call(name: string, args: unknown): Promise<Readonly<Record<string, unknown>>> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const options = { signal, timeout: 2 * this.#timeoutMs }
    const params = { name, arguments: args }
    try {
      return await this.#client.request({ method: 'tools/call', params }, anyResult, options)
    } catch (error) {
      if (!signal.aborted) throw error
      throw new AuthError('response_timeout', `no answer within ${this.#timeoutMs} ms`)
    }
  }

  /** Ends it, and its session at the server where that can still be told. Throws nothing. */
  async close(): Promise<void> {
    await this.#transport.terminateSession().catch(() => {})
    await this.#client.close().catch(() => {})
  }
}

/** An error that the server answered with, by JSON-RPC. */
interface RpcFailure {
  readonly code: number
  readonly message: string
}

/** The error of the server that something thrown stands for. */
export function rpcFailure(thrown: unknown): RpcFailure | undefined {
  if (!(thrown instanceof Error) || thrown.name !== 'McpError') return undefined
  const { code, data, message } = thrown as Error & { code?: unknown; data?: unknown }
  if (typeof code !== 'number' || data === lostMark) return undefined
  return { code, message: message.replace(`MCP error ${code}: `, '') }
}

function lostAnswer(id: string | number) {
  const error = { code: connectionClosed, message: 'the answer was lost', data: lostMark }
  return { jsonrpc: '2.0' as const, id, error }
}

function refuseToValidate(): never {
  throw new AuthError('method_failed', 'schemas of a service are not compiled')
}

async function loadSdk() {
  try {
    const [{ Client }, { StreamableHTTPClientTransport }] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/client/streamableHttp.js'),
    ])
    return { Client, StreamableHTTPClientTransport }
  } catch (cause) {
    const how = 'install @modelcontextprotocol/sdk to mount the tools of a service'
    throw new AuthError('invalid_input', how, { cause })
  }
}
