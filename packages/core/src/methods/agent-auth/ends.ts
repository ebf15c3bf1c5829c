import type { RefusalCode } from '../../outcome.ts'
import type { Failure, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plainId } from '../service-id.ts'
import { plain, type Step } from '../step.ts'
import type { State } from './state.ts'

const patienceMs = 30_000
const maxFailures = 4

/** When to try again, each time later; undefined where it has been enough. */
export function nextTry(
  { failures: before }: State,
  now: number,
  wait: number = patienceMs * 2 ** before,
): { readonly at: number; readonly failures: number } | undefined {
  const failures = before + 1
  return failures >= maxFailures ? undefined : { at: now + wait, failures }
}

const requests = {
  'register-later': 'agent_identity',
  'exchange-later': 'agent_token',
  'claim-later': 'agent_claim',
  'claim-identity-later': 'agent_claim',
} as const

/** Again when the time is over, or never where that has not helped. */
export function later(
  state: State,
  now: number,
  step: keyof typeof requests,
  answer: PlanAnswer,
): Step {
  const request = requests[step]
  const again = nextTry(state, now, answer.retryAfterMs)
  if (again === undefined) return refusal(state, request, answer)
  const { at, failures } = again
  const reason = `The service answered ${request} with ${answer.status}.`
  return { state: plain({ ...state, step, failures }), next: { wait: { for: 'time', at, reason } } }
}

/** The service said no for good. Its own words stay apart from ours. */
export function refusal(
  state: State,
  name: string,
  answer: PlanAnswer,
  reason = `The service answered ${name} with ${answer.status}.`,
): Step {
  const { status } = answer
  const code = status < 400 || status >= 500 ? 'service_failed' : 'service_refused'
  const error = errorIn(answer)
  const errors = error.code || error.detail ? { errors: [error] } : {}
  return failed(state, code, reason, { httpStatus: status, ...errors })
}

/**
 * It was claimed, or may have been, and what that gave has not reached us: it lies at the service, held by
 * nobody, also where something was given before the claim.
 */
export function unreached({ next, ...step }: Step, { registration, askedAt = 0 }: State): Step {
  const what = `what the claim of ${named(registration)} gave, which nobody holds`
  const orphan = { what, request: 'agent_identity', at: askedAt }
  return { ...step, secrets: { claim_token: null }, orphan, next }
}

function named(registration: string | undefined): string {
  const id = plainId(registration)
  return id === undefined ? 'the registration' : `the registration ${id}`
}

/** Ends the registration; what it made at the service is left behind without a holder. */
export function failed(
  state: State,
  code: RefusalCode,
  reason: string,
  more: Partial<Failure> = {},
): Step {
  const { registration, askedAt, claiming } = state
  const left =
    registration === undefined || askedAt === undefined || claiming
      ? {}
      : {
          orphan: {
            what: `${named(registration)}, which nobody holds`,
            request: 'agent_identity',
            at: askedAt,
          },
        }
  return { state: plain(state), ...left, next: { failed: { code, reason, ...more } } }
}
