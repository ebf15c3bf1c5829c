import { z } from 'zod'
import { AuthError } from '../errors.ts'
import { parseJson } from '../net/json.ts'
import { decodeText, readBody } from '../net/read-body.ts'
import { isLoopbackHost } from '../net/url.ts'
import type { IdentityAnswer, IdentityAssertion, IdentityRequest } from './assertion.ts'

const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const maxBytes = 65_536
const timeoutMs = 10_000

type Lazy<T> = T | Promise<T>

/** The identity provider, as the operator knows it. */
export interface TokenExchangeOptions {
  /** By https, or on loopback. An operator's own address: private networks are fine. */
  readonly tokenEndpoint: string
  readonly clientId: string
  /** For `client_secret_basic` (RFC 6749 §2.3.1). */
  readonly clientSecret?: () => Lazy<string>
  /** For `private_key_jwt` (RFC 7523 §2.2): a new signed JWT each time. */
  readonly clientAssertion?: () => Lazy<string>
  /**
   * The owner's login: an ID token that was issued to `clientId`, or another kind of token. Nothing where
   * there is none. A fresher one where `maxAge` (seconds) is given.
   */
  readonly subjectToken: (
    request: IdentityRequest,
  ) => Lazy<
    string | { readonly token: string; readonly type: 'refresh_token' | 'saml2' } | undefined
  >
  /** Where a person signs in again once the provider wants that. */
  readonly loginUrl?: string
  /** Redirects are not followed. The global one by default. */
  readonly fetch?: (request: Request) => Promise<Response>
}

/**
 * Identity assertions by token exchange (RFC 8693): an owner's login for an ID-JAG, at the identity
 * provider. For `identityAssertion`.
 *
 * @throws AuthError `invalid_input` for an endpoint that is neither https nor on loopback
 * @example
 * const identityAssertion = tokenExchange({
 *   tokenEndpoint: 'https://idp.operator.example/token',
 *   clientId: 'my-agent',
 *   clientSecret: () => secrets.read('idp-client'),
 *   subjectToken: ({ owner }) => sessions.idTokenOf(owner.user),
 * })
 */
export function tokenExchange(options: TokenExchangeOptions): IdentityAssertion {
  const { subjectToken, loginUrl } = options
  const endpoint = URL.parse(options.tokenEndpoint)
  const http = endpoint?.protocol === 'http:' && isLoopbackHost(endpoint.hostname)
  const safe = endpoint?.protocol === 'https:' || http
  if (endpoint === null || !safe) {
    throw new AuthError('invalid_input', 'tokenEndpoint must be an https URL')
  }
  return async (request) => {
    const subject = await subjectToken(request)
    if (subject === undefined) return undefined
    const { token, type: kind } =
      typeof subject === 'string' ? { token: subject, type: 'id_token' } : subject
    const fields = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: type('id-jag'),
      audience: request.audience,
      resource: request.resource,
      subject_token: token,
      subject_token_type: type(kind),
    }
    return answerOf(await post(endpoint, fields, options), loginUrl)
  }
}

async function post(
  endpoint: URL,
  fields: Readonly<Record<string, string>>,
  { clientId, clientSecret, clientAssertion, fetch = globalThis.fetch }: TokenExchangeOptions,
): Promise<{ readonly status: number; readonly json: unknown }> {
  const body = new URLSearchParams(fields)
  const headers = new Headers({ accept: 'application/json' })
  if (clientSecret) {
    const pair = [clientId, await clientSecret()].map(formEncoded).join(':')
    headers.set('authorization', `Basic ${btoa(pair)}`)
  } else {
    body.set('client_id', clientId)
  }
  if (clientAssertion) {
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    body.set('client_assertion', await clientAssertion())
  }
  const signal = AbortSignal.timeout(timeoutMs)
  const sent = { method: 'POST', headers, body, redirect: 'manual', signal } as const
  try {
    const response = await fetch(new Request(endpoint, sent))
    const text = decodeText(await readBody(response, maxBytes, signal))
    return { status: response.status, json: jsonOf(text) }
  } catch (error) {
    throw new AuthError('identity_failed', 'the identity provider did not answer', { cause: error })
  }
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** As RFC 6749 §2.3.1 has both put into the header. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

const issued = z.object({
  access_token: z.string().min(1),
  issued_token_type: z.literal(type('id-jag')).optional(),
})
const refused = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) })
/** The person has to sign in at the provider. */
const logins: readonly string[] = [
  'invalid_grant',
  'login_required',
  'interaction_required',
  'insufficient_user_authentication',
]
/** The provider vouches for nobody, or not for this one, at that service. */
const noes: readonly string[] = ['invalid_target', 'access_denied']

function answerOf(
  { status, json }: { readonly status: number; readonly json: unknown },
  loginUrl: string | undefined,
): IdentityAnswer {
  const { data } = issued.safeParse(json)
  if (status === 200 && data) return data.access_token
  const error = refused.safeParse(json).data?.error ?? ''
  if (status >= 400 && status < 500) {
    if (logins.includes(error)) return { login: loginUrl === undefined ? {} : { url: loginUrl } }
    if (noes.includes(error)) return undefined
  }
  const what =
    status === 200 ? 'gave no identity assertion' : `answered ${`${status} ${error}`.trim()}`
  throw new AuthError('identity_failed', `the identity provider ${what}`)
}
