import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

/** A server for the browser of this machine alone. */
export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Stops listening; what is being answered is answered. */
  stop(): void
  /** Stops listening and ends open connections. */
  close(): Promise<void>
}

/** What answers; undefined as long as nothing can be answered yet. */
export type LocalHandler = () => ((request: Request) => Promise<Response>) | undefined

/**
 * Listens on 127.0.0.1, at a free port where `port` is 0.
 *
 * @throws What `listen` reports, such as a port that is in use
 */
export async function listenLocally(port: number, handler: LocalHandler): Promise<LocalServer> {
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 }, (from, to) => {
    answer(handler(), from, to).catch(() => to.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => void server.close(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  handle: ReturnType<LocalHandler>,
  from: IncomingMessage,
  to: ServerResponse,
): Promise<void> {
  const request = requestOf(from)
  let response: Response
  if (handle === undefined || request === undefined) {
    response = new Response('No such request is answered here.\n', { status: 400 })
  } else {
    try {
      response = await handle(request)
    } catch {
      response = new Response('Something is broken here. Nothing was taken.\n', { status: 500 })
    }
  }
  // What is left of a request that was refused early is not waited for.
  if (!from.complete) to.setHeader('connection', 'close')
  to.writeHead(response.status, Object.fromEntries(response.headers))
  to.end(new Uint8Array(await response.arrayBuffer()))
}

/** Undefined for what no browser sends: another form of address, no host, a method that `fetch` forbids. */
function requestOf(from: IncomingMessage): Request | undefined {
  const { host } = from.headers
  const url = from.url?.startsWith('/') && host ? URL.parse(`http://${host}${from.url}`) : null
  if (url === null) return undefined
  const headers = new Headers()
  for (let at = 0; at + 1 < from.rawHeaders.length; at += 2) {
    headers.append(from.rawHeaders[at] ?? '', from.rawHeaders[at + 1] ?? '')
  }
  const { method = 'GET' } = from
  const bodyless = method === 'GET' || method === 'HEAD'
  try {
    const body = bodyless ? null : (Readable.toWeb(from) as ReadableStream<Uint8Array>)
    return new Request(url, { method, headers, body, duplex: 'half' } as RequestInit)
  } catch {
    return undefined
  }
}
