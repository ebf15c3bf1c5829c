import type { ServiceProfile } from '../../discovery/profile.ts'
import { AuthError } from '../../errors.ts'
import type { Json, Method, MethodContext, MethodEvent, Offer, PersonInput } from '../method.ts'
import { type Answers, only, type Step } from '../step.ts'
import * as ceremony from './ceremony.ts'
import { failed } from './ends.ts'
import * as identity from './identity.ts'
import * as late from './late-claim.ts'
import { offerOf } from './offer.ts'
import * as start from './start.ts'
import type { Plan, State } from './state.ts'
import * as token from './token.ts'

/**
 * Agent registration by auth.md, in all its versions: by the word of an identity provider, with an address
 * that a person then confirms by a code, or anonymously where neither is known. Recognised by the `agent_auth` block of the authorization
 * server's metadata; how it goes on is decided by what each answer holds.
 */
export const agentAuth: Method<Json, Step> = {
  id: 'agent-auth',

  offers(profile: ServiceProfile): readonly Offer[] {
    const offer = offerOf(profile)
    return offer === undefined ? [] : [offer]
  },

  begin(context: MethodContext, offer: Offer): Step {
    const plan = offer.plan as unknown as Plan
    const { asserts, email } = context.identity
    const { types } = plan
    const personal = email !== undefined && types.includes('service_auth')
    const named = personal || !types.includes('anonymous') ? 'service_auth' : 'anonymous'
    const type = asserts && types.includes('identity_assertion') ? 'identity_assertion' : named
    const state: State = { step: 'register', plan, type, lost: 0, codes: 0, wrong: 0, failures: 0 }
    if (types.includes(type)) return start.register(state, context)
    const reason =
      'It lets in only whom an identity provider vouches for, and the application has none.'
    return failed(state, 'no_offer', reason)
  },

  next(context: MethodContext, json: Json, event: MethodEvent): Step {
    const state = json as unknown as State
    switch (event.type) {
      case 'answer':
        return answered(state, context, event.answers)
      case 'lost':
        return start.lost(state, context)
      case 'identity':
        return identity.identified(state, context, event)
      case 'person':
        return handed(state, context, event.input)
      case 'retry':
        return state.step === 'lost-register'
          ? start.register(state, context)
          : ticked(state, context)
      default:
        return ticked(state, context)
    }
  },

  claim(context: MethodContext, json: Json): Step {
    return late.begin(json as unknown as State, context)
  },

  refresh: token.renew,
}

function answered(state: State, context: MethodContext, answers: Answers): Step {
  switch (state.step) {
    case 'register':
      return start.registered(state, context, only(agentAuth.id, answers, 'agent_identity'))
    case 'exchange':
      return token.exchanged(state, context, only(agentAuth.id, answers, 'agent_token'))
    case 'poll':
      return ceremony.polled(state, context, only(agentAuth.id, answers, 'agent_token'))
    case 'complete':
      return ceremony.completed(state, context, only(agentAuth.id, answers, 'agent_claim_complete'))
    case 'claim-identity':
      return identity.claimed(state, context, only(agentAuth.id, answers, 'agent_claim'))
    case 'claim':
      return ceremony.claimed(state, context, only(agentAuth.id, answers, 'agent_claim'))
    default:
      return ticked(state, context)
  }
}

function handed(state: State, context: MethodContext, input: PersonInput): Step {
  if (state.step === 'email') {
    return state.claiming ? late.begin(state, context) : start.register(state, context)
  }
  if (state.step === 'person') return ceremony.handed(state, context, input)
  return ticked(state, context)
}

function ticked(state: State, context: MethodContext): Step {
  switch (state.step) {
    case 'email':
      return start.forEmail(state)
    case 'lost-register':
      return start.forRetry(state)
    case 'register-later':
      return start.register(state, context)
    case 'exchange-later':
      return token.ask(state)
    case 'identify':
    case 'identify-later':
    case 'login':
    case 'claim-identity-later':
      return identity.ask(state)
    case 'claim-later':
      return ceremony.newCode(state)
    case 'person':
      return ceremony.ticked(state, context)
    default:
      throw new AuthError('method_failed', `agent-auth has nothing to stay at in ${state.step}`)
  }
}
