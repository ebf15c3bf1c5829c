import { registrableDomain } from '../../net/url.ts'
import type { MethodContext, PersonInput, PlanAnswer, Wait } from '../method.ts'
import { patienceMs, slowerMs } from '../polling.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import { tokenIn } from '../token-answer.ts'
import { failed, later, refusal, unreached } from './ends.ts'
import { type Follow, followOf } from './errors.ts'
import * as late from './late-claim.ts'
import * as plans from './plans.ts'
import type { Ceremony, Plan, State } from './state.ts'
import * as token from './token.ts'
import { read } from './wire.ts'

/** New codes in the place of those that nobody used in time: about an hour. */
const maxCodes = 5
const maxWrong = 5

const unreachedReason = 'It was claimed, and what it gave did not reach us.'

/** Metadata's address first; an answer's only on the host that answered. */
export function withClaim(plan: Plan, claimUrl: string | undefined): Plan {
  if (plan.claim !== undefined || claimUrl === undefined) return plan
  const claim = URL.parse(claimUrl, plan.register)
  return claim?.origin === new URL(plan.register).origin ? { ...plan, claim: claim.href } : plan
}

/** A code, or a page that shows one, is there: now a person is needed. */
export function begin(state: State, context: MethodContext, found: Ceremony): Step {
  const { register } = state.plan
  const uri = found.uri === undefined ? undefined : pageOf(found.uri, register)
  if (found.way !== 'mailed' && uri === undefined) {
    return failed(state, 'service_failed', 'The service names a page that is none of its own.')
  }
  const { code: _, ...rest } = state
  const begun: State = {
    ...rest,
    failures: 0,
    ceremony: { ...found, ...(uri === undefined ? {} : { uri }) },
  }
  return forPerson(begun, context.now)
}

/** A page that may be shown: on the origin that registers, by https but on loopback. */
function pageOf(address: string, register: string): string | undefined {
  const url = URL.parse(address, register)
  const own = new URL(register)
  if (url === null || url.username || url.password || url.protocol !== own.protocol)
    return undefined
  const domain = registrableDomain(own.hostname)
  return domain !== undefined && registrableDomain(url.hostname) === domain ? url.href : undefined
}

/** The wait for the person; of `typed` the service is asked when the interval is over. */
function forPerson(state: State, now: number): Step {
  const { ceremony, notice, ...rest } = state
  if (ceremony === undefined)
    return failed(state, 'service_failed', 'The service has begun no claim.')
  const asks = ceremony.way === 'typed' || state.code !== undefined
  const end = endOf(state)
  const look = asks ? Math.min(now + ceremony.intervalMs, end ?? Infinity) : end
  return waiting({ ...rest, ceremony, step: 'person', ...optional('look', look) }, notice)
}

function waiting(state: State, notice?: string): Step {
  const { ceremony, look } = state
  if (ceremony === undefined)
    return failed(state, 'service_failed', 'The service has begun no claim.')
  const wait: Wait = {
    for: 'person',
    need: needOf(state, ceremony),
    ...(ceremony.way === 'typed' ? {} : { code: { alphabet: '0123456789', length: 6 } }),
    ...optional('look', look),
    ...optional('notice', notice),
  }
  return { state: plain(state), next: { wait } }
}

function needOf(state: State, { way, uri, code }: Ceremony) {
  const host = new URL(state.plan.register).host
  const who = state.email === undefined ? '' : ` as ${state.email}`
  const common = {
    ...optional('url', uri),
    ...optional('until', endOf(state)),
    ...optional('email', way === 'mailed' ? state.email : undefined),
  }
  switch (way) {
    case 'typed':
      return {
        kind: 'enter-code' as const,
        text: `Open this page of the service, sign in${who} and type the code there.`,
        ...common,
        ...optional('code', code),
      }
    case 'read-back':
      return {
        kind: 'read-code' as const,
        text: `Open this page of the service, sign in${who} and confirm. It then shows a code: hand that over.`,
        ...common,
      }
    case 'mailed':
      return {
        kind: 'read-code' as const,
        text: `A mail from ${host} goes to ${state.email}. It leads to a code: hand that over, not the link.`,
        ...common,
      }
  }
}

function endOf({ ceremony, window }: State): number | undefined {
  const ends = [ceremony?.until, window].filter((one) => one !== undefined)
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** What the person did: said that it is done, or handed a code over. */
export function handed(state: State, context: MethodContext, input: PersonInput): Step {
  if ('code' in input && state.ceremony?.way !== 'typed') {
    return complete({ ...state, code: input.code })
  }
  return ticked(state, context)
}

/** Nothing is asked before its time. */
export function ticked(state: State, context: MethodContext): Step {
  const { look, ceremony, window, code } = state
  if (look === undefined || context.now < look) return waiting(state)
  if (ceremony?.way === 'typed') return ask(state)
  if (window !== undefined && context.now >= window) return over(state)
  if (code !== undefined) return complete(state)
  return newCode(state)
}

export function ask(state: State): Step {
  const { token: url = state.plan.register } = state.plan
  return { state: plain({ ...state, step: 'poll' }), next: { send: [plans.poll(state.plan, url)] } }
}

function complete(state: State): Step {
  const { plan, ceremony, code } = state
  const url = completeUrl(plan, ceremony)
  if (url === undefined || ceremony === undefined || code === undefined) {
    return failed(state, 'service_failed', 'The service does not say where the code goes.')
  }
  const send = [plans.complete(url, ceremony, code)] as const
  return { state: plain({ ...state, step: 'complete' }), next: { send } }
}

/** Beside the claim endpoint, or where the service says, if that is on the same host. */
function completeUrl({ claim, register }: Plan, ceremony?: Ceremony): string | undefined {
  const named = ceremony?.complete === undefined ? null : URL.parse(ceremony.complete, register)
  if (named?.origin === new URL(register).origin) return named.href
  return claim === undefined ? undefined : `${claim.replace(/\/+$/, '')}/complete`
}

/** The claim endpoint gives another code; the one before it dies. */
export function newCode(state: State): Step {
  const { claim } = state.plan
  if (claim === undefined || state.email === undefined) return over(state)
  if (state.codes >= maxCodes) return over(state, true)
  const { code: _, ...rest } = state
  const next: State = { ...rest, step: 'claim', codes: state.codes + 1 }
  return { state: plain(next), next: { send: [plans.claim(next, claim)] } }
}

/** The token endpoint's word on the claim. */
export function polled(before: State, context: MethodContext, answer: PlanAnswer): Step {
  const given = read(answer, context.now)
  const state = withUnread(before, answer)
  const got = tokenIn(answer, context.now)
  if (got) return token.issued(state, got, given)
  const plan = token.inJson(state.plan, answer)
  if (plan) return ask({ ...state, plan })
  const late = context.now >= (endOf(state) ?? Infinity)
  const follow = followOf(answer)
  switch (follow) {
    case 'slower':
    case 'pending': {
      // Nothing was given yet, by no answer before this one either.
      const { unread: _, ...open } = follow === 'slower' ? slower(state) : state
      return late ? end(open, context) : forPerson(open, context.now)
    }
    case 'wait':
    case 'unwell':
      return late ? end(state, context) : patient(state, context, answer)
    case 'new-code':
      return end(state, context)
    case 'denied':
      return refusal(state, 'agent_token', answer, "The person refused on the service's page.")
    case 'over':
      return over(state)
    default:
      return refused(state, 'agent_token', answer)
  }
}

/** Remembers that an answer to the same was not read before this one. */
function withUnread(state: State, { repeated }: PlanAnswer): State {
  return repeated ? { ...state, unread: true } : state
}

function refused(state: State, request: string, answer: PlanAnswer): Step {
  const ended = refusal(state, request, answer)
  return state.unread ? unreached(ended, state) : ended
}

/** The code's time is over: perhaps the registration's too. */
function end(state: State, { now }: MethodContext): Step {
  return now >= (state.window ?? Infinity) ? over(state) : newCode(state)
}

function slower(state: State): State {
  const { ceremony } = state
  if (ceremony === undefined) return state
  return { ...state, ceremony: { ...ceremony, intervalMs: ceremony.intervalMs + slowerMs } }
}

/** Nobody knows more: the same again, each time later, inside the window. */
function patient(state: State, { now }: MethodContext, answer: PlanAnswer): Step {
  const failures = state.failures + 1
  const wait = answer.retryAfterMs ?? patienceMs(state.ceremony?.intervalMs ?? slowerMs, failures)
  const look = Math.min(now + wait, endOf(state) ?? Infinity)
  return waiting({ ...state, step: 'person', failures, look })
}

/** What the service says to the code that was read back. */
export function completed(before: State, context: MethodContext, answer: PlanAnswer): Step {
  const given = read(answer, context.now)
  const state = withUnread(before, answer)
  if (answer.status < 300) {
    const { code: _, ...rest } = state
    if (given.credential) return token.direct(rest, given)
    if (given.assertion) return token.exchange(rest, given)
    // One that says no more than that pays out at the token endpoint.
    if (given.claimed && late.widens(rest)) return late.upgraded(rest)
    if (given.claimed && state.plan.token) return ask(rest)
    if (given.claimed) return unreached(refusal(state, 'agent_claim_complete', answer), state)
  }
  const { code: _, unread: __, ...without } = state
  const again = (why: string) => forPerson({ ...without, notice: why }, context.now)
  switch (followOf(answer)) {
    case 'ask-code': {
      const wrong = state.wrong + 1
      if (wrong >= maxWrong)
        return refusal(state, 'agent_claim_complete', answer, `${wrong} codes were wrong.`)
      return forPerson(
        { ...without, wrong, notice: 'This is not the code. Please read it again.' },
        context.now,
      )
    }
    case 'open-link':
      if (context.now >= (state.ceremony?.link ?? Infinity)) return newCode(state)
      return again('The service has no code that is good now: open the link in the mail once more.')
    case 'confirm':
      return forPerson(
        { ...state, notice: 'The page still waits for your word: confirm it there.' },
        context.now,
      )
    case 'new-code':
      return end(state, context)
    case 'wait':
    case 'unwell':
      return patient(state, context, answer)
    case 'claimed':
      if (late.widens(state)) return late.upgraded(state)
      return unreached(refusal(state, 'agent_claim_complete', answer, unreachedReason), state)
    case 'over':
      return over(state)
    default:
      return refused(state, 'agent_claim_complete', answer)
  }
}

/** What the claim endpoint gives instead of the code that is over. */
export function claimed(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { ceremony } = read(answer, context.now)
  const { unread: _, ...open } = state
  const noted = state.codes === 0 ? open : { ...open, notice: 'The code before this one is over.' }
  if (answer.status < 300 && ceremony) return begin(noted, context, ceremony)
  const follow: Follow = followOf(answer)
  if (follow === 'over') return over(state)
  if (follow === 'ask-email' && state.claiming) return late.otherEmail(state)
  if (follow === 'wait' || follow === 'unwell')
    return later(state, context.now, 'claim-later', answer)
  if (follow === 'claimed') {
    // The person was quicker: the token endpoint knows.
    if (state.ceremony?.way === 'typed') return ask({ ...state, unread: true })
    if (late.widens(state)) return late.upgraded(state)
    return unreached(refusal(state, 'agent_claim', answer, unreachedReason), state)
  }
  const guessed = errorIn(answer).code === 'invalid_request' && !state.sibling
  return guessed ? newCode({ ...state, sibling: true }) : refusal(state, 'agent_claim', answer)
}

/** Nothing more can come of it, unless only the patience with one person is over. */
export function over(state: State, patience = false): Step {
  if (state.unread) {
    const perhaps =
      'An answer was lost, and the service takes no further: what the claim gave may have been in it.'
    return unreached(failed(state, 'expired', perhaps), state)
  }
  const reason = state.claiming
    ? 'Nobody confirmed in time, or the service has ended it.'
    : 'Nobody confirmed in time, or the service has ended it. A new registration is needed.'
  const ended = failed(state, 'expired', reason)
  return patience ? ended : { ...ended, secrets: { claim_token: null } }
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [k in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [k in K]?: V }
}
