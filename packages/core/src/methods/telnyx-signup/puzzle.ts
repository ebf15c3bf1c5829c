import type { Effect, TermsText } from '../../consent/action.ts'
import type { MethodContext, PlanAnswer, RequestPlan, WorkEvent } from '../method.ts'
import { type Answers, plain, type Step } from '../step.ts'
import { failed, later, refusal, saidBy, unwell } from './ends.ts'
import { mailAsked, signupLost } from './key.ts'
import * as plans from './plans.ts'
import type { State } from './state.ts'
import * as waits from './waits.ts'
import { challengeAnswer, errorsIn, workAnswer } from './wire.ts'

const nonceMs = 10 * 60_000
const maxChallenges = 12
/** Each costs the operator's machine, not only time. */
const maxWorks = 4

/** Asks for a puzzle; `notice` says why, where it is not the first. */
export function challenge(state: State, context: MethodContext, notice?: string): Step {
  const { work } = state.endpoints
  const most = work ? maxWorks : maxChallenges
  if (state.challenges >= most) {
    const what = work ? 'proofs of work were not accepted' : 'puzzles were not solved'
    return failed(state, 'service_refused', `${most} ${what}.`)
  }
  const { nonce, problem, form, accept, bits, ...rest } = state
  const next = { ...rest, step: 'challenge' as const, challenges: state.challenges + 1 }
  const noted = notice === undefined ? next : { ...next, notice }
  return {
    state: plain({ ...noted, askedAt: context.now }),
    next: { send: [plans.botChallenge(state)] },
  }
}

export function challengeRead(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { now } = context
  if (answer.status === 429) {
    return later(state, now, 'challenge-later', answer, 'The service limits puzzles.')
  }
  if (answer.status >= 500) return unwell(state, now, answer)
  const asked = asks(state, answer)
  if (answer.status !== 200 || asked === undefined) {
    return refusal(state, answer, plans.challengeName(state.endpoints))
  }
  const { data, task } = asked
  const urls: readonly Pick<TermsText, 'role' | 'url'>[] = [
    { role: 'terms', url: data.terms_and_conditions_url },
    { role: 'privacy', url: data.privacy_policy_url },
    ...(data.terms_and_conditions_eu_url
      ? [{ role: 'terms-eu' as const, url: data.terms_and_conditions_eu_url }]
      : []),
  ]
  const terms = urls.map(
    ({ role, url }): TermsText =>
      state.terms?.find((known) => known.role === role && known.url === url) ?? {
        role,
        url,
        readAt: now,
      },
  )
  const { failures, ...rest } = state
  return {
    state: plain({
      ...rest,
      step: 'terms',
      nonce: data.nonce,
      nonceAt: now,
      ...task,
      terms,
    }),
    next: { send: terms.map(plans.readTerms) as [RequestPlan, ...RequestPlan[]] },
  }
}

/** What a challenge names, and what it wants done: the one place where the variants differ. */
function asks(state: State, answer: PlanAnswer) {
  if (state.endpoints.work) {
    const data = workAnswer.safeParse(answer.json).data?.data
    return data && { data, task: { bits: data.leading_zero_bits } }
  }
  const data = challengeAnswer.safeParse(answer.json).data?.data
  return data && { data, task: { problem: data.problem, ...waits.formOf(data) } }
}

/**
 * With each puzzle the terms are read again. What says the same as before stays as it was, time and
 * all, so that a consent to it still holds; what says something else asks for a new one.
 */
export function termsRead(state: State, context: MethodContext, answers: Answers): Step {
  const terms = (state.terms ?? []).map((text): TermsText => {
    const answer = answers[plans.readTerms(text).name]
    if (answer === undefined || answer === 'lost' || answer.status !== 200) return text
    const { textHash } = answer
    if (textHash === undefined || textHash === text.textHash) return text
    return { ...text, textHash, readAt: context.now }
  })
  return solve({ ...state, step: 'answer', terms }, context)
}

/** The model solves a puzzle, the engine a proof of work. */
function solve(state: State, context: MethodContext): Step {
  const { bits, nonce } = state
  if (bits === undefined || nonce === undefined) return waits.forAnswer(state, context.identity)
  if (context.identity.email === undefined) return waits.forEmail(state)
  const { notice, ...rest } = state
  return { state: plain({ ...rest, step: 'work' }), next: { work: { prefix: nonce, bits } } }
}

export function worked(state: State, context: MethodContext, event: WorkEvent): Step {
  if ('solution' in event) return solved(state, context, event.solution)
  const reason = `The service asks for a proof of work. ${event.reason}`
  return failed(state, event.none === 'too-hard' ? 'service_refused' : 'request_refused', reason)
}

/** The answer to the puzzle, or the number that proves the work. */
export function solved(state: State, context: MethodContext, answer: string): Step {
  const { email } = context.identity
  if (email === undefined || state.nonce === undefined) return waits.forEmail(state)
  if (context.now - (state.nonceAt ?? 0) >= nonceMs) {
    return challenge(state, context, 'The puzzle had expired; this is a new one.')
  }
  const send = plans.botSignup(state, context.identity, answer, effects(state, context))
  return {
    state: plain({ ...state, step: 'signup', email, askedAt: context.now }),
    next: { send: [send] },
  }
}

/** Everything that the signup binds to. It names neither nonce nor answer: those change, it does not. */
function effects(state: State, context: MethodContext): Effect[] {
  const { terms = [], endpoints, lostSignup } = state
  const { email = '', emailFrom = 'model' } = context.identity
  const general = terms.filter((text) => text.role !== 'terms-eu')
  const eu = terms.filter((text) => text.role === 'terms-eu')
  const note = lostSignup
    ? 'An earlier signup with this address may have been done already; it gets no second account.'
    : undefined
  return [
    { kind: 'accept-terms', texts: general },
    ...(eu.length > 0 ? [{ kind: 'accept-terms', texts: eu } as const] : []),
    { kind: 'present-identity', email, emailFrom, to: new URL(endpoints.signup).host },
    plans.keyEffect(endpoints, 'an account, unless the address has one, and an API key', note),
  ]
}

export function signedUp(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { status } = answer
  if (status >= 200 && status < 300) return mailAsked(state, context)
  // Neither a failure nor a redirect says that nothing was done.
  if (status < 400 || status >= 500) return signupLost(state, context)
  if (status === 429) {
    const wait = later(
      state,
      context.now,
      'challenge-later',
      answer,
      'The service limits signups. Then comes a new puzzle.',
    )
    return { ...wait, refusedBeforeCommit: true }
  }
  if (errorsIn(answer).some((error) => error.code === '10027')) {
    const notice = `The service refuses the mail provider of ${state.email}.`
    const { nonce, ...rest } = state
    return { ...waits.forEmail({ ...rest, step: 'answer' }, notice), refusedBeforeCommit: true }
  }
  const again = challenge(state, context, `The service refused the last answer: ${saidBy(answer)}`)
  return { ...again, refusedBeforeCommit: true }
}

/** A person named the address: the puzzle that is open goes on, a spent one is replaced. */
export function addressGiven(state: State, context: MethodContext): Step {
  return state.nonce === undefined ? challenge(state, context) : solve(state, context)
}
