import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AgentAuth, AuthError } from '@authmd/core'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { type AuthServerOptions, createAuthServer } from './server.ts'

/** Lets {@link serveHttp} listen where other machines can reach it. Put TLS in front of it. */
export const allowRemote: unique symbol = Symbol('authmd.allowRemote')

/** For whom a token speaks. */
export type Caller = Pick<AuthServerOptions, 'owner' | 'approver'>

/** What the application sets. */
export interface HttpOptions extends Pick<AuthServerOptions, 'intakeUrl'> {
  /** Bearer tokens (random, at least 32 characters) with their callers, or a function that knows. */
  readonly callers:
    | readonly (Caller & { readonly token: string })[]
    | ((token: string) => Caller | undefined | Promise<Caller | undefined>)
  /** Where to listen; `127.0.0.1` where it is left out. */
  readonly host?: string
  /** 0, the default, takes any free one. */
  readonly port?: number
  /** `Host` headers to answer beside this server's own address, such as `mcp.acme.example`. */
  readonly allowedHosts?: readonly string[]
  /** Origins whose pages may call, such as `https://acme.example`; none where it is left out. */
  readonly allowedOrigins?: readonly string[]
  readonly [allowRemote]?: true
}

/** `url` is where clients connect to; `close` ends all sessions. */
export interface HttpServer {
  readonly url: string
  close(): Promise<void>
}

interface Session {
  readonly key: string
  readonly server: McpServer
  readonly transport: StreamableHTTPServerTransport
}

const path = '/mcp'
const maxRequestBodySize = 1024 * 1024
const maxSessionsPerCaller = 32
const loopback = ['127.0.0.1', '[::1]', 'localhost']

/**
 * Serves the five tools over streamable HTTP at `/mcp`. A request is looked at only if its `Host`, its
 * `Origin` if it has one, and its bearer token are known; a session is its caller's alone.
 *
 * @throws AuthError `invalid_input` for a short token, or for a host that is not loopback without
 * {@link allowRemote} and `allowedHosts`; `owner_invalid`
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 * @example
 * ```ts
 * const { url } = await serveHttp(auth, { callers: [{ token, owner: { tenant: 'acme' } }] })
 * ```
 */
export async function serveHttp(auth: AgentAuth, options: HttpOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0, allowedHosts = [], allowedOrigins = [] } = options
  const name = host.includes(':') ? `[${host}]` : host
  if (!loopback.includes(name) && !(options[allowRemote] && allowedHosts.length > 0)) {
    const fault = 'host: not loopback without [allowRemote] and allowedHosts'
    throw new AuthError('invalid_input', fault)
  }
  const hosts = new Set(allowedHosts.map((one) => one.toLowerCase()))
  const callerOf = finder(auth, options.callers)
  /** By their ids; the one that was used last is last. */
  const sessions = new Map<string, Session>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin, authorization = '' } = request.headers
    if (!hosts.has(request.headers.host?.toLowerCase() ?? '')) return refuse(response, 403, 'host')
    if (origin !== undefined && !allowedOrigins.includes(origin)) {
      return refuse(response, 403, 'origin')
    }
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1]
    const caller = token === undefined ? undefined : await callerOf(token)
    if (caller === undefined) return refuse(response, 401, 'token')
    if (request.url?.split('?', 1)[0] !== path) return refuse(response, 404, 'path')
    const key = JSON.stringify([auth.as(caller.owner).owner, caller.approver])
    const id = request.headers['mcp-session-id']?.toString()
    const session = id === undefined ? await begin(caller, key) : sessions.get(id)
    // Another caller's session is not told from one that does not exist.
    if (session?.key !== key) return refuse(response, 404, 'session')
    if (id !== undefined && sessions.delete(id)) sessions.set(id, session)
    await session.transport.handleRequest(request, response)
    // The transport refuses whatever does not begin a session; then none is kept.
    if (session.transport.sessionId === undefined) await session.server.close()
  }

  async function begin(caller: Caller, key: string): Promise<Session> {
    const server = createAuthServer(auth, { ...caller, intakeUrl: options.intakeUrl })
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize,
      onsessioninitialized: (id) => {
        sessions.set(id, { key, server, transport })
        server.server.onclose = () => sessions.delete(id)
        // Clients that were killed end no session: the one unused for longest goes.
        const own = [...sessions.values()].filter((one) => one.key === key)
        if (own.length > maxSessionsPerCaller) void own[0]?.server.close()
      },
    })
    await server.connect(transport)
    return { key, server, transport }
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => refuse(response, 500, 'fault'))
  })
  await new Promise<void>((done, fail) => http.once('error', fail).listen(port, host, done))
  const bound = (http.address() as AddressInfo).port
  for (const own of loopback) hosts.add(`${own}:${bound}`)
  const close = async () => {
    const closed = new Promise((done) => http.close(done))
    for (const { server } of sessions.values()) await server.close()
    http.closeAllConnections()
    await closed
  }
  return { url: `http://${name}:${bound}${path}`, close }
}

/** Finds the caller of a token; of listed tokens, in a time that tells nothing of them. */
function finder(auth: AgentAuth, callers: HttpOptions['callers']) {
  if (typeof callers === 'function') return callers
  const sha256 = (text: string) => createHash('sha256').update(text).digest()
  const known = callers.map(({ token, ...caller }) => {
    auth.as(caller.owner)
    if (/^[\x21-\x7e]{32,}$/.test(token)) return { caller, hash: sha256(token) }
    throw new AuthError('invalid_input', 'token: at least 32 visible ASCII characters')
  })
  return (token: string) => {
    const given = sha256(token)
    return known.filter(({ hash }) => timingSafeEqual(hash, given))[0]?.caller
  }
}

/** Closes the connection, so that what may still come of the request is not read. */
function refuse(response: ServerResponse, status: number, what: string): void {
  if (response.headersSent) return void response.destroy()
  const asks = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...asks })
  const error = { code: -32000, message: `refused: ${what}` }
  response.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
}
