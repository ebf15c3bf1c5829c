import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { SandboxClock } from './clock.ts'
import { Faults } from './faults.ts'
import { Ledger } from './ledger.ts'
import type { LogEntry } from './log.ts'

const maxBodyBytes = 1_000_000

export interface SandboxEnv {
  Bindings: HttpBindings & { entry: LogEntry }
}
export type SandboxContext = Context<SandboxEnv>
type Handler = (c: SandboxContext) => Promise<Response>

/** One HTTP server on 127.0.0.1 with a virtual host for each site of each service. */
export interface SandboxServer {
  readonly port: number
  readonly clock: SandboxClock
  readonly log: LogEntry[]
  readonly ledger: Ledger
  readonly faults: Faults
  /** `http://` + host name + port, no slash at the end. */
  origin(hostname: string): string
  /** Serves a host. An unlogged one is the sandbox's own and meets no faults. */
  mount(hostname: string, app: Hono<SandboxEnv>, options?: { logged: boolean }): void
  /**
   * Makes a handler out of what a service does at one endpoint: gives it its name and lets it run
   * into faults. `arrive` happens in any case, even where a fault keeps the service from acting.
   */
  endpoint<T = undefined>(
    name: string,
    handle: (c: SandboxContext, arrived: T) => Response | Promise<Response>,
    arrive?: (c: SandboxContext) => T,
  ): Handler
  close(): Promise<void>
}

export async function startServer(port: number, clock: SandboxClock): Promise<SandboxServer> {
  const hosts = new Map<string, { app: Hono<SandboxEnv>; logged: boolean }>()
  const log: LogEntry[] = []
  const ledger = new Ledger(clock, () => bound)
  const faults = new Faults()
  let seq = 0
  let bound = port

  function open({ incoming, outgoing }: HttpBindings, host: string, name: string): LogEntry {
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    )
    seq += 1
    const entry: LogEntry = {
      n: log.length + 1,
      name,
      method: incoming.method ?? 'GET',
      host,
      path: incoming.url ?? '/',
      effect: false,
      startedAt: clock.now(),
      startSeq: seq,
      headers,
      body: '',
    }
    const authorization = ledger.findBearer(headers.authorization)?.id
    if (authorization !== undefined) entry.authorization = authorization
    const ended = () => {
      if (entry.endSeq !== undefined) return
      seq += 1
      entry.endSeq = seq
      entry.endedAt = clock.now()
    }
    // `prefinish` comes before a client can have read the last byte, `finish` may come after it.
    outgoing.on('prefinish', ended)
    outgoing.on('close', ended)
    return entry
  }

  async function dispatch(request: Request, env: HttpBindings): Promise<Response> {
    const hostname = hostnameOf(env.incoming.headers.host)
    const host = hosts.get(hostname)
    const entry = open(env, hostname, host ? 'not_found' : 'unknown_host')
    if (host?.logged !== false) log.push(entry)
    const bodyless = request.method === 'GET' || request.method === 'HEAD'
    const body = bodyless ? '' : await readBody(request)
    if (body === undefined) return respond(entry, plain(413, 'Too large'))
    entry.body = body
    if (!host) return respond(entry, plain(404, 'No such host'))
    const { url, method, headers } = request
    const again = new Request(url, { method, headers, body: bodyless ? null : body })
    return respond(entry, await host.app.fetch(again, { ...env, entry }))
  }

  const server = createAdaptorServer({
    fetch: (request, env) => dispatch(request, env as HttpBindings),
    overrideGlobalObjects: false,
  }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  bound = (server.address() as AddressInfo).port

  return {
    port: bound,
    clock,
    log,
    ledger,
    faults,
    origin: (hostname) => `http://${hostname}:${bound}`,
    mount: (hostname, app, { logged } = { logged: true }) => {
      hosts.set(hostname, { app, logged })
    },
    endpoint(name, handle, arrive) {
      faults.register(name)
      return async (c) => {
        const { entry } = c.env
        entry.name = name
        const arrived = arrive?.(c)
        const encounter = faults.take(entry)
        const early = await encounter.at('before')
        if (early === 'cut') return cut(c)
        // `arrived` is undefined exactly where T is: no `arrive` was given.
        const own = early ?? (await handle(c, arrived as Parameters<typeof handle>[1]))
        const late = await encounter.at('after')
        if (late === 'cut') return cut(c)
        return encounter.replaceBody(late ?? own)
      }
    },
    async close() {
      faults.clear()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

const cutHeader = 'x-sandbox-cut'

function cut(c: SandboxContext): Response {
  c.env.incoming.socket.destroy()
  return new Response(null, { headers: { [cutHeader]: '1' } })
}

function respond(entry: LogEntry, response: Response): Response {
  if (!response.headers.has(cutHeader)) entry.status = response.status
  return response
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain' } })
}

function hostnameOf(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d*$/, '')
}

async function readBody(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBodyBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
