import { AuthError } from '../errors.ts'
import type { Json, PlanAnswer, Transition } from './method.ts'

/** A transition of a method whose state is its own business. */
export type Step = Transition<Json>

/** What an `answer` event brings, by the plans' names. */
export type Answers = Readonly<Record<string, PlanAnswer | 'lost'>>

/** A method's own state as the engine keeps it: to TypeScript an interface is no `Json`, plain as it may be. */
export function plain(state: object): Json {
  return state as unknown as Json
}

/** The answer to the one plan that was sent. */
export function only(method: string, answers: Answers, name: string): PlanAnswer {
  const answer = answers[name]
  if (answer === undefined || answer === 'lost') {
    throw new AuthError('method_failed', `${method} was given no answer to ${name}`)
  }
  return answer
}
