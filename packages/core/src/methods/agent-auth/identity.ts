import type { IdentityEvent, MethodContext, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import * as ceremony from './ceremony.ts'
import { failed, later, nextTry, refusal } from './ends.ts'
import { type Follow, followOf } from './errors.ts'
import * as late from './late-claim.ts'
import * as plans from './plans.ts'
import * as start from './start.ts'
import type { Plan, Presented, State } from './state.ts'
import * as token from './token.ts'
import { maxAgeIn, read } from './wire.ts'

/** A login may be so much older than was asked: its clock is not ours. */
const skew = 60

/** Whom does the application vouch for? Each time with an assertion of its own. */
export function ask(state: State, change: Partial<Presented> = {}): Step {
  const { plan, presented } = state
  const audience = plan.audience?.issuer ?? plan.service
  const next: Presented = { audience, ...presented, ...change }
  return {
    state: plain({ ...state, step: 'identify', presented: next }),
    next: { identify: plans.wishOf(plan, next) },
  }
}

/** What the application says. It may be of somebody else than the person who was consented to. */
export function identified(state: State, context: MethodContext, event: IdentityEvent): Step {
  if ('none' in event) {
    switch (event.none) {
      case 'absent':
        return absent(state, context)
      case 'login':
        return forLogin(state, event.url)
      case 'failed':
        return waitFor(state, context.now, event.reason)
    }
  }
  const { presented, claiming, plan } = state
  if (presented === undefined) return ask(state)
  const { maxAge } = presented
  const age = event.authTime === undefined ? 0 : context.now / 1000 - event.authTime
  if (maxAge !== undefined && age > maxAge + skew) return forLogin(state)
  const next: State = {
    ...state,
    step: claiming ? 'claim-identity' : 'register',
    askedAt: claiming ? (state.askedAt ?? context.now) : context.now,
    presented: { ...presented, who: event.who },
  }
  const send = claiming
    ? plans.claimByIdentity(next, plan.claim ?? '')
    : plans.register(next, context.identity)
  return { state: plain(next), next: { send: [send] } }
}

/** It has none for this service: then as without it. */
function absent(state: State, context: MethodContext): Step {
  const { presented, plan, claiming } = state
  if (claiming) return late.byAddress(state, context)
  const refusedBefore = presented?.who !== undefined
  const personal = context.identity.email !== undefined || refusedBefore
  const types = plan.types.filter((one) => one !== 'identity_assertion')
  const type = personal || !types.includes('anonymous') ? 'service_auth' : 'anonymous'
  if (types.includes(type)) return start.register(without(state, type), context)
  const reason =
    'The application gives no identity assertion for this service, and there is no other way in.'
  return failed(state, 'no_offer', reason)
}

function without({ presented: _, ...state }: State, type: State['type']): State {
  return { ...state, type }
}

/** The login at the provider is too old, or there is none: a person has to sign in there. */
function forLogin(state: State, url?: string): Step {
  const { presented, plan } = state
  const { host } = new URL(plan.register)
  const provider = presented?.who?.issuer ?? 'the identity provider'
  const { maxAge } = presented ?? {}
  const age =
    maxAge === undefined
      ? ''
      : ` no longer than ${Math.max(1, Math.floor(maxAge / 60))} minutes ago`
  const need = {
    kind: 'open-link',
    text: `${host} takes the word of ${provider} only for somebody who signed in there${age}. Sign in again there; nothing is needed at ${host}.`,
    ...(url === undefined ? {} : { url }),
  } as const
  return { state: plain({ ...state, step: 'login' }), next: { wait: { for: 'person', need } } }
}

function waitFor(state: State, now: number, reason: string): Step {
  const again = nextTry(state, now)
  if (again === undefined) return failed(state, 'identity_failed', `${reason}.`)
  const { at, failures } = again
  return {
    state: plain({ ...state, step: 'identify-later', failures }),
    next: { wait: { for: 'time', at, reason: `${reason}.` } },
  }
}

/** The service does not take this assertion: another one, another login, or another way. */
export function refused(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const request = state.claiming ? 'agent_claim' : 'agent_identity'
  const { presented } = state
  const open = (step: Step): Step => ({ ...step, refusedBeforeCommit: true })
  switch (followsHere(answer)) {
    case 'unwell':
    case 'wait':
      return open(later(state, context.now, 'register-later', answer))
    case 'again':
      if (!presented?.again) return open(ask(state, { again: true }))
      // The published server says `expired` of a wrong audience as well.
      return open(presented.other ? other(state, context, answer) : otherAudience(state))
    case 'other-audience':
      return open(presented?.other ? other(state, context, answer) : otherAudience(state))
    case 'login': {
      const maxAge = maxAgeIn(answer)
      const older = { ...state, presented: presented && { ...presented, maxAge } }
      return open(
        presented?.fresher ? forLogin(older as State) : ask(older as State, { fresher: true }),
      )
    }
    case 'other-credential': {
      const { credentialType, otherCredential } = state.plan
      if (otherCredential === undefined) return refusal(state, request, answer)
      const { otherCredential: _, ...plan } = state.plan
      if (credentialType === undefined) return refusal(state, request, answer)
      return open(ask({ ...state, plan: { ...plan, credentialType: otherCredential } }))
    }
    case 'other-type':
      return open(other(state, context, answer))
    default: {
      // Newer versions' documents fold all faults of an assertion into these two.
      const folded = ['invalid_request', 'invalid_grant'].includes(errorIn(answer).code ?? '')
      if (folded && !presented?.other) return open(otherAudience(state))
      if (state.claiming && folded) return open(other(state, context, answer))
      return refusal(state, request, answer)
    }
  }
}

/** At the token endpoint `insufficient_user_authentication` says that nobody has claimed; here, that the login is not good enough. */
function followsHere(answer: PlanAnswer): Follow {
  return errorIn(answer).code === 'insufficient_user_authentication' ? 'login' : followOf(answer)
}

/** The documents disagree about the audience: the issuer mostly, and else the resource. */
function otherAudience(state: State): Step {
  return ask(state, { audience: resourceOf(state.plan), other: true })
}

function resourceOf({ audience, service }: Plan): string {
  return audience?.resource ?? service
}

/** Nobody falls from a person's registration to an anonymous one unasked. */
function other(state: State, context: MethodContext, answer: PlanAnswer): Step {
  if (state.claiming) return late.byAddress(state, context)
  if (state.plan.types.includes('service_auth')) {
    return start.register(without(state, 'service_auth'), context)
  }
  const issuer = state.presented?.who?.issuer ?? 'the identity provider'
  const reason = `The service does not take the word of ${issuer}, and there is no other way in for a person.`
  return refusal(state, 'agent_identity', answer, reason)
}

/** An anonymous registration becomes a person's by the provider's word, or a ceremony begins. */
export function claimed(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const given = read(answer, context.now)
  if (answer.status < 300 && given.assertion) return token.exchange(state, given)
  if (answer.status < 300 && given.ceremony) {
    const email = state.presented?.who?.email
    return ceremony.begin({ ...state, ...(email ? { email } : {}) }, context, given.ceremony)
  }
  switch (followsHere(answer)) {
    case 'over':
      return errorIn(answer).code === 'invalid_grant'
        ? refused(state, context, answer)
        : ceremony.over(state)
    case 'claimed':
      return ceremony.ask({ ...state, unread: true })
    case 'unwell':
    case 'wait':
      return later(state, context.now, 'claim-identity-later', answer)
    default:
      return refused(state, context, answer)
  }
}
