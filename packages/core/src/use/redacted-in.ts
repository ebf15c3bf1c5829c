import type { Redactor } from './redactor.ts'

/** Plain data without what the vault holds, in whichever of its texts a service has put it. */
export function redactedIn<T>(value: T, redactor: Redactor): T {
  if (redactor.redact(JSON.stringify(value)).found === 0) return value
  return redacted(value, redactor) as T
}

function redacted(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.redact(value).text
  if (Array.isArray(value)) return value.map((one) => redacted(one, redactor))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, redacted(one, redactor)]),
  )
}
