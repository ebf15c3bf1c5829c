import type { MethodContext } from '../method.ts'
import { plain, type Step } from '../step.ts'
import { failed } from './ends.ts'
import * as identity from './identity.ts'
import * as plans from './plans.ts'
import { forEmail } from './start.ts'
import type { State } from './state.ts'

/**
 * A person is to claim what was given without one: tells the service the address, and a ceremony begins
 * as it does for a registration by address.
 */
export function begin(state: State, context: MethodContext): Step {
  const { ceremony: _, code: __, look: ___, unclaimed: ____, sibling: _____, ...rest } = state
  const { presented: ______, ...before } = rest
  const claiming: State = { ...before, claiming: true, codes: 0, wrong: 0, failures: 0 }
  const { claim, types, claimGrant, emailType } = state.plan
  if (claim === undefined) {
    return failed(claiming, 'service_failed', 'The service does not say where it is claimed.')
  }
  // v0.7 alone takes a provider's word here. What v0.6 answers to that leads on to the address.
  const asserted =
    types.includes('identity_assertion') && claimGrant && emailType === 'service_auth'
  return context.identity.asserts && asserted
    ? identity.ask(claiming)
    : byAddress(claiming, context)
}

export function byAddress({ presented: _, ...claiming }: State, context: MethodContext): Step {
  const { email } = context.identity
  const { claim: url = '' } = claiming.plan
  if (email === undefined) return forEmail(claiming)
  const next: State = { ...claiming, step: 'claim', email }
  return { state: plain(next), next: { send: [plans.beginClaim(next, url, context.identity)] } }
}

/** The service does not take this address. */
export function otherEmail(state: State): Step {
  const notice = `The service does not take the address ${state.email}.`
  return { ...forEmail({ ...state, notice }), refusedBeforeCommit: true }
}

/** Up to v0.3 the credential stays what it is and may do more from now on. */
export function upgraded(state: State): Step {
  return {
    state: plain({ ...state, step: 'done' }),
    next: { done: plans.credential(state, {}, undefined) },
  }
}

/** Whether a service that says "claimed" has left what was given before in force, as all with a mailed link do. */
export function widens({ claiming, plan, ceremony }: State): boolean {
  const mailed = ceremony?.field === 'otp' || plan.emailType === 'verified_email'
  return claiming === true && mailed && plan.claimGrant === undefined
}
