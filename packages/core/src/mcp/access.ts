import type { Verb } from '../consent/action.ts'
import type { Call } from '../consent/ledger.ts'
import { factOf } from '../discovery/profile.ts'
import type { Profiles } from '../discovery/profiles.ts'
import { AuthError } from '../errors.ts'
import { serviceUrl } from '../inputs.ts'
import { displayUrl } from '../net/url.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { authorisedFetch, type Choice, chooseCredential, textual } from '../use/authorised-fetch.ts'
import type { Redactor } from '../use/redactor.ts'
import type { UseParts } from '../use/use.ts'

/** What the MCP room needs of an owner's session. */
export interface McpParts extends UseParts {
  readonly owner: Owner
  readonly profiles: Profiles
  readonly redactor: () => Promise<Redactor>
  readonly perform: (verb: Verb, call: Call, act: () => Promise<Outcome>) => Promise<Outcome>
}

/** What a client of MCP over streamable HTTP needs. */
export interface McpAccess {
  readonly url: URL
  /** Carries the credential to that URL and to no other, and takes secrets out of every answer. */
  readonly fetch: typeof fetch
}

const redirects = [301, 302, 303, 307, 308]

export async function mcpAccess(parts: McpParts, service: string): Promise<McpAccess> {
  const url = await mcpUrl(parts, service)
  const choose: Choice = (to) => chooseCredential(parts.credentials, parts.owner, service, to)
  await choose(url)
  return { url, fetch: mcpFetch(parts, url, choose) }
}

/**
 * Where a service's MCP server is: the URL itself where the application names it, else what the service's
 * own documents say.
 */
export async function mcpUrl({ profiles, owner }: McpParts, service: string): Promise<URL> {
  const asked = serviceUrl(service)
  const named = /\/mcp$|^https?:\/\/mcp\.[^/]+$/i.test(asked)
  const known = named ? asked : factOf(await profiles.of(owner, asked), 'mcp_url')?.value
  const url = known === undefined ? null : URL.parse(known)
  if (url === null) {
    throw new AuthError('not_found', `no MCP server of ${asked} is known; name its own URL instead`)
  }
  url.hash = ''
  return url
}

/**
 * A `fetch` for one MCP server. A redirect is an error, since the credential is for that URL; a body
 * that is no text is left out, since MCP has none.
 */
export function mcpFetch(
  parts: Pick<McpParts, 'net' | 'credentials' | 'engine' | 'redactor' | 'now' | 'emit'>,
  url: URL,
  choose: Choice,
): typeof fetch {
  const send = authorisedFetch(parts, choose)
  return async (input, init) => {
    const request = new Request(input, { ...init, redirect: 'manual' })
    if (request.url !== url.href) {
      throw new AuthError(
        'outside_audience',
        `this fetch is for ${displayUrl(url)} and nothing else`,
        { details: { sent: false } },
      )
    }
    const response = await send(request)
    const { status, statusText, headers } = response
    if (redirects.includes(status) && headers.has('location')) {
      await response.body?.cancel()
      throw new AuthError(
        'redirect_refused',
        `${displayUrl(url)} redirects, which is not followed`,
        {
          details: { sent: true },
        },
      )
    }
    if (response.body === null || textual.test(headers.get('content-type') ?? '')) return response
    await response.body.cancel()
    headers.delete('content-length')
    return new Response(null, { status, statusText, headers })
  }
}
