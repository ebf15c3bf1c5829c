import type { Orphan, RefusalCode } from '../../outcome.ts'
import type { Failure, PlanAnswer } from '../method.ts'
import { patienceMs } from '../polling.ts'
import { errorIn } from '../service-error.ts'
import { plain, type Step } from '../step.ts'
import * as plans from './plans.ts'
import type { State } from './state.ts'

const firstPatienceMs = 30_000
const maxFailures = 4

/** Again when the time is over, or never where that has not helped. */
export function later(
  state: State,
  now: number,
  step: 'client-later' | 'device-later' | 'exchange-later' | 'token-later',
  name: string,
  answer: PlanAnswer,
): Step {
  const failures = state.failures + 1
  if (failures >= maxFailures) return refusal(state, name, answer)
  const at = now + (answer.retryAfterMs ?? patienceMs(firstPatienceMs, state.failures))
  const reason = `The authorization server answered ${name} with ${answer.status}.`
  return { state: plain({ ...state, step, failures }), next: { wait: { for: 'time', at, reason } } }
}

/** The server said no for good. Its own words stay apart from ours. */
export function refusal(
  state: State,
  name: string,
  answer: PlanAnswer,
  reason = `The authorization server answered ${name} with ${answer.status}.`,
): Step {
  const { status } = answer
  const code = status < 400 || status >= 500 ? 'service_failed' : 'service_refused'
  const error = errorIn(answer)
  const errors = error.code || error.detail ? { errors: [error] } : {}
  return end(state, code, reason, { httpStatus: status, ...errors })
}

/** Ends the registration. A client that was registered for it is deleted first, where that can be done. */
export function end(
  state: State,
  code: RefusalCode,
  reason: string,
  more: Partial<Failure> = {},
): Step {
  const failure: Failure = { code, reason, ...more }
  const remove = plans.deleteClient(state)
  if (remove === undefined)
    return { state: plain(state), ...left(state), next: { failed: failure } }
  const secrets = { code: null, code_verifier: null, device_code: null }
  const ending: State = { ...state, step: 'end-client', ending: failure }
  return { state: plain(ending), secrets, next: { send: [remove] } }
}

/** What the server said to the deletion: only what it confirms is gone. */
export function clientEnded(state: State, answer: PlanAnswer | 'lost'): Step {
  const failed = state.ending ?? { code: 'service_failed', reason: 'It ended.' }
  const gone = answer !== 'lost' && [200, 204, 404, 410].includes(answer.status)
  return { state: plain(state), ...(gone ? {} : left(state)), next: { failed } }
}

function left({ plan, client, askedAt = 0 }: State): { orphan?: Orphan } {
  if (plan.client !== 'dynamic' || client === undefined) return {}
  const what = `the client ${client.id}, which nobody uses`
  return { orphan: { what, request: 'oauth_client', at: askedAt } }
}
