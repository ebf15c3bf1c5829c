import { withoutHidden } from '../../discovery/markdown/clean.ts'
import type { PlanAnswer } from '../method.ts'
import { plain, type Step } from '../step.ts'
import { challengeName } from './plans.ts'
import type { State } from './state.ts'
import { errorsIn } from './wire.ts'

const patienceMs = 60_000
const maxFailures = 3

/** The service asks for patience, or is not well: the same step again when the time is over. */
export function later(
  state: State,
  now: number,
  step: 'challenge-later' | 'resend-later' | 'key-later',
  answer: PlanAnswer,
  reason: string,
): Step {
  const at = now + (answer.retryAfterMs ?? patienceMs)
  return { state: plain({ ...state, step }), next: { wait: { for: 'time', at, reason } } }
}

/** A request that makes nothing failed on the service's side: again, but not for ever. */
export function unwell(state: State, now: number, answer: PlanAnswer): Step {
  const failures = (state.failures ?? 0) + 1
  if (failures >= maxFailures) return refusal(state, answer, challengeName(state.endpoints))
  const reason = `The service answered ${challengeName(state.endpoints)} with ${answer.status}.`
  return later({ ...state, failures }, now, 'challenge-later', answer, reason)
}

/** The service said no for good. Its own words stay apart from ours. */
export function refusal(state: State, answer: PlanAnswer, name: string): Step {
  const odd = answer.status < 400 ? ', which is not what its documents promise' : ''
  const ended = failed(
    state,
    answer.status < 400 || answer.status >= 500 ? 'service_failed' : 'service_refused',
    `The service answered ${name} with ${answer.status}${odd}.`,
  )
  const details = { httpStatus: answer.status, errors: errorsIn(answer) }
  return 'failed' in ended.next
    ? { ...ended, next: { failed: { ...ended.next.failed, ...details } } }
    : ended
}

/** Ends the registration; an account that was signed up for is left behind without a key. */
export function failed(
  state: State,
  code: 'service_refused' | 'service_failed' | 'request_refused',
  reason: string,
): Step {
  const { email, mailAt, endpoints } = state
  const left =
    mailAt === undefined
      ? {}
      : {
          orphan: {
            what: `an account of ${email} without a key`,
            request: 'bot_signup',
            at: mailAt,
            ...(endpoints.portal === undefined ? {} : { url: endpoints.portal }),
          },
        }
  return { state: plain(state), ...left, next: { failed: { code, reason } } }
}

/** What the service said about an answer that it refused, in one short line. */
export function saidBy(answer: PlanAnswer): string {
  const [error] = errorsIn(answer)
  const words = withoutHidden(error?.detail ?? error?.title ?? '').replace(/\s+/g, ' ')
  return words === '' ? `status ${answer.status}` : words.slice(0, 200)
}
