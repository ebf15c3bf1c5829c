import type { RefusalCode } from '../../outcome.ts'
import type { Failure, PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import type { State } from './state.ts'

const patienceMs = 30_000
const maxFailures = 4

/** Again when the time is over, or never where that has not helped. */
export function later(
  state: State,
  now: number,
  step: 'register-later' | 'exchange-later' | 'claim-later',
  answer: PlanAnswer,
): Step {
  const name = { 'register-later': 'agent_identity', 'exchange-later': 'agent_token' }
  const request = step === 'claim-later' ? 'agent_claim' : name[step]
  const failures = state.failures + 1
  if (failures >= maxFailures) return refusal(state, request, answer)
  const at = now + (answer.retryAfterMs ?? patienceMs * 2 ** state.failures)
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
            what: `the registration ${registration}, which nobody holds`,
            request: 'agent_identity',
            at: askedAt,
          },
        }
  return { state: plain(state), ...left, next: { failed: { code, reason, ...more } } }
}
