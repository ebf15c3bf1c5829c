import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server,
  type Socket,
} from 'node:net'
import { onTestFinished } from 'vitest'

/** One request that a server of a test has seen. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real HTTP server on loopback for one test; it remembers what it was asked. */
export async function serve(handler: RequestListener): Promise<{
  origin: string
  port: number
  seen: Seen[]
  connections: () => number
}> {
  const seen: Seen[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    })
    handler(request, response)
  })
  server.on('connection', () => connections++)
  const port = await listen(server, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://localhost:${port}`, port, seen, connections: () => connections }
}

/** A server that writes its own bytes, for answers that no HTTP library would give. */
export async function serveRaw(answer: (socket: Socket) => void): Promise<{ origin: string }> {
  const sockets = new Set<Socket>()
  const server = createNetServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  const port = await listen(server, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { origin: `http://localhost:${port}` }
}

/** A listener that nobody may reach; it counts who does. */
export async function trap(
  host = '127.0.0.1',
): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createNetServer((socket) => {
    connections++
    socket.destroy()
  })
  const port = await listen(server, host)
  onTestFinished(() => {
    server.close()
  })
  return { port, connections: () => connections }
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port))
  })
}
