import type { Trace } from '../trace.ts'

/**
 * The one thing that opens a connection. On Node it is supplied with the checked address pinned to
 * the connection (`src/node/transport.ts`); elsewhere the application passes a `fetch`.
 *
 * `request` never follows a redirect and never decodes a credential: it is `fetch` with
 * `redirect: 'manual'`, whose answer shows the real status and `Location`. `checkAddress` is called
 * with every address that the name resolves to before a connection is opened or one that is open is
 * used again; what it throws ends the request with nothing sent.
 *
 * A failure known to have happened before anything was written is thrown as an `AuthError` whose
 * `details.sent` is `false`; of any other failure the caller assumes that the request arrived.
 */
export interface Transport {
  /** True where `checkAddress` really sees every address that is dialled. */
  readonly pinsAddresses: boolean
  /** True where the application vouches that private addresses are out of reach (`webTransport`). */
  readonly vouched?: boolean
  request(request: Request, checkAddress: (address: string) => void): Promise<Response>
}

/** Let `localhost`, `*.localhost` and loopback addresses be spoken to, over http as well. For development. */
export const allowLoopback: unique symbol = Symbol('authmd.allowLoopback')

/** Limits of one guarded request. Default: 1 MiB, 10 s, 5 redirects. */
export interface NetLimits {
  /** Bytes of a body that we read, after decompression. */
  readonly maxBytes: number
  /** Milliseconds for the whole request, body included. */
  readonly timeoutMs: number
  /** Redirects followed. */
  readonly maxHops: number
}

/** What the application may set about the network. */
export interface NetOptions {
  readonly transport: Transport
  readonly limits?: Partial<NetLimits>
  readonly [allowLoopback]?: true
  readonly trace?: Trace | undefined
}

/** One redirect that was followed: who answered it, and how. */
export interface Hop {
  readonly url: string
  readonly status: number
}

/** An answer read to its end within the limits. */
export interface GuardedAnswer {
  /** The URL that answered, after redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** Media type in lower case without parameters; '' when absent. */
  readonly mediaType: string
  /** Decoded text: UTF-8, or UTF-16 where a byte order mark says so. The mark is dropped. */
  readonly text: string
  readonly hops: readonly Hop[]
}

/** One request of ours: discovery, registration, claim, refresh, revoke. */
export interface GuardedRequest {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /**
   * The URL at which all this started, as the application or the model named it. Loopback is allowed
   * only where this one is loopback too and the application set `[allowLoopback]`.
   */
  readonly start: string
  /**
   * What to do with a redirect. `same-origin` (default): follow within the origin, else throw.
   * `checked`: follow anywhere that may be spoken to, but leave every header except `accept` behind
   * when the origin changes, and never carry a body there. `none`: the redirect is the answer.
   */
  readonly redirects?: 'none' | 'same-origin' | 'checked'
  readonly limits?: Partial<NetLimits>
  readonly signal?: AbortSignal
  /** A method's name for it, whose path may be nobody's to see; a request of discovery has none. */
  readonly name?: string
  /** How often it was sent before. */
  readonly resent?: number
}

/**
 * Reads a whole answer, every hop checked. A 4xx or 5xx is an answer.
 *
 * Throws only `AuthError`, always with `details.sent`: `false` where the request surely never reached
 * the service, else `true`. Codes: `invalid_input`, `invalid_url`, `address_refused`,
 * `redirect_refused`, `response_too_large`, `response_timeout`, `response_malformed`,
 * `network_failed`, `aborted`.
 */
export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedAnswer>
