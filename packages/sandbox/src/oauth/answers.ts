import type { SandboxContext } from '../server.ts'
import { hasGrant, type OAuth } from './state.ts'

type Json = Record<string, unknown>
type Adjust = (body: Json, site: OAuth, c: SandboxContext) => void

/** How long a client has to wait from one poll to the next, in seconds. */
const pollInterval = 5

/** What the library answers, with what it has no setting for. */
export async function adjust(
  site: OAuth,
  name: string,
  c: SandboxContext,
  response: Response,
): Promise<Response> {
  if (name === 'oauth_authorize' || name === 'oauth_consent') return withoutIssuer(site, response)
  const change = adjusts[name]
  if (!change || !response.headers.get('content-type')?.startsWith('application/json')) {
    return response
  }
  const body = (await response.json()) as Json
  change(body, site, c)
  return new Response(JSON.stringify(body), response)
}

const adjusts: Readonly<Record<string, Adjust>> = {
  oauth_metadata: adjustMetadata,
  oauth_device: adjustDevice,
  oauth_token: adjustToken,
  oauth_introspect: adjustIntrospection,
}

function adjustMetadata(body: Json, site: OAuth): void {
  if (!hasGrant(site, 'authorization_code')) {
    delete body.authorization_endpoint
    delete body.code_challenge_methods_supported
  }
  if (site.options.quirks?.noIssuer) delete body.authorization_response_iss_parameter_supported
}

function adjustDevice(body: Json, { options, polls }: OAuth): void {
  nameGrantRefusal(body)
  if (typeof body.device_code !== 'string') return
  polls.set(body.device_code, { at: Number.NEGATIVE_INFINITY, interval: pollInterval })
  if (options.quirks?.bareDevice) delete body.verification_uri_complete
  else body.interval = pollInterval
}

/** RFC 6749, section 5.2, has a code of its own for it. */
function nameGrantRefusal(body: Json): void {
  const text = String(body.error_description)
  if (/ is not allowed for this client$/.test(text)) body.error = 'unauthorized_client'
}

function adjustToken(body: Json, site: OAuth, c: SandboxContext): void {
  const asked = new URLSearchParams(c.env.entry.body)
  nameGrantRefusal(body)
  if (body.error === 'authorization_pending') countPoll(body, site, asked)
  if (body.access_token === undefined) return
  const { expiresIn, bareRefresh, noScope, lowerCaseType } = site.options.quirks ?? {}
  if (expiresIn === 'string') body.expires_in = String(body.expires_in)
  if (expiresIn === 'absent') delete body.expires_in
  if (lowerCaseType) body.token_type = 'bearer'
  const refreshed = asked.get('grant_type') === 'refresh_token'
  if (noScope || (bareRefresh && refreshed)) delete body.scope
  const same = body.refresh_token === asked.get('refresh_token')
  if (bareRefresh && refreshed && same) delete body.refresh_token
}

/** RFC 8628, section 3.5: a poll that comes too soon makes the interval five seconds longer. */
function countPoll(body: Json, { polls, server }: OAuth, asked: URLSearchParams): void {
  const poll = polls.get(asked.get('device_code') ?? '')
  if (!poll) return
  const now = server.clock.now()
  const soon = now - poll.at < poll.interval * 1000
  poll.at = now
  if (!soon) return
  poll.interval += 5
  body.error = 'slow_down'
  body.error_description = `wait ${poll.interval} seconds between two polls`
}

/** The library counts by the system's clock. */
function adjustIntrospection(body: Json, { server }: OAuth): void {
  const ahead = Math.round((server.clock.now() - Date.now()) / 1000)
  for (const name of ['exp', 'iat']) {
    const value = body[name]
    if (typeof value === 'number') body[name] = value + ahead
  }
}

function withoutIssuer({ options, issuer }: OAuth, response: Response): Response {
  const location = response.headers.get('location')
  if (!options.quirks?.noIssuer || location === null) return response
  const url = new URL(location, issuer)
  if (url.searchParams.get('iss') !== issuer) return response
  url.searchParams.delete('iss')
  response.headers.set('location', url.href)
  return response
}
