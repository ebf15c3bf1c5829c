/** How often a service may be asked whether a person is done (RFC 8628 §3.2). */
const defaultIntervalMs = 5_000
/** What `slow_down` adds, for good (RFC 8628 §3.5). */
export const slowerMs = 5_000
const longestMs = 3_600_000

/** The interval that an answer names in seconds, as a number or a text: a second at least, 5 where it is none. */
export function intervalOf(value: unknown): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof seconds !== 'number' || !(seconds >= 0) || seconds * 1000 > longestMs) {
    return defaultIntervalMs
  }
  return Math.max(1, seconds) * 1000
}

/** How long to wait after failures in a row, each time twice as long. */
export function patienceMs(intervalMs: number, failures: number): number {
  return intervalMs * 2 ** Math.min(failures, 6)
}
