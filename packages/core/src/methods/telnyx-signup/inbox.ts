import { z } from 'zod'
import type { MailMessage } from '../../people/mailbox.ts'
import { Secret } from '../../vault/secret.ts'
import type { MethodContext, PlanAnswer, RequestPlan, WorkEvent } from '../method.ts'
import { plain, type Step } from '../step.ts'
import { failed, refusal } from './ends.ts'
import { noMailYet, openLink } from './key.ts'
import { linkInMail } from './mail.ts'
import { challenge } from './puzzle.ts'
import type { State } from './state.ts'

const maxTries = 4
const patienceMs = 60_000
const pollMs = 5_000

const challengeAnswer = z.object({
  data: z.object({
    challenge_id: z.string().min(1).max(200),
    algorithm: z.literal('sha256-v1'),
    challenge: z.string().min(1).max(2000),
    difficulty_bits: z.number(),
  }),
})
const inboxAnswer = z.object({
  data: z.object({
    email: z.email().max(254),
    account_id: z.string().min(1).max(200),
    account_key: z.string().regex(/^[\x21-\x7e]{8,8192}$/),
  }),
})
const messagesAnswer = z.object({
  data: z.array(
    z.object({ id: z.string(), from: z.string(), subject: z.string() }).extend({
      received_at: z.iso.datetime({ offset: true }),
      html: z.string().optional().catch(undefined),
    }),
  ),
})

/** The context of a signup that has an inbox: its address is the one of the registration. */
export function withInbox({ inbox }: State, context: MethodContext): MethodContext {
  if (inbox === undefined) return context
  return { ...context, identity: { email: inbox.email, emailFrom: 'inbox', mailbox: true } }
}

/** Asks for the work that an inbox costs. */
export function ask(state: State, context: MethodContext): Step {
  const tries = (state.inboxTries ?? 0) + 1
  if (tries > maxTries) {
    return failed(state, 'service_refused', `The service made no inbox in ${maxTries} tries.`)
  }
  const next = { ...state, step: 'inbox-challenge', inboxTries: tries, askedAt: context.now }
  const plan: RequestPlan = {
    name: 'inbox_challenge',
    request: {
      method: 'POST',
      url: `${inboxes(state)}/challenges`,
      json: { purpose: 'bot_signup' },
      redirects: 'none',
    },
    effect: 'none',
    ifLost: 'repeat',
  }
  return { state: plain(next), next: { send: [plan] } }
}

export function asked(state: State, { now }: MethodContext, answer: PlanAnswer): Step {
  if (answer.status === 429 || answer.status >= 500) return later(state, now, answer)
  const data = challengeAnswer.safeParse(answer.json).data?.data
  if (answer.status !== 200 || data === undefined) return refusal(state, answer, 'inbox_challenge')
  const { challenge_id: inboxChallenge, challenge: text, difficulty_bits: bits } = data
  return {
    state: plain({ ...state, step: 'inbox-work', inboxChallenge }),
    next: { work: { prefix: `${text}:`, bits } },
  }
}

export function worked(state: State, context: MethodContext, event: WorkEvent): Step {
  if (!('solution' in event)) {
    const code = event.none === 'too-hard' ? 'service_refused' : 'request_refused'
    return failed(state, code, `The inbox asks for a proof of work. ${event.reason}`)
  }
  const plan: RequestPlan = {
    name: 'inbox_create',
    request: {
      method: 'POST',
      url: inboxes(state),
      json: {
        purpose: 'bot_signup',
        pow: { challenge_id: state.inboxChallenge, nonce: event.solution },
      },
      redirects: 'none',
    },
    effect: 'creates',
    ifLost: 'uncertain',
    // It names no challenge: another one goes under the same consent.
    binds: [
      {
        kind: 'create-credential',
        at: inboxes(state),
        audience: [inboxes(state)],
        credential: 'an inbox for the sign-in mail, and the key to read it',
        ...(state.lostInbox
          ? { note: 'An earlier one may exist already; nobody can read it.' }
          : {}),
      },
    ],
  }
  return {
    state: plain({ ...state, step: 'inbox-create', askedAt: context.now }),
    next: { send: [plan] },
  }
}

export function created(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { status } = answer
  const made = status >= 200 && status < 300 ? inboxAnswer.safeParse(answer.json).data : undefined
  if (made !== undefined) {
    const { email, account_id: account, account_key: key } = made.data
    const { inboxChallenge, inboxTries, ...rest } = state
    const next = { ...rest, inbox: { email, account } }
    return {
      ...challenge(next, withInbox(next, context)),
      secrets: { inbox_key: new Secret(key) },
    }
  }
  if (status < 400 || status >= 500) return lost(state, context)
  const again = status === 429 ? later(state, context.now, answer) : ask(state, context)
  return { ...again, refusedBeforeCommit: true }
}

/** There may be an inbox whose key nobody holds. */
export function lost(state: State, context: MethodContext): Step {
  const what = 'an inbox that nobody can read'
  return {
    ...forRetry({ ...state, step: 'lost-inbox', lostInbox: true, inboxTries: 0 }),
    orphan: { what, request: 'inbox_create', at: state.askedAt ?? context.now },
  }
}

export function forRetry(state: State): Step {
  const check = 'The answer to inbox_create was lost: there may be an inbox that nobody can read.'
  return {
    state: plain(state),
    next: { wait: { for: 'retry', request: 'inbox_create', check } },
  }
}

/** Looks into the inbox. */
export function look(state: State): Step {
  const plan: RequestPlan = {
    name: 'inbox_messages',
    request: {
      method: 'GET',
      url: `${inboxes(state)}/${encodeURIComponent(state.inbox?.account ?? '')}/messages`,
      authorization: { scheme: 'Bearer', secret: 'inbox_key' },
      redirects: 'none',
    },
    effect: 'none',
    ifLost: 'repeat',
  }
  return { state: plain({ ...state, step: 'inbox-messages' }), next: { send: [plan] } }
}

export function looked(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const mail = { ...state, step: 'mail' } as const
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    return refusal(mail, answer, 'inbox_messages')
  }
  const found = messagesAnswer.safeParse(answer.json).data?.data ?? []
  const messages = found.map(({ id, from, subject, received_at, html }): MailMessage => {
    const receivedAt = Date.parse(received_at)
    return { id, from, subject, receivedAt, ...(html === undefined ? {} : { html }) }
  })
  const link = linkInMail(messages, state.endpoints.sessions, state.mailSince ?? 0)
  return link === undefined ? noMailYet(mail, context) : openLink(mail, context, link)
}

/** Mail to an inbox is asked for by the clock: nobody else can read it. */
export function polled(step: Step, { now }: MethodContext): Step {
  const { inbox, inDoubt } = step.state as unknown as State
  if (inbox === undefined || !('wait' in step.next) || step.next.wait.for !== 'mail') return step
  const doubt =
    inDoubt === undefined
      ? ''
      : ` The answer to ${inDoubt} was lost; a mail would show that it was done.`
  const reason = `Waiting for the service's mail to ${inbox.email}, which is read without a person.${doubt}`
  return { ...step, next: { wait: { for: 'time', at: now + pollMs, reason } } }
}

function later(state: State, now: number, answer: PlanAnswer): Step {
  const at = now + (answer.retryAfterMs ?? patienceMs)
  const reason = `The service answered the request for an inbox with ${answer.status}.`
  return {
    state: plain({ ...state, step: 'inbox-later' }),
    next: { wait: { for: 'time', at, reason } },
  }
}

function inboxes({ endpoints }: State): string {
  return `${endpoints.inbox}/v2/agent_inboxes`
}
