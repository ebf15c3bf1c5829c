/** One request that reached a service. The hosts `mail.` and `control.` are not written down. */
export interface LogEntry {
  /** Counts from 1. */
  n: number
  /** The endpoint's name, by which faults find it; `not_found` and `unknown_host` for the rest. */
  name: string
  method: string
  /** The host name asked for, without the port. */
  host: string
  /** Path with query, as it was sent. */
  path: string
  /** What the service answered; absent if the connection was cut or is still open. */
  status?: number
  /** It left something behind at the service: an account, a mail, a session, a key, an order … A challenge or its nonce does not count. */
  effect: boolean
  /** By the sandbox's clock, ms. */
  startedAt: number
  /** When the last byte of the answer was handed over or the connection closed, ms. */
  endedAt?: number
  /** Order of all starts and ends, exact even under a clock that stands still. */
  startSeq: number
  endSeq?: number
  headers: Record<string, string>
  body: string
  /** `id` of the ledger entry whose value came as a Bearer token, whether it is still good or not. */
  authorization?: string
  /** The faults that this request met, such as `delay,cut:after`. */
  fault?: string
}

/**
 * The length of the longest chain of requests in which each one began after the one before it had
 * ended: an upper bound of the round trips that had to wait for each other, because requests sent
 * one after the other without need count as well. Requests that overlap in time never count twice.
 * A request that has not ended can only be the last of a chain.
 *
 * Computed exactly, by picking the request that ends first again and again (interval scheduling).
 *
 * @example
 * longestChain(sandbox.log.filter((entry) => entry.host !== 'portal.telnyx.localhost'))
 */
export function longestChain(log: readonly Pick<LogEntry, 'startSeq' | 'endSeq'>[]): number {
  const byEnd = [...log].sort((a, b) => (a.endSeq ?? Infinity) - (b.endSeq ?? Infinity))
  let length = 0
  let last = -Infinity
  for (const { startSeq, endSeq } of byEnd) {
    if (startSeq <= last) continue
    length += 1
    last = endSeq ?? Infinity
  }
  return length
}
