import type { MethodContext, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import * as ceremony from './ceremony.ts'
import { later, refusal } from './ends.ts'
import { followOf } from './errors.ts'
import * as identity from './identity.ts'
import * as plans from './plans.ts'
import type { State } from './state.ts'
import * as token from './token.ts'
import { read } from './wire.ts'

/** Asks for a registration: with an address where one is known, or where there is no other way. */
export function register(state: State, context: MethodContext): Step {
  const { email } = context.identity
  if (state.type === 'identity_assertion') return identity.ask(state)
  if (state.type === 'service_auth' && email === undefined) return forEmail(state)
  const asked: State = {
    ...state,
    step: 'register',
    askedAt: context.now,
    ...(email === undefined ? {} : { email }),
  }
  return { state: plain(asked), next: { send: [plans.register(asked, context.identity)] } }
}

export function forEmail(state: State): Step {
  const { notice, ...rest } = state
  const need = {
    kind: 'give-email',
    text: `${new URL(state.plan.register).host} ${state.claiming ? 'has a person claim a registration' : 'registers a person'} by address. Which one may it be given?`,
  } as const
  const noted = notice === undefined ? {} : { notice }
  return {
    state: plain({ ...rest, step: 'email' }),
    next: { wait: { for: 'person', need, ...noted } },
  }
}

/** The answer to a registration. What it holds decides how it goes on, not the version it was taken for. */
export function registered(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const given = read(answer, context.now)
  const { registration, claimToken, claimUrl, window, claimScopes } = given
  const plan = ceremony.withClaim(state.plan, claimUrl)
  const known: State = {
    ...state,
    failures: 0,
    ...(registration === undefined ? {} : { registration }),
    ...(window === undefined ? {} : { window }),
    ...(claimScopes === undefined ? {} : { claimScopes }),
    plan,
  }
  const later = claimToken !== undefined && plan.claim !== undefined
  const at: State = later ? { ...known, unclaimed: true } : known
  if (answer.status < 300 && given.credential) return token.direct(at, given)
  if (answer.status < 300 && given.assertion) return token.exchange(at, given)
  const stepUp = answer.status === 401 && errorIn(answer).code === 'interaction_required'
  if ((answer.status < 300 || stepUp) && claimToken && given.ceremony) {
    const email = state.presented?.who?.email
    const stepped = email === undefined ? known : { ...known, email }
    const begun = ceremony.begin(stepped, context, given.ceremony)
    return { ...begun, secrets: { ...begun.secrets, claim_token: claimToken } }
  }
  return refused(state, context, answer)
}

function refused(state: State, context: MethodContext, answer: PlanAnswer): Step {
  // Without a credential in its answer a registration by identity is the same one each time.
  const definite = answer.status >= 400 && answer.status < 500
  if (state.presented && (state.plan.token || definite)) {
    return identity.refused(state, context, answer)
  }
  // Neither a failure nor a redirect says that nothing was made.
  if (answer.status < 400 || answer.status >= 500) return lost(state, context)
  switch (followOf(answer)) {
    case 'ask-email': {
      const notice = `The service does not take the address ${state.email}.`
      return { ...forEmail({ ...state, notice }), refusedBeforeCommit: true }
    }
    case 'wait':
      return { ...later(state, context.now, 'register-later', answer), refusedBeforeCommit: true }
    case 'other-type': {
      // From a person's registration nobody falls to an anonymous one unasked.
      const other = state.type === 'anonymous' && state.plan.types.includes('service_auth')
      if (other)
        return {
          ...register({ ...state, type: 'service_auth' }, context),
          refusedBeforeCommit: true,
        }
      return refusal(state, 'agent_identity', answer, 'The service has this way switched off.')
    }
    default:
      return refusal(state, 'agent_identity', answer)
  }
}

/** It may have been made. */
export function lost(state: State, context: MethodContext): Step {
  const orphan = {
    what: state.presented
      ? 'a credential that nobody holds'
      : 'an unclaimed registration, which ends by itself',
    request: 'agent_identity',
    at: state.askedAt ?? context.now,
  }
  return { ...forRetry({ ...state, step: 'lost-register', lost: state.lost + 1 }), orphan }
}

export function forRetry(state: State): Step {
  const left = state.presented
    ? 'a credential that nobody holds. The identity provider can tell the service to end it.'
    : 'a registration that nobody holds. Unclaimed it is of no use and ends by itself.'
  const check = `The answer to agent_identity was lost: there may be ${left}`
  return { state: plain(state), next: { wait: { for: 'retry', request: 'agent_identity', check } } }
}
