import { z } from 'zod'
import type { Verb } from '../consent/action.ts'
import type { Waiter } from '../engine/waiters.ts'
import { AuthError } from '../errors.ts'
import type { Outcome, PersonNeed } from '../outcome.ts'
import type { Session } from '../session.ts'
import { renderOutcome } from './render.ts'

/** One call of a verb. */
export interface VerbCall {
  readonly verb: Verb
  readonly input: Readonly<Record<string, unknown>>
}

/**
 * What a framework's pause waits for, and the call that goes on then. Frameworks write it down and may
 * show it to a model: it holds no secret, and not the id of a consent, since who has that can answer it.
 */
export interface Pause extends VerbCall {
  /** Version of this form. */
  readonly authmd: 1
  readonly for: 'answer' | 'consent' | 'person' | 'time'
  readonly registration?: string | undefined
  /** For who answers; a puzzle stands in it as the service's words. */
  readonly text: string
  /** What was wrong with the last answer. */
  readonly notice?: string | undefined
  readonly need?: PersonNeed | undefined
  /** With `time`: epoch milliseconds before which going on is of no use. */
  readonly notBefore?: number | undefined
}

/** Reads a pause that a framework kept. */
export const pauseSchema: z.ZodType<Pause> = z.looseObject({
  authmd: z.literal(1),
  for: z.enum(['answer', 'consent', 'person', 'time']),
  registration: z.string().optional(),
  text: z.string(),
  verb: z.enum(['discover', 'register', 'claim', 'use', 'revoke']),
  input: z.record(z.string(), z.unknown()),
})

/** The pause that the outcome of a call asks for; undefined where there is nothing to wait for. */
export function pauseOf(call: VerbCall, outcome: Outcome): Pause | undefined {
  const { registration, service } = outcome
  const again = { ...call, authmd: 1, registration } as const
  const look = registration
    ? ({ ...again, verb: 'claim', input: { registration } } as const)
    : again
  switch (outcome.status) {
    case 'needs_answer': {
      const input = { service, registration }
      return { ...again, for: 'answer', text: renderOutcome(outcome), verb: 'register', input }
    }
    case 'needs_consent':
      return { ...again, for: 'consent', text: outcome.action.summary }
    case 'needs_person':
      return { ...look, for: 'person', text: outcome.need.text, need: outcome.need }
    case 'uncertain':
      return { ...look, for: 'person', text: outcome.check, need: outcome.need }
    case 'pending':
      return { ...look, for: 'time', text: outcome.reason, notBefore: outcome.notBefore }
    default:
      return undefined
  }
}

/**
 * For adapters: writes down for a watch that something pauses. The pause does not hang on it: where it cannot be
 * written down, or the run has no owner, whoever has the pause can go on with it.
 */
export async function noteWaiter(
  sessionFor: () => Promise<Session>,
  registrations: readonly string[],
  waiter: Waiter,
): Promise<void> {
  if (registrations.length === 0) return
  try {
    const session = await sessionFor()
    await session.waitFor(registrations, waiter)
  } catch (error) {
    if (!AuthError.isInstance(error)) throw error
  }
}
