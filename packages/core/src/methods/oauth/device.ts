import { z } from 'zod'
import type { Effect } from '../../consent/action.ts'
import { isLoopbackHost } from '../../net/url.ts'
import { Secret } from '../../vault/secret.ts'
import type { MethodContext, PlanAnswer } from '../method.ts'
import { intervalOf, patienceMs, slowerMs } from '../polling.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import { expiryOf, tokenIn } from '../token-answer.ts'
import { end, later, refusal } from './ends.ts'
import * as plans from './plans.ts'
import { withoutResource } from './resource.ts'
import type { State } from './state.ts'
import * as token from './token.ts'

/** Where a server does not say for how long its code is good. */
const defaultLifeMs = 15 * 60_000

const answerSchema = z.looseObject({
  device_code: z.string().min(1).max(16_384),
  user_code: z.string().min(1).max(64),
  verification_uri: z.string().max(2_048).optional().catch(undefined),
  // What it was called in drafts, and still is at large servers.
  verification_url: z.string().max(2_048).optional().catch(undefined),
  expires_in: z.unknown().optional(),
  interval: z.unknown().optional(),
})

/** Asks for a code (RFC 8628 §3.1). */
export function ask(state: State, bound: readonly Effect[] = []): Step {
  const { device: url = '' } = state.plan
  const send = [plans.device(state, url, bound)] as const
  return { state: plain({ ...state, step: 'device' }), next: { send } }
}

/** A code for the person is there, or why not. */
export function asked(state: State, context: MethodContext, answer: PlanAnswer): Step {
  const { now } = context
  if (answer.status >= 200 && answer.status < 300) {
    const { data } = answerSchema.safeParse(answer.json)
    const uri = data && pageOf(data.verification_uri ?? data.verification_url, state)
    if (data === undefined || uri === undefined) {
      return refusal(state, 'oauth_device', answer, 'The server gives no code and page for it.')
    }
    const device = {
      uri,
      code: data.user_code,
      intervalMs: intervalOf(data.interval),
      until: expiryOf(data.expires_in, now) ?? now + defaultLifeMs,
    }
    const secrets = { device_code: new Secret(data.device_code) }
    return { ...forPerson({ ...state, failures: 0, device }, now), secrets }
  }
  const other = withoutResource(state, errorIn(answer).code)
  if (other === 'refused') return refusal(state, 'oauth_device', answer, unconfined(state))
  if (other) return ask(other)
  if (answer.status === 429 || answer.status >= 500) {
    return {
      ...later(state, now, 'device-later', 'oauth_device', answer),
      refusedBeforeCommit: true,
    }
  }
  return refusal(state, 'oauth_device', answer)
}

/** Why a token without `resource` is not taken. */
export function unconfined({ plan }: State): string {
  const [server, service] = [new URL(plan.issuer).host, new URL(plan.service).host]
  return `${server} does not confine a token to ${service} (RFC 8707), and is no part of it: such a token might be used elsewhere. The operator can name a client for both.`
}

/** A page that may be shown; on which host is the server's own business. */
function pageOf(address: string | undefined, { plan }: State): string | undefined {
  const url = address === undefined ? null : URL.parse(address, plan.issuer)
  if (url === null || url.username || url.password) return undefined
  const local = isLoopbackHost(url.hostname) && isLoopbackHost(new URL(plan.issuer).hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && local) ? url.href : undefined
}

/** The wait for the person; the server is asked when the interval is over. */
function forPerson(state: State, now: number, afterMs = state.device?.intervalMs ?? 0): Step {
  const { device, notice, ...rest } = state
  if (device === undefined) return end(state, 'service_failed', 'The server gave no code to type.')
  const look = Math.min(now + afterMs, device.until)
  return waiting({ ...rest, device, step: 'person', look }, notice)
}

function waiting(state: State, notice?: string): Step {
  const { device, look = 0, plan } = state
  if (device === undefined) return end(state, 'service_failed', 'The server gave no code to type.')
  const need = {
    kind: 'enter-code',
    text: `Open this page of ${new URL(plan.issuer).host}, sign in and type the code there.`,
    url: device.uri,
    code: device.code,
    until: device.until,
  } as const
  const noted = notice === undefined ? {} : { notice }
  return { state: plain(state), next: { wait: { for: 'person', need, look, ...noted } } }
}

/** Nothing is asked before its time. */
export function ticked(state: State, { now }: Pick<MethodContext, 'now'>): Step {
  if (now < (state.look ?? 0)) return waiting(state)
  return { state: plain({ ...state, step: 'poll' }), next: { send: [plans.poll(state)] } }
}

/** The server's word on what the person does (RFC 8628 §3.5). */
export function polled(state: State, { now }: MethodContext, answer: PlanAnswer): Step {
  const got = tokenIn(answer, now)
  if (got) return token.issued(state, got)
  const { device } = state
  const intervalMs = device?.intervalMs ?? 0
  const late = now >= (device?.until ?? 0)
  const { code = '' } = errorIn(answer)
  const unwell = answer.status === 429 || answer.status < 400 || answer.status >= 500
  if (late && (unwell || code === 'authorization_pending' || code === 'slow_down'))
    return over(state)
  if (unwell) {
    const failures = state.failures + 1
    const wait = answer.retryAfterMs ?? patienceMs(intervalMs, failures)
    return forPerson({ ...state, failures }, now, wait)
  }
  switch (code) {
    case 'authorization_pending':
      return forPerson(state, now, Math.max(intervalMs, answer.retryAfterMs ?? 0))
    case 'slow_down': {
      const slower = device && { ...device, intervalMs: intervalMs + slowerMs }
      return forPerson({ ...state, ...(slower && { device: slower }) }, now)
    }
    case 'access_denied':
      return refusal(state, 'oauth_token', answer, "The person refused on the server's page.")
    case 'expired_token':
      return over(state)
    case 'invalid_grant':
      return state.unanswered > 0 ? taken(state, now) : over(state)
  }
  const other = withoutResource(state, code)
  if (other && other !== 'refused') return ticked(other, { now })
  return refusal(state, 'oauth_token', answer)
}

/** A poll without an answer: the next one tells more. */
export function unanswered(state: State, { now }: MethodContext): Step {
  const more: State = { ...state, unanswered: state.unanswered + 1, failures: state.failures + 1 }
  const late = now >= (state.device?.until ?? 0)
  const wait = patienceMs(state.device?.intervalMs ?? 0, more.failures)
  return late ? taken(more, now) : forPerson(more, now, wait)
}

/** The token may have been in an answer that never came. */
function taken(state: State, now: number): Step {
  const orphan = { what: 'an access token that nobody holds', request: 'oauth_token', at: now }
  const reason =
    'An answer was lost, and the code is of no use any more: the token may have been in it.'
  return { ...end(state, 'expired', reason), orphan }
}

function over(state: State): Step {
  return end(state, 'expired', 'Nobody typed the code in time. A new registration gives another.')
}
