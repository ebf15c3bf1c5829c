import { AuthError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** What the application says about its own `fetch`. */
export interface WebTransportOptions {
  /**
   * The application vouches that this `fetch` cannot reach private addresses (an edge runtime with no
   * private network, an egress proxy that filters). Without it only the origin at which the work
   * started is spoken to, since a URL from a document could lead anywhere.
   */
  readonly vouched?: boolean
}

/**
 * A transport on an application's own `fetch`, for runtimes that have no sockets. It cannot see which
 * address is dialled. In Node.js use `nodeTransport`, which can.
 *
 * @example createGuardedFetch({ transport: webTransport(fetch, { vouched: true }) })
 */
export function webTransport(
  fetch: (request: Request) => Promise<Response>,
  options: WebTransportOptions = {},
): Transport {
  return {
    pinsAddresses: false,
    vouched: options.vouched === true,
    async request(request) {
      const response = await fetch(new Request(request, { redirect: 'manual' }))
      if (response.type === 'opaqueredirect' || response.redirected) {
        await response.body?.cancel()
        throw new AuthError(
          'redirect_refused',
          'this fetch hides redirects, so that they cannot be checked',
          { details: { sent: true } },
        )
      }
      return response
    },
  }
}
