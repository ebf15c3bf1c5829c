import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Answers a request; its signal fires when whoever asked has gone. */
export type Handler = (request: Request) => Promise<Response> | Response

export interface Served {
  /** `http://127.0.0.1:<port>`, and no other name. */
  readonly url: string
  close(): Promise<void>
}

/** Serves a web-standard handler on this machine alone, on any free port. */
export async function serve(makeHandler: (url: string) => Handler): Promise<Served> {
  const server = createServer((from, to) => {
    answer(handler, url, from, to).catch(() => to.destroy())
  })
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const handler = makeHandler(url)
  const close = async () => {
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    await closed
  }
  return { url, close }
}

async function answer(handler: Handler, url: string, from: IncomingMessage, to: ServerResponse) {
  const gone = new AbortController()
  to.once('close', () => gone.abort())
  const response = await handled(handler, url, from, gone.signal)
  to.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) return void to.end()
  to.flushHeaders()
  await pipeline(Readable.fromWeb(response.body as import('node:stream/web').ReadableStream), to)
}

async function handled(handler: Handler, url: string, from: IncomingMessage, signal: AbortSignal) {
  // Another name for this machine is a page of somebody else that found it.
  if (`http://${from.headers.host}` !== url) return new Response(`Open ${url}\n`, { status: 421 })
  const { method = 'GET', headers } = from
  const bodyless = method === 'GET' || method === 'HEAD'
  const body = bodyless ? null : (Readable.toWeb(from) as ReadableStream)
  const given = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
  const init = { method, headers: given as [string, string][], body, signal, duplex: 'half' }
  try {
    return await handler(new Request(new URL(from.url ?? '/', url), init as RequestInit))
  } catch (error) {
    console.error(error)
    return new Response('Something is broken here.\n', { status: 500 })
  }
}
