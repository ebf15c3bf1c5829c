import type { AuditRecord, Owner } from '@authmd/core'

/** What a person looks for. */
export interface Wanted {
  readonly kind: Kind
  /** A part of a service's address, of a credential or of who decided. */
  readonly text: string
  /** Days, as `2026-01-31`, in UTC; both are part of it. */
  readonly from: string
  readonly to: string
  /** How many of the newest are left out. */
  readonly skip: number
}

export const kinds = {
  all: 'Everything',
  decisions: 'Decisions',
  requests: 'Requests',
  credentials: 'Credentials',
  steps: "The agents' steps",
} as const
type Kind = keyof typeof kinds

const kindOf: Readonly<Record<string, Exclude<Kind, 'all'>>> = {
  decision: 'decisions',
  redeemed: 'decisions',
  settled: 'decisions',
  request: 'requests',
  refresh: 'credentials',
  imported: 'credentials',
  shared: 'credentials',
  unshared: 'credentials',
  ended: 'credentials',
  erased: 'credentials',
  verb: 'steps',
  changed: 'steps',
  unnotified: 'steps',
}

const pageSize = 50
/** So far back is looked; then the page says that it stopped. */
const maxRead = 50_000
/** Newer ones than the days that are named are passed over, and cost less. */
const maxPassed = 1_000_000

export interface Found {
  readonly records: readonly AuditRecord[]
  /** There are older ones. */
  readonly more: boolean
  /** It was given up looking. */
  readonly stopped: boolean
}

/** A page of the records of these owners that are looked for. What is no owner's is shown to nobody. */
export async function find(
  read: AsyncIterable<AuditRecord>,
  owners: readonly Owner[],
  wanted: Wanted,
): Promise<Found> {
  const keys = new Set(owners.map(keyOf))
  const records: AuditRecord[] = []
  let skip = wanted.skip
  let seen = 0
  let passed = 0
  for await (const record of read) {
    const { forWhom, time } = record
    // A day that is named is part of it.
    const newer = wanted.to !== '' && time.slice(0, 10) > wanted.to
    if (newer ? ++passed > maxPassed : ++seen > maxRead) {
      return { records, more: false, stopped: true }
    }
    if (newer) continue
    if (wanted.from !== '' && time < wanted.from) break
    if (forWhom === undefined || !keys.has(keyOf(forWhom)) || !fits(record, wanted)) continue
    if (skip-- > 0) continue
    if (records.length === pageSize) return { records, more: true, stopped: false }
    records.push(record)
  }
  return { records, more: false, stopped: false }
}

function keyOf({ tenant, user, agent }: Owner): string {
  return JSON.stringify([tenant, user ?? null, agent ?? null])
}

function fits({ event, what, who = '' }: AuditRecord, { kind, text }: Wanted): boolean {
  if (kind !== 'all' && kindOf[event] !== kind) return false
  const sought = text.toLowerCase()
  const where = [what.service, what.credential, what.registration, what.request, who]
  return sought === '' || where.some((one) => one?.toLowerCase().includes(sought))
}

/** What the address of a page asks for; what makes no sense there is as if it were not. */
export function wantedOf(query: URLSearchParams): Wanted {
  const day = (name: string) => {
    const value = query.get(name) ?? ''
    const isDay = /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))
    return isDay ? value : ''
  }
  const kind = query.get('kind') ?? ''
  const skip = Number(query.get('skip'))
  return {
    kind: Object.hasOwn(kinds, kind) ? (kind as Kind) : 'all',
    text: (query.get('text') ?? '').trim().slice(0, 200),
    from: day('from'),
    to: day('to'),
    skip: Number.isSafeInteger(skip) && skip > 0 ? skip : 0,
  }
}

/** The page of the next older ones, or of these again. */
export function queryOf(wanted: Wanted, skip: number): string {
  const { kind, text, from, to } = wanted
  const fields = { kind: kind === 'all' ? '' : kind, text, from, to, skip: skip || '' }
  const given = Object.entries(fields).filter(([, value]) => value !== '')
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
}

export const nextSkip = ({ skip }: Wanted): number => skip + pageSize
