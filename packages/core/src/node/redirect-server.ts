import type { AgentAuth } from '../agent-auth.ts'
import { AuthError } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { listenLocally } from './local-server.ts'

/** Where browsers of this machine come back to. */
export interface RedirectServer {
  /** For `oauth.redirectUri`: `http://127.0.0.1:<port>/back`. */
  readonly redirectUri: string
  /**
   * Hands what the browser brings to `auth`, until a registration of the owner has ended by it, and stops
   * listening then.
   *
   * @throws AuthError `aborted` where it was closed before
   */
  take(auth: Pick<AgentAuth, 'people'>, by: { owner: Owner; approver?: string }): Promise<Outcome>
  /** Stops listening. */
  close(): Promise<void>
}

type Take = (address: string) => Promise<Outcome>

/**
 * Listens on this machine alone for the browser that comes back from an authorization server (RFC 8252
 * §7.3). For an agent whose person sits at the same machine; elsewhere hand the requests of an https
 * address to `auth.people.callback`.
 *
 * @param options.port A free one where it is left out. A registration that outlives the process needs the same one.
 * @throws What `listen` reports, such as a port that is in use
 * @example
 * ```ts
 * const redirect = await serveRedirect()
 * const auth = createAgentAuth({ store, oauth: { redirectUri: redirect.redirectUri } })
 * const outcome = await redirect.take(auth, { owner })
 * ```
 */
export async function serveRedirect(
  options: { readonly port?: number } = {},
): Promise<RedirectServer> {
  let take: Take | undefined
  let give: (() => void) | undefined
  const server = await listenLocally(options.port ?? 0, () => (request) => back(request))
  const redirectUri = `${server.url}/back`

  async function back(request: Request): Promise<Response> {
    const { origin, pathname, search } = new URL(request.url)
    // Another name for this address is another site's, which has it point here.
    if (origin !== server.url) return page(421, 'This is not answered here.')
    if (pathname !== '/back') return page(404, 'There is nothing here.')
    if (request.method !== 'GET') return page(405, 'This is not answered here.')
    if (take === undefined) return page(503, 'Nobody waits for this yet. Please load it again.')
    try {
      const outcome = await take(`${redirectUri}${search}`)
      if (outcome.status === 'ready') return page(200, 'That is all. You can close this page.')
      return page(200, 'The agent has been told. You can close this page.')
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
      return page(
        400,
        'Nobody waits for this, or not any more. Nothing was taken. Close this page.',
      )
    }
  }

  async function close(): Promise<void> {
    await server.close()
    give?.()
  }

  return {
    redirectUri,
    close,
    take: (auth, { owner, approver = 'browser' }) =>
      new Promise((resolve, reject) => {
        give = () => reject(new AuthError('aborted', 'nothing came back to the redirect URI'))
        take = async (address) => {
          const outcome = await auth.people.callback(address, { owner, approver })
          if (outcome.status === 'ready' || outcome.status === 'refused') {
            resolve(outcome)
            server.stop()
          }
          return outcome
        }
      }),
  }
}

function page(status: number, text: string): Response {
  return new Response(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>authmd</title><p>${text}</p></html>\n`,
    {
      status,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        'cache-control': 'no-store',
        connection: 'close',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      },
    },
  )
}
