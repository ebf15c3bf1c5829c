import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
} from 'node:http'
import { duplexPair } from 'node:stream'
import type { LogEntry } from '../log.ts'

interface InnerRequest {
  readonly method: string
  /** With query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface App {
  callback(): RequestListener
}

/** A Node HTTP application that is spoken to without a port. */
export interface Inner {
  ask(request: InnerRequest, entry?: LogEntry): Promise<Response>
  /** The request that is being handled, wherever in the application this is called. */
  current(): LogEntry | undefined
}

const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length'])

/** The application is made when the first request comes. */
export function createInner(create: () => Promise<App>): Inner {
  const running = new AsyncLocalStorage<LogEntry | undefined>()
  let listener: Promise<RequestListener> | undefined
  return {
    current: () => running.getStore(),
    async ask({ method, path, headers, body }, entry) {
      listener ??= create().then((app) => app.callback())
      const handle = await listener
      const [ours, theirs] = duplexPair()
      const server = createServer((incoming, outgoing) =>
        running.run(entry, () => handle(incoming, outgoing)),
      )
      server.emit('connection', theirs)
      const { promise, resolve, reject } = Promise.withResolvers<Response>()
      const kept = Object.entries(headers).filter(([name]) => !ofConnection.has(name))
      const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const sent = request(
        {
          createConnection: () => ours,
          method,
          path,
          headers: { ...Object.fromEntries(kept), ...length, connection: 'close' },
        },
        (answer) => void read(answer).then(resolve, reject),
      )
      sent.on('error', reject)
      sent.end(body)
      return promise
    },
  }
}

async function read(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const headers = new Headers()
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = answer.rawHeaders.slice(at, at + 2)
    if (!ofConnection.has(name.toLowerCase())) headers.append(name, value)
  }
  const body = Buffer.concat(chunks)
  return new Response(body.length === 0 ? null : body, {
    status: answer.statusCode ?? 500,
    headers,
  })
}
