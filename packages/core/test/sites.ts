import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type DiscoverDeps, discover } from '../src/discovery/discover.ts'
import type { ServiceProfile } from '../src/discovery/profile.ts'
import { createGuardedFetch } from '../src/net/guarded-fetch.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { nodeTransport } from '../src/node/transport.ts'

/** What one address answers: Markdown, or a status with type, headers and body; or it never does. */
export type Page =
  | string
  | { never: true }
  | { status?: number; type?: string; headers?: Record<string, string | string[]>; body?: unknown }

/** A page, or what makes one of each request. */
type Served = Page | ((request: IncomingMessage) => Page)

/** Pages by `host/path`; `{port}` in a page stands for the port. A missing one is a 404 without a body. */
export type Pages = Readonly<Record<string, Served>>

export interface Sites {
  readonly port: number
  /** `GET host/path`, in the order of arrival. */
  readonly seen: string[]
  /** The most requests that one host had open at a time. */
  readonly mostAtOnce: () => number
  url(address: string): string
  discover(address: string, deps?: Partial<DiscoverDeps>): Promise<ServiceProfile>
}

/** Sites on virtual hosts below `.localhost`, over real HTTP, and discovery that may speak to them. */
export async function startSites(pages: Pages, delayMs = 0): Promise<Sites> {
  const seen: string[] = []
  const open = new Map<string, number>()
  let most = 0
  const server = createServer(async (request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    seen.push(`${request.method} ${host}${request.url}`)
    open.set(host, (open.get(host) ?? 0) + 1)
    most = Math.max(most, open.get(host) ?? 0)
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    open.set(host, (open.get(host) ?? 0) - 1)
    const served = pages[`${host}${request.url}`] ?? { status: 404 }
    const page = typeof served === 'function' ? served(request) : served
    if (typeof page === 'object' && 'never' in page) return
    const {
      status = 200,
      type,
      headers = {},
      body = '',
    } = typeof page === 'string' ? { type: 'text/markdown', body: page } : page
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const kind = type ?? (typeof body === 'string' ? undefined : 'application/json')
    const filled = JSON.parse(JSON.stringify(headers).replaceAll('{port}', `${port}`))
    response.writeHead(status, { ...(kind && { 'content-type': kind }), ...filled })
    response.end(text.replaceAll('{port}', `${port}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const fetch = createGuardedFetch({ transport: nodeTransport(), [allowLoopback]: true })
  const url = (address: string) => `http://${address.replace(/^([^/]+)/, `$1:${port}`)}`
  return {
    port,
    seen,
    mostAtOnce: () => most,
    url,
    discover: (address, deps) => discover(url(address), { fetch, now: Date.now, ...deps }),
  }
}
