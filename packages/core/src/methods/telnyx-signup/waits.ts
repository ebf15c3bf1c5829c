import type { Identity } from '../method.ts'
import { plain, type Step } from '../step.ts'
import type { State } from './state.ts'
import type { Challenge } from './wire.ts'

/** What a puzzle's answer must look like, in our words. */
export function formOf({
  challenge_type: type,
  precision,
}: Challenge['data']): Pick<State, 'form' | 'accept'> {
  if (type === 'math') {
    const places = precision ?? undefined
    const form = places === undefined ? 'one number' : `one number with ${decimals(places)}`
    return { form, accept: 'number' }
  }
  const form = type === 'binary' ? 'one line, only what is asked for' : 'one line of text'
  return { form, accept: 'text' }
}

function decimals(places: number): string {
  if (places === 0) return 'no decimals'
  return places === 1 ? '1 decimal' : `${places} decimals`
}

/** The model answers the puzzle; where nobody has named an address yet, a person does that first. */
export function forAnswer(state: State, identity: Identity): Step {
  if (identity.email === undefined) return forEmail(state)
  const { notice, ...rest } = state
  return {
    state: plain(rest),
    next: {
      wait: {
        for: 'model',
        problem: state.problem ?? '',
        form: state.form ?? 'one line of text',
        accept: state.accept ?? 'text',
        ...(notice === undefined ? {} : { notice }),
      },
    },
  }
}

export function forEmail(state: State, notice?: string): Step {
  return {
    state: plain(state),
    next: {
      wait: {
        for: 'person',
        need: {
          kind: 'give-email',
          text: 'The service sends a sign-in link by mail. Which address may it be given?',
        },
        ...(notice === undefined ? {} : { notice }),
      },
    },
  }
}

export function forMail(state: State, notice?: string): Step {
  const { email = '', mailSince = 0, mailUntil = 0, inDoubt } = state
  return {
    state: plain(state),
    next: {
      wait: {
        for: 'mail',
        to: email,
        since: mailSince,
        until: mailUntil,
        need: {
          kind: 'open-mail',
          text:
            `A mail with a single-use sign-in link goes to ${email}. Do not open the link: ` +
            'copy its address and hand it over outside the chat.',
          email,
          until: mailUntil,
        },
        ...(inDoubt === undefined ? {} : { inDoubt }),
        ...(notice === undefined ? {} : { notice }),
      },
    },
  }
}

export function forRetry(state: State): Step {
  const signup = state.step === 'lost-signup'
  const portal = state.endpoints.portal
  const look = portal === undefined ? '' : ` A person can look at ${portal}.`
  return {
    state: plain(state),
    next: {
      wait: {
        for: 'retry',
        request: signup ? 'bot_signup' : 'api_keys',
        check: signup
          ? `The answer to bot_signup was lost and no mail came to ${state.email}: there may be an account or none.${look}`
          : `The answer to api_keys was lost: there may be a key that nobody holds.${look}`,
      },
    },
  }
}
