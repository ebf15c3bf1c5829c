import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Agent } from '../src/server/agent.ts'

/** What was built, served on this machine as `next start` serves it. */
export interface ChatServer {
  readonly url: string
  /** Begins anew, with another service and nobody known. */
  renew(): Promise<Agent>
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
  server.on('request', (request, response) => void handle(request, response))
  const url = `http://127.0.0.1:${port}`

  async function end() {
    const agent = await kept.authmdChat
    kept.authmdChat = undefined
    await agent?.sandbox.close()
  }
  async function renew() {
    await end()
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
  return { url, renew, close }
}
