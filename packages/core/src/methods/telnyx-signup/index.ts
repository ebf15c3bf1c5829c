import { z } from 'zod'
import type { ServiceProfile } from '../../discovery/profile.ts'
import { AuthError } from '../../errors.ts'
import { parse } from '../../inputs.ts'
import { isLoopbackHost } from '../../net/url.ts'
import type { Json, Method, MethodContext, MethodEvent, Offer, PersonInput } from '../method.ts'
import { type Answers, only, type Step } from '../step.ts'
import { type Endpoints, offerOf } from './endpoints.ts'
import * as inbox from './inbox.ts'
import * as key from './key.ts'
import { linkInMail } from './mail.ts'
import { challengeName } from './plans.ts'
import * as puzzle from './puzzle.ts'
import type { State } from './state.ts'
import * as waits from './waits.ts'

/**
 * Telnyx's agent signup: a puzzle for the model, terms for a person, a sign-in link by mail, an API
 * key shown once. Recognised by a registration page that names `bot_challenge` and `bot_signup`.
 */
export const telnyxSignup: Method<Json, Step> = {
  id: 'telnyx-signup',

  offers(profile: ServiceProfile): readonly Offer[] {
    const offer = offerOf(profile, 'telnyx-signup')
    return offer === undefined ? [] : [offer]
  },

  begin(context: MethodContext, offer: Offer): Step {
    const endpoints = offer.plan as unknown as Endpoints
    const state = { step: 'challenge', endpoints, resends: 0, challenges: 0, lostKeys: 0 } as const
    const anyone = context.identity.email !== undefined
    return endpoints.inbox === undefined || anyone
      ? puzzle.challenge(state, context)
      : inbox.ask(state, context)
  },

  next(given: MethodContext, json: Json, event: MethodEvent): Step {
    const state = json as unknown as State
    const context = inbox.withInbox(state, given)
    return inbox.polled(moved(state, context, event), context)
  },
}

/** Where an operator lets agents make mailboxes of their own at Telnyx. */
export interface AgentInboxOptions {
  /** Its origin: `https://agent-inbox.telnyx.com`. */
  readonly url: string
}

const inboxOptions: z.ZodType<AgentInboxOptions> = z.strictObject({
  url: z.string().max(2_048).refine(isOrigin, 'an https origin, or http on loopback'),
})

function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || ![url.origin, `${url.origin}/`].includes(text)) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}

/**
 * The method as it is where an inbox may be made for an owner without an address. An inbox costs work: where
 * nothing `computes` it the offer is the one without.
 *
 * @throws AuthError `invalid_input` for what is no origin
 */
export function telnyxSignupWith(
  options: AgentInboxOptions | undefined,
  computes: boolean,
): Method<Json, Step> {
  if (options === undefined) return telnyxSignup
  const { origin } = new URL(parse(inboxOptions, options).url)
  if (!computes) return telnyxSignup
  return {
    ...telnyxSignup,
    offers(profile) {
      const offer = offerOf(profile, telnyxSignup.id, origin)
      return offer === undefined ? [] : [offer]
    },
  }
}

function moved(state: State, context: MethodContext, event: MethodEvent): Step {
  switch (event.type) {
    case 'answer':
      return answered(state, context, event.answers)
    case 'lost':
      return lost(state, context, event.name)
    case 'model':
      return state.step === 'answer'
        ? puzzle.solved(state, context, event.answer)
        : stay(state, context)
    case 'work':
      if (state.step === 'inbox-work') return inbox.worked(state, context, event)
      return state.step === 'work' ? puzzle.worked(state, context, event) : stay(state, context)
    case 'person':
      return handed(state, context, event.input)
    case 'mail': {
      const { endpoints, mailSince = 0, step } = state
      const link = linkInMail(event.messages, endpoints.sessions, mailSince)
      if (step !== 'mail' || link === undefined) return ticked(state, context)
      return key.openLink(state, context, link)
    }
    case 'retry':
      return retried(state, context)
    default:
      return ticked(state, context)
  }
}

function answered(state: State, context: MethodContext, answers: Answers): Step {
  switch (state.step) {
    case 'inbox-challenge':
      return inbox.asked(state, context, only(telnyxSignup.id, answers, 'inbox_challenge'))
    case 'inbox-create':
      return inbox.created(state, context, only(telnyxSignup.id, answers, 'inbox_create'))
    case 'inbox-messages':
      return inbox.looked(state, context, only(telnyxSignup.id, answers, 'inbox_messages'))
    case 'challenge':
      return puzzle.challengeRead(
        state,
        context,
        only(telnyxSignup.id, answers, challengeName(state.endpoints)),
      )
    case 'terms':
      return puzzle.termsRead(state, context, answers)
    case 'signup':
      return puzzle.signedUp(state, context, only(telnyxSignup.id, answers, 'bot_signup'))
    case 'resend':
      return key.resent(state, context, only(telnyxSignup.id, answers, 'resend_magic_link'))
    case 'session':
      return key.sessionRead(state, context, only(telnyxSignup.id, answers, 'bot_sessions'))
    case 'key':
      return key.keyRead(state, context, only(telnyxSignup.id, answers, 'api_keys'))
    default:
      return stay(state, context)
  }
}

function lost(state: State, context: MethodContext, name: string): Step {
  switch (name) {
    case 'inbox_create':
      return inbox.lost(state, context)
    case 'bot_signup':
      return key.signupLost(state, context)
    case 'bot_sessions':
      return key.sessionLost(state, context)
    case 'api_keys':
      return key.keyLost(state, context)
    case 'resend_magic_link':
      return key.mailAsked(state, context)
    default:
      return stay(state, context)
  }
}

function handed(state: State, context: MethodContext, input: PersonInput): Step {
  if ('link' in input && state.step === 'mail') return key.handedOver(state, context, input.link)
  if ('email' in input && state.step === 'answer') return puzzle.addressGiven(state, context)
  return stay(state, context)
}

function retried(state: State, context: MethodContext): Step {
  if (state.step === 'lost-inbox') return inbox.ask(state, context)
  if (state.step === 'lost-key') return key.askForKey(state, context)
  if (state.step === 'lost-signup' || (state.step === 'mail' && state.inDoubt !== undefined)) {
    const { inDoubt, ...rest } = state
    const notice = 'It is not known whether the signup was done; this is a new puzzle.'
    return puzzle.challenge(rest, context, notice)
  }
  return ticked(state, context)
}

function ticked(state: State, context: MethodContext): Step {
  switch (state.step) {
    case 'resend-later': {
      const notice = 'The last sign-in link is of no use any more.'
      return key.anotherLink(state, context, notice)
    }
    case 'inbox-later':
      return inbox.ask(state, context)
    case 'challenge-later':
      return puzzle.challenge(state, context)
    case 'key-later':
      return key.askForKey(state, context)
    case 'mail':
      if (state.inbox !== undefined) return inbox.look(state)
      return key.noMailYet(state, context)
    default:
      return stay(state, context)
  }
}

/** An event that means nothing here changes nothing. */
function stay(state: State, context: MethodContext): Step {
  switch (state.step) {
    case 'mail':
      return waits.forMail(state)
    case 'lost-inbox':
      return inbox.forRetry(state)
    case 'lost-key':
    case 'lost-signup':
      return waits.forRetry(state)
    case 'answer':
      // Without a nonce the address was refused: the puzzle that is still shown is spent.
      return state.nonce === undefined
        ? waits.forEmail(state)
        : waits.forAnswer(state, context.identity)
    default:
      throw new AuthError('method_failed', `telnyx-signup has nothing to stay at in ${state.step}`)
  }
}
