import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { AgentAuth } from '../agent-auth.ts'
import type { Intake, IntakeOptions, IntakeUrl } from '../people/intake.ts'

/** A running intake page. */
export interface IntakeServer {
  /** Where it is: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** See {@link Intake.link}. */
  link(id: string): Promise<IntakeUrl>
  /** Stops listening and ends open connections. */
  close(): Promise<void>
}

/**
 * Serves the intake page on this machine alone: on 127.0.0.1, and under that name alone. For an agent
 * whose person sits at the same machine; elsewhere mount `auth.people.intake` behind https.
 *
 * @param options.port A free one is taken where it is left out.
 * @throws What `listen` reports, such as a port that is in use
 * @example
 * ```ts
 * const intake = await serveIntake(auth)
 * const { url } = await intake.link(request.id)
 * ```
 */
export async function serveIntake(
  auth: Pick<AgentAuth, 'people'>,
  options: Omit<IntakeOptions, 'baseUrl'> & { readonly port?: number } = {},
): Promise<IntakeServer> {
  const { port = 0, ...rest } = options
  let intake: Intake | undefined
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 }, (from, to) => {
    answer(intake, from, to).catch(() => to.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    intake = auth.people.intake({ ...rest, baseUrl: url })
  } catch (error) {
    server.close()
    throw error
  }
  const { link } = intake
  return {
    url,
    link,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  intake: Intake | undefined,
  from: IncomingMessage,
  to: ServerResponse,
): Promise<void> {
  const request = requestOf(from)
  let response: Response
  if (intake === undefined || request === undefined) {
    response = new Response('No such request is answered here.\n', { status: 400 })
  } else {
    try {
      response = await intake.handle(request)
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
