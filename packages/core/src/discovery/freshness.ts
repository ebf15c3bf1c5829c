import type { Tried } from './profile.ts'

const minute = 60_000
const usualMs = 10 * minute
const leastMs = minute
const mostMs = 60 * minute
const emptyMs = 10_000

/** What an answer says about asking for it again. */
export type CacheFacts = Pick<Tried, 'etag' | 'lastModified' | 'maxAgeMs'>

/** Reads `ETag`, `Last-Modified`, `Cache-Control` and `Age` (RFC 9110, RFC 9111); what is malformed is left out. */
export function cacheFacts(headers: Headers): CacheFacts {
  const etag = headers.get('etag') ?? ''
  const lastModified = headers.get('last-modified') ?? ''
  const maxAgeMs = maxAge(headers)
  return {
    ...(/^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/.test(etag) && { etag }),
    ...(lastModified.length < 40 && !Number.isNaN(Date.parse(lastModified)) && { lastModified }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  }
}

function maxAge(headers: Headers): number | undefined {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(/\s*,\s*/)
  if (directives.some((one) => /^(?:no-store|no-cache)\b/.test(one))) return 0
  const given = directives.map((one) => /^max-age="?(\d{1,10})"?$/.exec(one)?.[1])
  const seconds = given.find((one) => one !== undefined)
  if (seconds === undefined) return undefined
  const age = /^\d{1,10}$/.exec(headers.get('age') ?? '')?.[0] ?? '0'
  return Math.max(0, Number(seconds) - Number(age)) * 1_000
}

/**
 * For how long a profile may be taken as it is: what the shortest-lived of its documents says, ten
 * minutes where none says anything, never less than a minute (one flow would read them over and over)
 * and never more than an hour. Where something did not answer just now: a minute, or ten seconds where
 * nothing else was found.
 */
export function freshForMs(tried: readonly Tried[]): number {
  const documents = used(tried)
  if (isIncomplete(tried)) return documents.length > 0 ? leastMs : emptyMs
  const said = documents.flatMap(({ maxAgeMs }) => maxAgeMs ?? [])
  return Math.min(mostMs, Math.max(leastMs, Math.min(...said, said.length > 0 ? mostMs : usualMs)))
}

/** Something did not answer just now: what is missing in the profile may be there all the same. */
export function isIncomplete(tried: readonly Tried[]): boolean {
  return tried.some(({ transient }) => transient)
}

/** The documents that a profile rests on. */
export function used(tried: readonly Tried[]): readonly Tried[] {
  return tried.filter(({ verdict }) => verdict === 'used')
}

/** The field that asks for a document only if it has changed; undefined where it named nothing to ask by. */
export function condition({ etag, lastModified }: Tried): Record<string, string> | undefined {
  if (etag !== undefined) return { 'if-none-match': etag }
  return lastModified === undefined ? undefined : { 'if-modified-since': lastModified }
}
