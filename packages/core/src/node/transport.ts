import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import { AuthError } from '../errors.ts'
import { orAborted } from '../net/abort.ts'
import type { Transport } from '../net/transport.ts'
import { displayUrl } from '../net/url.ts'
import { decompressed } from './decompress.ts'
import { outgoingBody } from './outgoing-body.ts'
import { webBody } from './web-body.ts'

/** Settings of {@link nodeTransport}. */
export interface NodeTransportOptions {
  /** All addresses of a host name. Default: the system's resolver. */
  readonly lookup?: (hostname: string) => Promise<readonly string[]>
}

/** Connections to one origin, all to addresses of one resolution. */
interface Pinned {
  readonly addresses: readonly string[]
  readonly pool: Pool
}

/** The HTTP client, loaded for the first request: it is the largest part of what this package imports. */
let undici: typeof import('undici') | undefined

interface Incoming {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly body: Readable
}

const maxHeaderBytes = 32 * 1024
/** Set by the connection itself; a `host` of the caller's could name another site. */
const ownHeaders = [
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * The transport for Node.js: HTTP/1.1 with kept-alive connections, no proxy from the environment.
 * A name is resolved once, every address is checked, and the connection goes to one of those. An open
 * connection is used again only after its addresses have passed the check of the new request.
 *
 * Bodies stream both ways. One that is there at once (a text, a form of up to 1 MiB) is sent with a
 * `Content-Length`. gzip, deflate and br are decoded; headers of an answer may be 32 KiB.
 *
 * @throws AuthError from `request`: what `checkAddress` threw, `network_failed`, `aborted`,
 * `response_malformed`, `response_too_large` (headers), `response_timeout`, `invalid_input`, each with
 * `details.sent`. A body that breaks off later rejects with one of these where it is read, an aborted
 * one with the signal's reason.
 * @example const guarded = createGuardedFetch({ transport: nodeTransport() })
 */
export function nodeTransport(options: NodeTransportOptions = {}): Transport {
  if ('bun' in process.versions) {
    // Bun replaces the HTTP client by its own, which ignores the pinned address.
    throw new AuthError(
      'invalid_input',
      'nodeTransport needs Node.js; here use webTransport(fetch)',
    )
  }
  const resolve = options.lookup ?? systemLookup
  const pools = new Map<string, Pinned>()

  async function pinned(url: URL, check: (address: string) => void): Promise<Pool> {
    const open = pools.get(url.origin)
    const addresses = open?.addresses ?? (await addressesOf(url.hostname, resolve))
    for (const address of addresses) check(address)
    undici ??= await import('undici')
    const known = pools.get(url.origin)
    if (known !== undefined && known.addresses.join() === addresses.join()) return known.pool
    return openPool(undici, url.origin, addresses, pools)
  }

  return {
    pinsAddresses: true,
    async request(request, checkAddress) {
      const url = new URL(request.url)
      const progress = { sent: false }
      try {
        request.signal.throwIfAborted()
        const body = await orAborted(request.signal, outgoingBody(request))
        try {
          const pool = await orAborted(request.signal, pinned(url, checkAddress))
          return toResponse(request, await exchange(pool, url, request, body, progress))
        } catch (error) {
          if (body instanceof Readable) body.destroy()
          throw error
        }
      } catch (error) {
        throw explain(error, url, request.signal, progress.sent)
      }
    },
  }
}

async function systemLookup(hostname: string): Promise<string[]> {
  const records = await dnsLookup(hostname, { all: true })
  return records.map((record) => record.address)
}

async function addressesOf(
  hostname: string,
  resolve: (hostname: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0) return [literal]
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return ['127.0.0.1']
  const addresses = await resolve(hostname)
  if (addresses.length === 0) throw new Error(`${hostname} has no address`)
  return addresses
}

function openPool(
  { Pool }: typeof import('undici'),
  origin: string,
  addresses: readonly string[],
  pools: Map<string, Pinned>,
): Pool {
  const records = addresses.map((address) => ({ address, family: isIP(address) }))
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const [first] = records
    if (all === true) callback(null, records)
    else callback(null, first?.address ?? '', first?.family)
  }
  const pool = new Pool(origin, {
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    connect: { lookup },
  })
  const entry = { addresses, pool }
  const retire = () => {
    const { connected, pending, queued, running } = pool.stats
    if (connected + pending + queued + running > 0) return
    if (pools.get(origin) === entry) pools.delete(origin)
    pool.close().catch(() => {})
  }
  pool.on('disconnect', retire).on('connectionError', retire)
  pools.set(origin, entry)
  return pool
}

function exchange(
  pool: Pool,
  url: URL,
  request: Request,
  body: Buffer | Readable | null,
  progress: { sent: boolean },
): Promise<Incoming> {
  const { signal } = request
  return new Promise((resolve, reject) => {
    let control: Dispatcher.DispatchController | undefined
    let incoming: Readable | undefined
    /** All of the answer has come: there is nothing left to abort. */
    let whole = false
    const onAbort = () => {
      reject(signal.reason)
      if (incoming === undefined) control?.abort(signal.reason)
      else incoming.destroy(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const finished = () => signal.removeEventListener('abort', onAbort)

    const target = {
      path: `${url.pathname}${url.search}`,
      method: request.method as Dispatcher.HttpMethod,
      headers: outgoingHeaders(request, body),
      body,
    }
    pool.dispatch(target, {
      onRequestStart(controller) {
        if (signal.aborted) return controller.abort(signal.reason)
        // undici puts a request back in its queue when a connection closes in certain ways.
        if (progress.sent) return controller.abort(new Error('a request is sent once only'))
        control = controller
        progress.sent = true
      },
      onResponseStart(controller, status, headers, statusText = '') {
        if (status < 200) return
        incoming = new Readable({
          highWaterMark: 64 * 1024,
          read: () => controller.resume(),
          destroy(error, done) {
            finished()
            if (!whole) controller.abort(error ?? new Error('answer was not read to its end'))
            done(error)
          },
        })
        resolve({ status, statusText, headers: incomingHeaders(headers), body: incoming })
      },
      onResponseData(controller, chunk) {
        if (incoming?.push(chunk) === false) controller.pause()
      },
      onResponseEnd() {
        whole = true
        incoming?.push(null)
      },
      onResponseError(_controller, error) {
        finished()
        reject(error)
        incoming?.destroy(explain(error, url, signal, true))
      },
    })
  })
}

function outgoingHeaders(request: Request, body: Buffer | Readable | null): string[] {
  const headers = new Headers(request.headers)
  const length = headers.get('content-length')
  for (const name of ownHeaders) headers.delete(name)
  if (body instanceof Readable && length !== null) headers.set('content-length', length)
  if (!headers.has('accept')) headers.set('accept', '*/*')
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'gzip, br')
  if (!headers.has('user-agent')) headers.set('user-agent', 'authmd')
  return [...headers].flat()
}

function incomingHeaders(given: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(given)) {
    for (const value of [values ?? []].flat()) headers.append(name, value)
  }
  return headers
}

function toResponse(request: Request, answer: Incoming): Response {
  const { status, headers, statusText } = answer
  const init = {
    status,
    headers,
    statusText: /^[\t\x20-\x7e]*$/.test(statusText) ? statusText : '',
  }
  const bodiless = request.method === 'HEAD' || [204, 205, 304].includes(status)
  const body = bodiless ? null : decompressed(answer.body, headers)
  if (body === null) answer.body.on('error', () => {}).resume()
  let response: Response
  try {
    response = new Response(body && webBody(body), init)
  } catch (cause) {
    answer.body.on('error', () => {}).destroy()
    throw new AuthError('response_malformed', `answer has the status ${status}`, { cause })
  }
  Object.defineProperty(response, 'url', { value: request.url, configurable: true })
  return response
}

function explain(error: unknown, url: URL, signal: AbortSignal, sent: boolean): AuthError {
  const details = { sent }
  const where = displayUrl(url)
  if (AuthError.isInstance(error)) {
    return new AuthError(error.code, error.message, {
      cause: error.cause,
      details: { ...error.details, sent },
    })
  }
  if (signal.aborted) {
    return new AuthError('aborted', `request to ${where} was aborted`, { cause: error, details })
  }
  const known = undici?.errors
  if (known === undefined) {
    return new AuthError('network_failed', `request to ${where} failed`, { cause: error, details })
  }
  if (error instanceof known.HeadersOverflowError) {
    const message = `headers of ${where} are larger than ${maxHeaderBytes} bytes`
    return new AuthError('response_too_large', message, { cause: error, details })
  }
  if (
    error instanceof known.HTTPParserError ||
    error instanceof known.ResponseContentLengthMismatchError
  ) {
    // Not as the cause: the parser's error carries bytes of the answer.
    return new AuthError('response_malformed', `answer of ${where} breaks the protocol`, {
      details: { ...details, reason: error.message },
    })
  }
  if (error instanceof known.HeadersTimeoutError) {
    return new AuthError('response_timeout', `no answer from ${where}`, { cause: error, details })
  }
  if (error instanceof known.InvalidArgumentError) {
    return new AuthError('invalid_input', 'method, headers or body cannot be sent', { details })
  }
  return new AuthError('network_failed', `request to ${where} failed`, { cause: error, details })
}
