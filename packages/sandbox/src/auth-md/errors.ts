import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Fault } from '../faults.ts'
import type { SandboxContext, SandboxServer } from '../server.ts'

const statuses = {
  // Registration and claim
  invalid_request: 400,
  invalid_issuer: 400,
  issuer_not_enabled: 400,
  invalid_signature: 400,
  invalid_audience: 400,
  audience_mismatch: 400,
  expired: 400,
  credential_expired: 400,
  replay_detected: 400,
  missing_verified_email: 400,
  invalid_client_id: 400,
  unsupported_credential_type: 400,
  invalid_login_hint: 400,
  invalid_refresh_token: 400,
  wrong_kind: 400,
  anonymous_not_enabled: 403,
  verified_email_not_enabled: 403,
  service_auth_not_enabled: 403,
  insufficient_user_authentication: 401,
  interaction_required: 401,
  login_required: 401,
  rate_limited: 429,
  // Ceremonies
  invalid_claim_token: 401,
  invalid_claim: 400,
  claimed_or_in_flight: 409,
  ceremony_in_flight: 409,
  previously_claimed: 409,
  already_claimed: 409,
  claim_completed: 409,
  claim_not_confirmed: 409,
  claim_expired: 410,
  claim_superseded: 410,
  otp_not_generated: 400,
  otp_invalid: 401,
  otp_expired: 410,
  invalid_user_code: 401,
  user_code_expired: 410,
  // Token endpoint
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  access_denied: 400,
  invalid_grant: 400,
  invalid_client: 401,
  unsupported_grant_type: 400,
  invalid_target: 400,
  // Provider events, RFC 8935
  invalid_key: 400,
  authentication_failed: 400,
  // Resource API
  unauthorized: 401,
  insufficient_scope: 403,
  // Variants
  auth_md_disabled: 403,
  login_hint_mismatch: 400,
  claim_already_completed: 409,
  code_dead: 410,
  invalid_redirect_uri: 400,
} as const

export type AuthMdErrorCode = keyof typeof statuses

/** How an endpoint words its errors. */
export type Surface = 'agent' | 'oauth' | 'events'

/** The endpoints of an auth.md service, by the names that the log and faults know. */
const surfaces = {
  agent_prm: 'agent',
  agent_as_metadata: 'agent',
  agent_auth_md: 'agent',
  agent_jwks: 'agent',
  agent_register: 'agent',
  agent_claim: 'agent',
  agent_claim_challenge: 'agent',
  agent_claim_view: 'agent',
  agent_claim_complete: 'agent',
  agent_claim_page: 'agent',
  agent_login: 'agent',
  agent_token: 'oauth',
  agent_revoke: 'oauth',
  agent_events: 'events',
  agent_resource: 'agent',
  agent_client_registration: 'oauth',
} as const

export type AuthMdEndpoint = keyof typeof surfaces

/** Thrown where a request is refused; `answering` makes the answer of it. */
export class Refusal extends Error {
  readonly code: AuthMdErrorCode
  readonly fields: Readonly<Record<string, unknown>>
  readonly status: ContentfulStatusCode
  readonly headers: Readonly<Record<string, string>>
  /** A step-up in the common envelope, as it was at first. */
  readonly plain: boolean

  constructor(
    code: AuthMdErrorCode,
    message: string,
    more: {
      fields?: Readonly<Record<string, unknown>>
      status?: ContentfulStatusCode
      headers?: Readonly<Record<string, string>>
      plain?: boolean
    } = {},
  ) {
    super(message)
    this.code = code
    this.fields = more.fields ?? {}
    this.status = more.status ?? statuses[code]
    this.headers = more.headers ?? {}
    this.plain = more.plain ?? false
  }
}

/** Sent with every answer of the token and revocation endpoints. */
export const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' } as const

const stepUps: ReadonlySet<AuthMdErrorCode> = new Set(['interaction_required', 'login_required'])

function envelope(
  { code, message, fields, headers, plain }: Refusal,
  surface: Surface,
): { body: Record<string, unknown>; headers: Record<string, string> } {
  if (surface === 'events') return { body: { err: code, description: message }, headers: {} }
  if (surface === 'oauth') {
    return {
      body: { error: code, error_description: message },
      headers: { ...noStore, ...headers },
    }
  }
  if (plain || !stepUps.has(code))
    return { body: { error: code, message, ...fields }, headers: { ...headers } }
  const maxAge = fields.max_age === undefined ? '' : ` max_age="${fields.max_age}",`
  return {
    body: { error: code, error_description: message, ...fields },
    headers: {
      'www-authenticate': `AgentAuth error="${code}",${maxAge} error_description="${message}"`,
      ...headers,
    },
  }
}

type Handle = (c: SandboxContext) => Response | Promise<Response>

/** An endpoint whose refusals are answered in the envelope of its surface. */
export function answering(
  server: SandboxServer,
  name: AuthMdEndpoint,
  handle: Handle,
  surface: Surface = surfaces[name],
): (c: SandboxContext) => Promise<Response> {
  return server.endpoint(name, async (c) => {
    try {
      return await handle(c)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { body, headers } = envelope(error, surface)
      return c.json(body, error.status, headers)
    }
  })
}

/**
 * A fault that answers the next request to an endpoint with an error in that endpoint's own
 * envelope, for the errors that a service can send and this one has no reason to.
 *
 * @example
 * sandbox.faults.add(authMdFault('invalid_client', 'agent_token'))
 */
export function authMdFault(code: AuthMdErrorCode, at: AuthMdEndpoint): Fault {
  const fields = code === 'login_required' ? { max_age: 3600 } : {}
  const refusal = new Refusal(code, 'This error was asked for.', { fields })
  const { body, headers } = envelope(refusal, surfaces[at])
  return { name: at, times: 1, status: refusal.status, body, headers }
}
