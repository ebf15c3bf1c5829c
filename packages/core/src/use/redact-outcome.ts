import type { Outcome } from '../outcome.ts'
import type { Redactor } from './redactor.ts'

/** An outcome without what the vault holds, in whichever of its texts a service has put it. */
export function redactOutcome(outcome: Outcome, redactor: Redactor): Outcome {
  if (redactor.redact(JSON.stringify(outcome)).found === 0) return outcome
  return redacted(outcome, redactor) as Outcome
}

function redacted(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.redact(value).text
  if (Array.isArray(value)) return value.map((one) => redacted(one, redactor))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, redacted(one, redactor)]),
  )
}
