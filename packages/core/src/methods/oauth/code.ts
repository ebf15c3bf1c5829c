import { Secret } from '../../vault/secret.ts'
import type { Callback, MethodContext, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import { tokenIn } from '../token-answer.ts'
import { unconfined } from './device.ts'
import { end, later, refusal } from './ends.ts'
import { sameServer } from './options.ts'
import * as plans from './plans.ts'
import { withoutResource } from './resource.ts'
import type { Plan, State } from './state.ts'
import * as token from './token.ts'

/** For how long a browser may come back. */
const windowMs = 60 * 60_000
const maxLinks = 3

/** Nobody is sent to a server that says otherwise by now than when it was found. */
export function look(state: State): Step {
  return { state: plain({ ...state, step: 'server' }), next: { send: [plans.server(state)] } }
}

export function looked(
  state: State,
  context: MethodContext,
  answer: PlanAnswer,
): Step | Promise<Step> {
  const { plan } = state
  const said = (answer.json ?? {}) as Readonly<Record<string, unknown>>
  const same =
    sameServer(String(said.issuer ?? plan.issuer), plan.issuer) &&
    at(said.token_endpoint, plan) === plan.token &&
    at(said.authorization_endpoint, plan) === plan.authorize
  if (answer.status === 200 && same) return authorise(state, context)
  const reason = 'The authorization server does not say any more what it said when it was found.'
  return { ...refusal(state, 'oauth_server', answer, reason), refusedBeforeCommit: true }
}

function at(address: unknown, { metadata }: Plan): string | undefined {
  return typeof address === 'string' ? URL.parse(address, metadata)?.href : undefined
}

/** A link for the person, with a `state` and a proof key of its own. */
export async function authorise(
  { notice, ...state }: State,
  { now }: MethodContext,
): Promise<Step> {
  const oauth = await import('oauth4webapi')
  const verifier = oauth.generateRandomCodeVerifier()
  const challenge = await oauth.calculatePKCECodeChallenge(verifier)
  const authorisation = { state: oauth.generateRandomState(), until: now + windowMs }
  const asked: State = { ...state, step: 'authorise', authorisation }
  const url = plans.authorizationUrl(asked, { state: authorisation.state, challenge })
  const secrets = { code_verifier: new Secret(verifier), code: null }
  return { ...waiting(asked, url, notice), secrets }
}

function waiting(state: State, url: string, notice?: string): Step {
  const { plan, authorisation, redirectUri = '' } = state
  const { state: expected = '', until = 0 } = authorisation ?? {}
  const need = {
    kind: 'open-link',
    text: `Open this page of ${new URL(plan.issuer).host}, sign in and agree there. The browser then comes back by itself.`,
    url,
    until,
  } as const
  const wait = {
    for: 'person',
    need,
    look: until,
    callback: { redirectUri, state: expected },
    ...(notice === undefined ? {} : { notice }),
  } as const
  return { state: plain({ ...state, link: url }), next: { wait } }
}

/** Nothing to do but to wait for the browser, until nobody can come any more. */
export function ticked(state: State, { now }: MethodContext, notice?: string): Step {
  const { authorisation, link = '' } = state
  if (now < (authorisation?.until ?? 0)) return waiting(state, link, notice)
  return end(state, 'expired', 'Nobody came back in time. A new registration gives another link.')
}

/** What the browser brought: taken only where it answers our own request to this very server. */
export async function came(state: State, context: MethodContext, back: Callback): Promise<Step> {
  const oauth = await import('oauth4webapi')
  const { plan, client, authorisation } = state
  const server = {
    issuer: plan.issuer,
    authorization_response_iss_parameter_supported: plan.iss,
  }
  const query = new URLSearchParams(back.query)
  try {
    const expected = authorisation?.state ?? ''
    oauth.validateAuthResponse(server, { client_id: client?.id ?? '' }, query, expected)
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) return refused(state, context, query)
    return ticked(state, context, 'What the browser brought back is no answer of this server.')
  }
  if (back.code === undefined) {
    return ticked(state, context, 'The browser came back without a code.')
  }
  return exchange(state, { code: back.code })
}

function refused(
  state: State,
  context: MethodContext,
  query: URLSearchParams,
): Step | Promise<Step> {
  const [error, detail] = ['error', 'error_description'].map((name) => query.get(name))
  const code = (error ?? '').slice(0, 100)
  const other = withoutResource(state, code)
  const said = {
    errors: [{ code, ...(detail ? { detail: detail.slice(0, 500) } : {}) }],
  }
  if (other === 'refused') return end(state, 'service_refused', unconfined(state), said)
  if (other) {
    const notice = 'The server did not take the link before this one. Please open this one.'
    return authorise({ ...other, notice }, context)
  }
  if (code === 'server_error' || code === 'temporarily_unavailable') {
    return another(state, context, 'The server could not do it then. Please try once more.', said)
  }
  const denied = code === 'access_denied'
  const reason = denied
    ? 'The person, or the server, refused.'
    : 'The authorization server refused.'
  return end(state, 'service_refused', reason, said)
}

/** A new link in the place of one that came to nothing. */
function another(
  state: State,
  context: MethodContext,
  notice: string,
  said: Parameters<typeof end>[3],
): Step | Promise<Step> {
  const failures = state.failures + 1
  if (failures >= maxLinks)
    return end(
      state,
      'service_refused',
      'Signing in at the server came to nothing once more.',
      said,
    )
  return authorise({ ...state, failures, notice }, context)
}

export function exchange(state: State, secrets?: Step['secrets']): Step {
  const { redirectUri = '' } = state
  const send = [plans.exchange(state, redirectUri)] as const
  return {
    state: plain({ ...state, step: 'exchange' }),
    ...(secrets === undefined ? {} : { secrets }),
    next: { send },
  }
}

export function exchanged(
  state: State,
  context: MethodContext,
  answer: PlanAnswer,
): Step | Promise<Step> {
  const got = tokenIn(answer, context.now)
  if (got) return token.issued(state, got)
  if (answer.status < 400 || answer.status >= 500) return lost(state, context)
  if (answer.status === 429) {
    return later(state, context.now, 'exchange-later', 'oauth_token', answer)
  }
  const error = errorIn(answer)
  const other = withoutResource(state, error.code)
  if (other && other !== 'refused') return exchange(other)
  if (error.code === 'invalid_grant') {
    const notice =
      'The server did not take what the browser brought. Please open this link instead.'
    return another(state, context, notice, { httpStatus: answer.status, errors: [error] })
  }
  return refusal(state, 'oauth_token', answer)
}

/** The code is spent, and what it gave may never have reached us. */
export function lost(state: State, { now }: MethodContext): Step {
  const orphan = { what: 'an access token that nobody holds', request: 'oauth_token', at: now }
  const gone = { code: null, code_verifier: null }
  const more: State = { ...state, step: 'lost-exchange', lost: state.lost + 1 }
  return { ...forRetry(more), secrets: gone, orphan }
}

export function forRetry(state: State): Step {
  const check =
    'The answer to oauth_token was lost: there may be an access token that nobody holds. It ends by ' +
    'itself, or a person ends it where the server lists what has access.'
  return { state: plain(state), next: { wait: { for: 'retry', request: 'oauth_token', check } } }
}
