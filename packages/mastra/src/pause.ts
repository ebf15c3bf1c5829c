import { type Outcome, type PersonNeed, renderOutcome, type Verb } from '@authmd/core'
import { z } from 'zod'

/**
 * What a suspended tool or step waits for, and the call that goes on then. Mastra writes it down and may
 * show it to a model: it holds no secret, and not the id of a consent, since who has that can answer it.
 */
export interface Pause {
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
  readonly verb: Verb
  readonly input: Readonly<Record<string, unknown>>
}

export const pauseSchema: z.ZodType<Pause> = z.looseObject({
  authmd: z.literal(1),
  for: z.enum(['answer', 'consent', 'person', 'time']),
  registration: z.string().optional(),
  text: z.string(),
  verb: z.enum(['discover', 'register', 'claim', 'use', 'revoke']),
  input: z.record(z.string(), z.unknown()),
})

/** The pause that an outcome asks for; undefined where there is nothing to wait for. */
export function pauseOf(call: Pick<Pause, 'verb' | 'input'>, outcome: Outcome): Pause | undefined {
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
