import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'

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
  const left = new AbortController()
  to.once('close', () => left.abort())
  const request = requestOf(from, left.signal)
  let response: Response
  if (handle === undefined || request === undefined) {
    response = new Response('No such request is answered here.\n', { status: 400 })
  } else {
    try {
      response = await handle(request)
    } catch {
      response = broken(request)
    }
  }
  // What is left of a request that was refused early is not waited for.
  if (!from.complete) to.setHeader('connection', 'close')
  to.writeHead(response.status, headersOf(response))
  // An answer may go on for as long as the browser is there.
  if (response.body === null) to.end()
  else await pipeline(Readable.fromWeb(response.body as WebStream), to)
}

/** What was sent may have been taken before it broke: nobody is told that it was not. */
function broken({ method }: Request): Response {
  const taken =
    method === 'POST'
      ? 'What you sent may have been taken all the same: look at the page again before you send it once more.'
      : 'Load the page again in a moment.'
  return new Response(`Something is broken here. ${taken}\n`, {
    status: 500,
    headers: {
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  })
}

/** Each cookie keeps a line of its own. */
function headersOf({ headers }: Response): Record<string, string | string[]> {
  const cookies = headers.getSetCookie()
  const others = Object.fromEntries(headers)
  return cookies.length === 0 ? others : { ...others, 'set-cookie': cookies }
}

/** Undefined for what no browser sends: another form of address, no host, a method that `fetch` forbids. */
function requestOf(from: IncomingMessage, signal: AbortSignal): Request | undefined {
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
    return new Request(url, { method, headers, body, signal, duplex: 'half' } as RequestInit)
  } catch {
    return undefined
  }
}
