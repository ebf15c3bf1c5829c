import type { RefusalCode } from '../../outcome.ts'
import type { Secret } from '../../vault/secret.ts'
import type {
  IdentityEvent,
  IssuedCredential,
  Json,
  MethodContext,
  MethodEvent,
  PlanAnswer,
} from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import { type TokenAnswer, tokenIn } from '../token-answer.ts'
import { failed, later, refusal } from './ends.ts'
import { followOf } from './errors.ts'
import * as plans from './plans.ts'
import type { Plan, Presented, State } from './state.ts'
import { type Given, read } from './wire.ts'

/** The registration held the credential itself. */
export function direct(state: State, given: Given): Step {
  const again = state.presented ? renewal(state, false) : undefined
  return {
    state: plain({ ...state, step: 'done' }),
    secrets: { credential: given.credential ?? null, ...claimToken(state, given) },
    next: {
      done: plans.credential(state, given, given.kind === 'access_token' ? again : undefined),
    },
  }
}

/** An assertion came: it is kept, and changed for a token. */
export function exchange(state: State, given: Given): Step {
  const { assertion, refreshToken, assertionUntil } = given
  const refreshable = refreshToken !== undefined
  const next = ask({ ...state, failures: 0, refreshable, ...until(assertionUntil) })
  const secrets = {
    ...claimToken(state, given),
    ...(assertion ? { assertion } : {}),
    ...(refreshToken ? { refresh_token: refreshToken } : {}),
  }
  return { ...next, secrets }
}

/** It is kept where a person can still claim what was given, and dropped where that is done. */
function claimToken({ unclaimed }: State, given: Given): { claim_token?: Secret | null } {
  if (!unclaimed) return { claim_token: null }
  return given.claimToken ? { claim_token: given.claimToken } : {}
}

export function ask(state: State): Step {
  const { token } = state.plan
  if (token === undefined) {
    return failed(
      state,
      'service_failed',
      'The service names no endpoint that takes its assertion.',
    )
  }
  const send = [plans.exchange(state.plan, token)] as const
  return { state: plain({ ...state, step: 'exchange' }), next: { send } }
}

export function exchanged(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const token = tokenIn(answer, context.now)
  if (token) return issued(state, token, {})
  const plan = withoutResource(state.plan, answer) ?? inJson(state.plan, answer)
  if (plan) return ask({ ...state, plan })
  const follow = followOf(answer)
  if (follow === 'unwell' || follow === 'wait') {
    return later(state, context.now, 'exchange-later', answer)
  }
  return refusal(state, 'agent_token', answer)
}

/** Many refuse a `resource` (RFC 8707) so: once more without it, and so from then on. */
function withoutResource(plan: Plan, answer: PlanAnswer): Plan | undefined {
  const { code = '' } = answer.status === 400 ? errorIn(answer) : {}
  const refused = code === 'invalid_request' || code === 'invalid_target'
  return refused && !plan.withoutResource && !plan.jsonTokens
    ? { ...plan, withoutResource: true }
    : undefined
}

/** Some take JSON instead of a form: once more so, naming the resource again. */
export function inJson(plan: Plan, answer: PlanAnswer): Plan | undefined {
  const refused = answer.status === 415 || errorIn(answer).code === 'invalid_request'
  if (plan.jsonTokens || !refused) return undefined
  const { withoutResource: _, ...rest } = plan
  return { ...rest, jsonTokens: true }
}

/** A token, and with it the assertion that gives the next one, where there is one. */
export function issued(
  state: State,
  { accessToken, expires }: TokenAnswer,
  { assertion, assertionUntil = state.assertionUntil }: Partial<Given>,
): Step {
  const secrets = {
    credential: accessToken,
    ...(state.unclaimed ? {} : { claim_token: null }),
    ...(assertion ? { assertion } : {}),
  }
  // A claim that gives no assertion has ended the one before it.
  const renewable = assertion !== undefined || state.step === 'exchange' || state.presented
  const refreshable = state.refreshable === true
  const refresh = renewable
    ? renewal({ ...state, ...until(assertionUntil) }, refreshable)
    : undefined
  const given = expires === undefined ? {} : { expires }
  return {
    state: plain({ ...state, step: 'done' }),
    secrets,
    next: { done: plans.credential(state, given, refresh) },
  }
}

/** What the vault keeps to renew a token with. Plain JSON. */
interface Renewal {
  readonly plan: Plan
  readonly registration?: string
  readonly assertionUntil?: number
  /** Where a provider's word gives the next assertion: whom it speaks of, and to whom. */
  readonly presented?: Presented
  /** A refresh token is kept beside the assertion. */
  readonly refreshable: boolean
  /** How often that was sent without an answer. */
  readonly sent: number
}

function renewal(
  { plan, registration, assertionUntil, presented }: Omit<Renewal, 'refreshable' | 'sent'>,
  refreshable: boolean,
): IssuedCredential['refresh'] {
  const state: Renewal = {
    plan,
    refreshable,
    sent: 0,
    ...(registration === undefined ? {} : { registration }),
    ...(presented === undefined ? {} : { presented }),
    ...until(assertionUntil),
  }
  return {
    state: plainly(state),
    secrets: ['assertion', ...(refreshable ? ['refresh_token'] : [])],
  }
}

function until(assertionUntil: number | undefined): { readonly assertionUntil?: number } {
  return assertionUntil === undefined ? {} : { assertionUntil }
}

/** How long before its end an assertion is not sent any more: its clock is not ours. */
const earlyMs = 60_000
/** A refresh token is spent by being sent: once more where no answer came, and never again. */
const maxSent = 2

/**
 * A new token for the assertion; before that a new assertion where its time is over and the service
 * gave a token for that.
 */
export function renew(context: MethodContext, json: Json, event?: MethodEvent): Step {
  const state = json as unknown as Renewal
  if (event?.type === 'identity') return present(state, event)
  if (event?.type !== 'answer') {
    if (!isOver(state, context)) return change(state)
    return state.refreshable ? spend(state) : identify(state)
  }
  const { agent_token: changed, agent_identity: refreshed } = event.answers
  if (refreshed && refreshed !== 'lost') return reassured(state, context, refreshed)
  const answer = changed === 'lost' ? undefined : changed
  const token = answer && tokenIn(answer, context.now)
  const plan = token || answer === undefined ? undefined : withoutResource(state.plan, answer)
  if (plan) return change({ ...state, plan })
  if (token === undefined && wantsPerson(answer)) {
    return notRenewed(state, 'credential_invalid', 'A person has to be asked anew.')
  }
  if (token === undefined) {
    // That was not it: what is asked next names the resource again.
    const { withoutResource: _, ...before } = state.plan
    return notRenewed(
      { ...state, plan: before },
      'service_failed',
      'The answer of the service held no token.',
    )
  }
  const given = token.expires === undefined ? {} : { expires: token.expires }
  return {
    state: json,
    secrets: { credential: token.accessToken },
    next: { done: plans.credential(state, given, renewal(state, state.refreshable)) },
  }
}

/** Nothing that is held will do: it takes another registration, and its ceremony. */
function wantsPerson(answer: PlanAnswer | undefined): boolean {
  const { code } = answer ? errorIn(answer) : {}
  return code === 'insufficient_user_authentication'
}

function isOver(
  { refreshable, presented, assertionUntil }: Renewal,
  { now }: MethodContext,
): boolean {
  return (refreshable || presented !== undefined) && now >= (assertionUntil ?? 0) - earlyMs
}

function change(state: Renewal): Step {
  const { token = state.plan.register } = state.plan
  return { state: plainly(state), next: { send: [plans.exchange(state.plan, token)] } }
}

function spend(state: Renewal): Step {
  const sent = state.sent + 1
  if (sent > maxSent) {
    return notRenewed(
      state,
      'credential_invalid',
      'The refresh token was sent twice, and no answer came. It may be used up.',
    )
  }
  return { state: plainly({ ...state, sent }), next: { send: [plans.refresh(state.plan)] } }
}

/** The same person is vouched for once more, which they agreed to. */
function identify(state: Renewal): Step {
  const { plan, presented } = state
  if (presented === undefined) {
    return notRenewed(state, 'credential_invalid', 'Nothing is held that it could be renewed with.')
  }
  return { state: plainly(state), next: { identify: plans.wishOf(plan, presented) } }
}

function present(state: Renewal, event: IdentityEvent): Step {
  const { plan, presented } = state
  if ('none' in event) {
    const code = event.none === 'failed' ? 'service_failed' : 'credential_invalid'
    return notRenewed(state, code, 'The application gave no identity assertion.')
  }
  if (JSON.stringify(event.who) !== JSON.stringify(presented?.who)) {
    return notRenewed(state, 'credential_invalid', 'The application vouches for somebody else.')
  }
  const send = [plans.present(plan, { audience: '', ...presented })] as const
  return { state: plainly(state), next: { send } }
}

function reassured(state: Renewal, context: MethodContext, answer: PlanAnswer): Step {
  const given = read(answer, context.now)
  const { assertion, assertionUntil, refreshToken, credential, expires } = given
  if (answer.status < 300 && credential && state.presented) {
    const until = expires === undefined ? {} : { expires }
    const issued = plans.credential(state, until, renewal(state, false))
    return { state: plainly(state), secrets: { credential }, next: { done: issued } }
  }
  if (answer.status >= 300 || assertion === undefined) {
    const spent = errorIn(answer).code === 'invalid_refresh_token'
    if (spent && state.presented) {
      return {
        ...identify({ ...state, sent: 0, refreshable: false }),
        secrets: { refresh_token: null },
      }
    }
    const ended = spent || (state.presented !== undefined && !mayStillCome(answer))
    const code = ended ? 'credential_invalid' : 'service_failed'
    return notRenewed({ ...state, sent: 0 }, code, 'The service gave no new assertion.')
  }
  const { assertionUntil: _, ...rest } = state
  const next: Renewal = {
    ...rest,
    sent: 0,
    refreshable: refreshToken !== undefined,
    ...until(assertionUntil),
  }
  const secrets = { assertion, refresh_token: refreshToken ?? null }
  return { ...change(next), secrets }
}

/** Whether another assertion of the same person may be taken where this one was not. */
function mayStillCome(answer: PlanAnswer): boolean {
  return ['again', 'other-audience', 'wait', 'unwell'].includes(followOf(answer))
}

function notRenewed(state: Renewal, code: RefusalCode, reason: string): Step {
  return { state: plainly(state), next: { failed: { code, reason } } }
}

function plainly(state: Renewal): Json {
  return state as unknown as Json
}
