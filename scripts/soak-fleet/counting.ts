import type { LedgerEntry, LogEntry } from '../../packages/sandbox/src/index.ts'
import type { Call } from './orders.ts'
import type { Write } from './stores.ts'

/** What came of one end of a token's time. */
export interface Expiry {
  readonly what: string
  /** Tokens that the service gave out. */
  readonly granted: number
  /** Those of them whose answer was cut off on purpose: nobody can have them, and one more is right. */
  readonly lost: number
}

/**
 * What a service has granted since `from` (an index into the ledger) at the endpoint of this name. A grant is
 * lost where its answer was cut, and where up to `killed` processes may have died with one: a token that was
 * never used.
 */
export function expiryOf(
  what: string,
  ledger: readonly LedgerEntry[],
  log: readonly Pick<LogEntry, 'n' | 'name' | 'fault'>[],
  { endpoint, from, killed }: { endpoint: string; from: number; killed: number },
): Expiry {
  const requests = new Map(log.map((entry) => [entry.n, entry]))
  const grants = ledger
    .slice(from)
    .filter(
      ({ kind, request }) => kind === 'access_token' && requests.get(request)?.name === endpoint,
    )
  const isCut = ({ request }: LedgerEntry) => requests.get(request)?.fault?.includes('cut:after')
  const cut = grants.filter(isCut)
  const unused = grants.filter((one) => !isCut(one) && one.usedAt === undefined)
  return { what, granted: grants.length, lost: cut.length + Math.min(killed, unused.length) }
}

/** How often a token was renewed for each end of its time: 1, or the number that is farthest from it. */
export function refreshesPerExpiry(expiries: readonly Expiry[]): number {
  const each = expiries.map(({ granted, lost }) => granted - lost)
  return each.reduce((worst, one) => (Math.abs(one - 1) > Math.abs(worst - 1) ? one : worst), 1)
}

/** What the store has of a record; undefined where it has none. */
export type Stored = (record: string) => Write | undefined

/**
 * Updates that a store has acknowledged and does not have, one line each: a record that is gone or older, or has
 * another value at the same revision; a revision that was given to two writers.
 */
export function lostUpdates(writes: readonly Write[], stored: Stored): readonly string[] {
  const lost: string[] = []
  const given = new Map<string, string>()
  const latest = new Map<string, Write>()
  for (const write of writes) {
    const { record, revision, digest } = write
    const name = `${record} ${revision}`
    if ((given.get(name) ?? digest) !== digest) lost.push(`${name} was given to two writers`)
    given.set(name, digest)
    if (revision >= (latest.get(record)?.revision ?? 0)) latest.set(record, write)
  }
  for (const [record, { revision, digest }] of latest) {
    const has = stored(record)
    if (has === undefined) lost.push(`${record} ${revision} is gone`)
    else if (has.revision < revision) lost.push(`${record} ${revision} is ${has.revision} again`)
    else if (has.revision === revision && has.digest !== digest) {
      lost.push(`${record} ${revision} has another value`)
    }
  }
  return lost
}

/** Requests with a token for renewing that the service had taken before. */
export function reused(log: readonly Pick<LogEntry, 'name' | 'body' | 'status'>[]): number {
  const renewing = log.filter(
    ({ name, body }) =>
      (name === 'oauth_token' || name === 'agent_register') && body.includes('refresh_token'),
  )
  return renewing.filter(({ status = 0 }) => status === 400 || status === 401).length
}

/** What came of registering, of each owner by many at once. */
export interface Registered {
  readonly owners: number
  /** Accounts that the service has made. */
  readonly made: readonly string[]
  /** Accounts whose credential an owner holds. */
  readonly held: readonly string[]
  /** Those that an owner was told of as being in doubt. */
  readonly doubted: number
}

export function doubleRegistrations({ owners, made, held }: Registered): number {
  const twice = held.length - new Set(held).size
  return Math.max(0, made.length - owners) + twice
}

/** Accounts that nobody holds and nobody was told of. */
export function lostRegistrations({ made, held, doubted }: Registered): number {
  return Math.max(0, made.filter((one) => !held.includes(one)).length - doubted)
}

/** Attempts that failed, by their code. */
export function failures(calls: readonly Call[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { code } of calls.flatMap(({ failed }) => failed)) {
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  return counts
}

/** Calls that were told no, or nothing, instead of to come again; and those that coming again did not help. */
export function wrongCalls(calls: readonly Call[], right: readonly string[]): readonly string[] {
  return calls.flatMap(({ failed, last, detail = '' }) => {
    const final = failed.find(({ retryable }) => !retryable)
    if (final) return [`${final.code} ${detail}`.trim()]
    return right.includes(last) ? [] : [last]
  })
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
