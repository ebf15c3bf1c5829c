import { createServer, request as httpRequest, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { Readable } from 'node:stream'
import type { Transport } from '@authmd/core'
import { onTestFinished } from 'vitest'

/** What one address answers: Markdown, or a status with type, headers and body. */
export type Page =
  | string
  | { status?: number; type?: string; headers?: Record<string, string>; body?: unknown }

/** Pages by `host/path`; what is not there is a 404. */
export type Pages = Readonly<Record<string, Page>>

interface World {
  readonly transport: Transport
  /** `GET host/path`, in the order of arrival. */
  readonly seen: string[]
}

/**
 * Sites under real names: https for the doctor, real HTTP on loopback underneath, whatever the host. So
 * rules that treat loopback kindly are tried as publishers meet them.
 */
export async function startWorld(pages: Pages | RequestListener): Promise<World> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`)
    if (typeof pages === 'function') return void pages(request, response)
    const page = pages[`${request.headers.host}${request.url}`] ?? { status: 404 }
    const parts =
      typeof page === 'string' ? { type: 'text/markdown; charset=utf-8', body: page } : page
    const { status = 200, headers = {}, body = '' } = parts
    const json = typeof body !== 'string'
    const type = parts.type ?? (json ? 'application/json' : undefined)
    response.writeHead(status, { ...(type && { 'content-type': type }), ...headers })
    response.end(json ? JSON.stringify(body) : body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, transport: throughLoopback(port) }
}

function throughLoopback(port: number): Transport {
  return {
    pinsAddresses: true,
    request: (request) =>
      new Promise((resolve, reject) => {
        const url = new URL(request.url)
        const sent = httpRequest(
          {
            host: '127.0.0.1',
            port,
            path: url.pathname + url.search,
            method: request.method,
            headers: { ...Object.fromEntries(request.headers), host: url.host },
            signal: request.signal,
          },
          (incoming) => {
            const { statusCode = 200, headers } = incoming
            const empty = request.method === 'HEAD' || [204, 304].includes(statusCode)
            const body = empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>)
            if (empty) incoming.resume()
            const pairs = Object.entries(headers).map(
              ([name, value]) => [name, String(value)] as [string, string],
            )
            resolve(new Response(body, { status: statusCode, headers: pairs }))
          },
        )
        sent.on('error', reject)
        sent.end()
      }),
  }
}

/** A listener that nobody may reach; it counts who does. */
export async function trap(): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createNetServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}
