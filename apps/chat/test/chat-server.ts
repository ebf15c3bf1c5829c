import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Agent } from '../src/server/agent.ts'

/** What was built, served on this machine as `next start` serves it. */
export interface ChatServer {
  readonly url: string
  /** Begins anew, with another service and nobody known. */
  renew(): Promise<Agent>
  /** All that was sent since then, but for the person's mail. */
  sent(): string
  close(): Promise<void>
}

const kept = globalThis as { authmdChat?: Promise<Agent> | undefined }

export async function startChat(): Promise<ChatServer> {
  const server = createServer()
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  process.env.PORT = String(port)
  const { default: next } = await import('next')
  const dir = join(import.meta.dirname, '..')
  const app = next({ dir, dev: false, hostname: '127.0.0.1', port })
  await app.prepare()
  const handle = app.getRequestHandler()
  const bodies: (() => string)[] = []
  server.on('request', (request, response) => {
    // What is not compressed can be searched.
    delete request.headers['accept-encoding']
    if (request.url !== '/mailbox') bodies.push(bodyOf(response))
    void handle(request, response)
  })
  const url = `http://127.0.0.1:${port}`

  async function end() {
    const agent = await kept.authmdChat
    kept.authmdChat = undefined
    await agent?.sandbox.close()
  }
  async function renew() {
    await end()
    bodies.length = 0
    await fetch(url)
    const agent = await kept.authmdChat
    if (agent === undefined) throw new Error('the page has met no service')
    return agent
  }
  async function close() {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    await app.close()
    await end()
  }
  const sent = () => bodies.map((body) => body()).join('\n')
  return { url, renew, sent, close }
}

/** What is written into an answer, also where a browser that goes on to another page does not keep it. */
function bodyOf(response: ServerResponse): () => string {
  const chunks: Buffer[] = []
  for (const name of ['write', 'end'] as const) {
    const own = response[name].bind(response) as (...args: unknown[]) => unknown
    const told = (...args: unknown[]) => {
      const [chunk] = args
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
      return own(...args)
    }
    Object.assign(response, { [name]: told })
  }
  return () => Buffer.concat(chunks).toString()
}
