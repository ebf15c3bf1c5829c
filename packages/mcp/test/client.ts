import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  type CallToolResult,
  type ClientCapabilities,
  type ElicitRequest,
  ElicitRequestSchema,
  type ElicitResult,
} from '@modelcontextprotocol/sdk/types.js'
import { token } from './wire.ts'

export type Answer = (request: ElicitRequest['params']) => ElicitResult | Promise<ElicitResult>
export const yes: Answer = () => ({ action: 'accept', content: { approve: true } })
export const no: Answer = () => ({ action: 'decline' })

export interface TestClient {
  readonly client: Client
  /** What the person was asked. */
  readonly asked: ElicitRequest['params'][]
  readonly call: (name: string, input: object, options?: RequestOptions) => Promise<CallToolResult>
  /** The same, its text alone. */
  readonly text: (name: string, input: object) => Promise<string>
  readonly close: () => Promise<void>
}

export interface ClientOptions {
  /** What the person at the client says; without it the client can ask nobody. */
  readonly answer?: Answer
  readonly elicitation?: ClientCapabilities['elicitation']
}

/** The plain client of the SDK. */
export async function connectTo(
  transport: Transport,
  { answer, elicitation = {} }: ClientOptions = {},
): Promise<TestClient> {
  const capabilities = answer ? { elicitation } : {}
  const client = new Client({ name: 'test', version: '1.0.0' }, { capabilities })
  const asked: ElicitRequest['params'][] = []
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      asked.push(params)
      return answer(params)
    })
  }
  await client.connect(transport)
  // Makes the client check structured content against the schemas of the tools.
  await client.listTools()
  const call: TestClient['call'] = async (name, input, options) => {
    const params = { name, arguments: { ...input } }
    return (await client.callTool(params, undefined, options)) as CallToolResult
  }
  const text = async (name: string, input: object) => textOf(await call(name, input))
  return { client, asked, call, text, close: () => client.close() }
}

export function overHttp(
  url: string,
  options: ClientOptions & { readonly bearer?: string } = {},
): Promise<TestClient> {
  const headers = { authorization: `Bearer ${options.bearer ?? token}` }
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
  return connectTo(transport, options)
}

export function textOf({ content }: CallToolResult): string {
  const [first] = content
  if (first?.type !== 'text' || content.length !== 1) throw new Error('expected one text')
  return first.text
}
