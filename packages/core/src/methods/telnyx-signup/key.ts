import { Secret } from '../../vault/secret.ts'
import type { MethodContext, PlanAnswer } from '../method.ts'
import { plain, type Step } from '../step.ts'
import { failed, later, refusal } from './ends.ts'
import { decodeEntities, isSessionLink } from './mail.ts'
import * as plans from './plans.ts'
import type { State } from './state.ts'
import * as waits from './waits.ts'
import { issuedKey, sessionToken } from './wire.ts'

const linkMs = 15 * 60_000
const resendMs = 60_000
const maxResends = 3

/** The service was asked for a mail: now it is waited for. */
export function mailAsked(state: State, context: MethodContext): Step {
  const since = state.mailSince ?? state.askedAt ?? context.now
  return waits.forMail({
    ...state,
    step: 'mail',
    // Mailboxes often know whole seconds only.
    mailSince: Math.floor(since / 1000) * 1000,
    mailAt: context.now,
    mailUntil: context.now + linkMs,
  })
}

/**
 * It is not known whether the signup was done. Doing it again makes no second account, but it accepts
 * the terms again: the mail tells.
 */
export function signupLost(state: State, context: MethodContext): Step {
  return mailAsked({ ...state, inDoubt: 'bot_signup', lostSignup: true }, context)
}

/** No mail yet: asks for another when the last one is of no use any more, or to learn what was done. */
export function noMailYet(state: State, context: MethodContext): Step {
  const expired = (state.mailUntil ?? 0) <= context.now
  const overdue = state.inDoubt !== undefined && (state.mailAt ?? 0) + resendMs <= context.now
  if (!expired && !(overdue && state.resends === 0)) return waits.forMail(state)
  if (state.inDoubt !== undefined && state.resends > 0) {
    const { inDoubt, ...rest } = state
    return waits.forRetry({ ...rest, step: 'lost-signup' })
  }
  return anotherLink(state, context, 'No mail came in time.')
}

/** A link that a person handed over: as copied from the mail, or from its source. */
export function handedOver(state: State, context: MethodContext, link: string): Step {
  const address = decodeEntities(link.trim())
  if (isSessionLink(address, state.endpoints.sessions)) return openLink(state, context, address)
  return waits.forMail(
    state,
    'That was not the sign-in link: it starts with ' +
      `${state.endpoints.sessions}? and stands in the middle of the mail, not in its footer.`,
  )
}

export function openLink(state: State, context: MethodContext, link: string): Step {
  const { inDoubt, ...rest } = state
  return {
    state: plain({ ...rest, step: 'session', askedAt: context.now }),
    secrets: { link: new Secret(link) },
    next: { send: [plans.botSessions()] },
  }
}

export function sessionRead(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const token = answer.status === 200 ? sessionToken(answer) : undefined
  if (token !== undefined) {
    return {
      ...askForKey(state, context),
      secrets: { session: new Secret(token), link: null },
    }
  }
  const notice =
    answer.status >= 500 || answer.status < 400
      ? `The sign-in link was answered with ${answer.status} and no session.`
      : 'The sign-in link was used or had expired.'
  return { ...anotherLink(state, context, notice), secrets: { link: null } }
}

/** The request for the key. Where an earlier one may have made a key, a person agrees to another. */
export function askForKey(state: State, context: MethodContext): Step {
  const plan = plans.apiKeys(state.endpoints)
  const binds = [
    plans.keyEffect(
      state.endpoints,
      state.lostKeys > 1 ? 'one more API key' : 'a second API key',
      'An earlier one may exist already, and nobody holds it: look at the keys and delete what is not in use.',
    ),
  ]
  return {
    state: plain({ ...state, step: 'key', askedAt: context.now }),
    next: { send: [state.lostKeys === 0 ? plan : { ...plan, binds }] },
  }
}

export function keyRead(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { status } = answer
  const issued = status >= 200 && status < 300 ? issuedKey(answer) : undefined
  if (issued !== undefined) {
    return {
      state: plain({ ...state, step: 'done' }),
      secrets: { api_key: new Secret(issued.key), session: null },
      next: { done: plans.credentialOf(state.endpoints, issued.id) },
    }
  }
  // A failure, a redirect, or a success without a key in it may have made one.
  if (status < 400 || status >= 500) return keyLost(state, context)
  if (status === 429) {
    const wait = later(state, context.now, 'key-later', answer, 'The service limits new keys.')
    return { ...wait, refusedBeforeCommit: true }
  }
  if (status === 401) {
    const next = anotherLink(state, context, 'The session had expired.')
    return { ...next, secrets: { session: null }, refusedBeforeCommit: true }
  }
  return refusal(state, answer, 'api_keys')
}

export function keyLost(state: State, context: MethodContext): Step {
  return {
    ...waits.forRetry({ ...state, step: 'lost-key', lostKeys: state.lostKeys + 1 }),
    ...orphan(state, context, 'an API key that nobody holds', 'api_keys'),
  }
}

export function sessionLost(state: State, context: MethodContext): Step {
  return {
    ...anotherLink(state, context, 'The answer to the sign-in link was lost.'),
    ...orphan(state, context, 'a sign-in session, which ends by itself', 'bot_sessions'),
    secrets: { link: null },
  }
}

/** Asks for another mail, as far as the service allows. */
export function anotherLink(state: State, context: MethodContext, notice: string): Step {
  if (state.resends >= maxResends) {
    const reason = `${notice} The service sends no more links for this signup.`
    return failed(state, 'service_refused', reason)
  }
  const at = (state.mailAt ?? 0) + resendMs
  if (at > context.now) {
    const reason = `${notice} A new one can be asked for soon.`
    return {
      state: plain({ ...state, step: 'resend-later' }),
      next: { wait: { for: 'time', at, reason } },
    }
  }
  const next = {
    ...state,
    step: 'resend' as const,
    resends: state.resends + 1,
    mailSince: context.now,
  }
  return { state: plain(next), next: { send: [plans.resend(next)] } }
}

export function resent(state: State, context: MethodContext, answer: PlanAnswer): Step {
  if (answer.status !== 429) return mailAsked(state, context)
  return later(state, context.now, 'resend-later', answer, 'The service limits mails.')
}

function orphan(state: State, context: MethodContext, what: string, request: string) {
  const { portal } = state.endpoints
  const at = state.askedAt ?? context.now
  return { orphan: { what, request, at, ...(portal === undefined ? {} : { url: portal }) } }
}
