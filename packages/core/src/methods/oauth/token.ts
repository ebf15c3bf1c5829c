import type { Effect } from '../../consent/action.ts'
import type { IssuedCredential, Json, MethodContext, MethodEvent, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import { type TokenAnswer, tokenIn } from '../token-answer.ts'
import { later, refusal } from './ends.ts'
import { givenClient, type OAuthOptions, secretOf } from './options.ts'
import * as plans from './plans.ts'
import { withoutResource } from './resource.ts'
import type { State } from './state.ts'

/** What proves the operator's own client; what proves any other is kept already. */
export async function clientSecret(
  { plan, client }: Pick<State, 'plan' | 'client'>,
  options: OAuthOptions,
): Promise<NonNullable<Step['secrets']>> {
  if (plan.client !== 'given' || client === undefined || client.auth === 'none') return {}
  const given = givenClient(options, plan.grant, plan.service, plan.issuer)
  const secret = given?.clientId === client.id ? await secretOf(given) : undefined
  return secret === undefined ? {} : { client_secret: secret }
}

/** A token for the client itself, without a person (RFC 6749 §4.4). */
export function ask(state: State, bound: readonly Effect[] = []): Step {
  const send = [plans.credentials(state, bound)] as const
  return { state: plain({ ...state, step: 'token' }), next: { send } }
}

export function answered(state: State, { now }: MethodContext, answer: PlanAnswer): Step {
  const got = tokenIn(answer, now)
  if (got) return issued(state, got)
  if (answer.status === 429 || answer.status >= 500) {
    return { ...later(state, now, 'token-later', 'oauth_token', answer), refusedBeforeCommit: true }
  }
  const other = withoutResource(state, errorIn(answer).code)
  if (other && other !== 'refused') return ask(other)
  return { ...refusal(state, 'oauth_token', answer), refusedBeforeCommit: true }
}

/** The token is there. */
export function issued(state: State, got: TokenAnswer): Step {
  const secrets = {
    credential: got.accessToken,
    ...(got.refreshToken ? { refresh_token: got.refreshToken } : {}),
    code: null,
    code_verifier: null,
    device_code: null,
  }
  const renewable = got.refreshToken !== undefined || state.plan.grant === 'client'
  const refresh = renewable ? renewal(state) : undefined
  return {
    state: plain({ ...state, step: 'done' }),
    secrets,
    next: { done: plans.credential(state, got, refresh) },
  }
}

/** What the vault keeps to renew a token with. Plain JSON. */
type Renewal = Pick<State, 'plan' | 'client' | 'scopes' | 'resource'>

function renewal({ plan, client, scopes, resource }: Renewal): IssuedCredential['refresh'] {
  const state: Renewal = { plan, scopes, resource, ...(client && { client }) }
  return { state: state as unknown as Json, secrets: ['refresh_token', 'client_secret'] }
}

/**
 * A new token for the refresh token, or for the client itself. A server that gives no new refresh token or
 * names no scopes leaves those that there are (RFC 6749 §6).
 */
export async function renew(
  options: OAuthOptions,
  context: MethodContext,
  json: Json,
  event?: MethodEvent,
): Promise<Step> {
  const state = json as unknown as Renewal
  if (event?.type !== 'answer') {
    const secrets = await clientSecret(state, options)
    const some = Object.keys(secrets).length > 0
    return { ...again(state), ...(some ? { secrets } : {}) }
  }
  const { oauth_token: answer } = event.answers
  const got = answer && answer !== 'lost' ? tokenIn(answer, context.now) : undefined
  if (got) {
    const secrets = {
      credential: got.accessToken,
      ...(got.refreshToken ? { refresh_token: got.refreshToken } : {}),
    }
    return { state: json, secrets, next: { done: plans.credential(state, got, renewal(state)) } }
  }
  const { code } = answer && answer !== 'lost' ? errorIn(answer) : {}
  const other = withoutResource({ ...state, step: 'token' } as State, code, true)
  if (other && other !== 'refused') return again({ ...state, resource: false })
  const gone = code === 'invalid_client' && state.plan.client === 'dynamic'
  const reason = gone
    ? 'The server does not know the client any more that was registered for this.'
    : 'The answer of the server held no token.'
  return {
    state: json,
    next: { failed: { code: gone ? 'credential_invalid' : 'service_failed', reason } },
  }
}

function again(state: Renewal): Step {
  const plan = state.plan.grant === 'client' ? plans.credentials(state, []) : plans.refresh(state)
  return { state: state as unknown as Json, next: { send: [plan] } }
}
