import type { Effect, TermsText } from '../../consent/action.ts'
import { confinedAudience } from '../../use/audience.ts'
import type { Identity, IssuedCredential, RequestPlan } from '../method.ts'
import type { Endpoints } from './endpoints.ts'
import type { State } from './state.ts'

export function challengeName({ work }: Endpoints): string {
  return work ? 'pow_signup_challenge' : 'bot_challenge'
}

/** A puzzle, or a proof of work. It binds nobody; what one answers about the model is left out. */
export function botChallenge({ endpoints }: State): RequestPlan {
  return {
    name: challengeName(endpoints),
    request: { method: 'POST', url: endpoints.challenge, json: {} },
    effect: 'none',
    ifLost: 'repeat',
  }
}

/** The text that is going to be accepted, read so that what it said is on record. */
export function readTerms({ role, url }: TermsText): RequestPlan {
  return {
    name: `read-${role}`,
    request: { method: 'GET', url, redirects: 'checked' },
    effect: 'none',
    ifLost: 'repeat',
  }
}

export function botSignup(
  state: State,
  identity: Identity,
  answer: string,
  binds: readonly Effect[],
): RequestPlan {
  const address = (role: TermsText['role']) => state.terms?.find((text) => text.role === role)?.url
  const eu = address('terms-eu')
  return {
    name: 'bot_signup',
    request: {
      method: 'POST',
      url: state.endpoints.signup,
      json: {
        ...(state.endpoints.work
          ? { pow_nonce: state.nonce, pow_solution: Number(answer) }
          : { bot_challenge_nonce: state.nonce, bot_challenge_answer: answer }),
        terms_and_conditions_url: address('terms'),
        privacy_policy_url: address('privacy'),
        terms_of_service: true,
        ...(eu ? { terms_of_service_eu: true, terms_and_conditions_eu_url: eu } : {}),
        email: identity.email,
      },
      redirects: 'none',
    },
    effect: 'creates',
    ifLost: 'reconcile',
    binds,
  }
}

export function resend({ endpoints, email }: State): RequestPlan {
  return {
    name: 'resend_magic_link',
    request: { method: 'POST', url: endpoints.resend, json: { email } },
    effect: 'idempotent',
    ifLost: 'reconcile',
  }
}

/** Any first request uses the link up, so it is followed once, by this and nothing else. */
export function botSessions(): RequestPlan {
  return {
    name: 'bot_sessions',
    request: { method: 'GET', url: { secret: 'link' }, redirects: 'same-origin' },
    effect: 'idempotent',
    ifLost: 'reconcile',
  }
}

export function apiKeys({ keys }: Endpoints): RequestPlan {
  return {
    name: 'api_keys',
    request: {
      method: 'POST',
      url: keys,
      json: {},
      authorization: { scheme: 'Bearer', secret: 'session' },
      redirects: 'none',
    },
    effect: 'creates',
    ifLost: 'uncertain',
  }
}

export function keyEffect({ keys, base }: Endpoints, credential: string, note?: string): Effect {
  return {
    kind: 'create-credential',
    at: keys,
    audience: confinedAudience(keys, [base]).bases,
    credential,
    ...(note === undefined ? {} : { note }),
  }
}

export function credentialOf(endpoints: Endpoints, id: string | undefined): IssuedCredential {
  const { keys, base, portal, probe } = endpoints
  return {
    secret: 'api_key',
    kind: 'api_key',
    header: 'authorization',
    prefix: 'Bearer ',
    issuedBy: keys,
    bases: [base],
    ...(probe === undefined ? {} : { probe }),
    ...(portal === undefined ? {} : { revocation: { mode: 'interactive', url: portal } }),
    ...(id === undefined ? {} : { serviceId: id }),
  }
}
