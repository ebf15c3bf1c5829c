import { describe, expect, test } from 'vitest'
import type { LedgerEntry } from '../../packages/sandbox/src/index.ts'
import {
  doubleRegistrations,
  expiryOf,
  lostRegistrations,
  lostUpdates,
  quantile,
  refreshesPerExpiry,
  reused,
  wrongCalls,
} from './counting.ts'
import type { Write } from './stores.ts'

const token = (request: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id: `t${request}`,
  kind: 'access_token',
  value: `made-up-${request}`,
  account: 'a',
  issuedAt: 0,
  usedAt: 1,
  request,
  ...more,
})

describe('refreshes', () => {
  const log = [
    { n: 1, name: 'token' },
    { n: 2, name: 'token', fault: 'hold:after,cut:after' },
    { n: 3, name: 'token' },
    { n: 4, name: 'elsewhere' },
  ]
  const counted = (ledger: readonly LedgerEntry[], killed = 0) =>
    expiryOf('one', ledger, log, { endpoint: 'token', from: 1, killed })

  test('are the grants of one endpoint since the token ended', () => {
    const other = token(1, { kind: 'refresh_token' })
    expect(counted([token(1), token(3), token(4), other])).toMatchObject({ granted: 1, lost: 0 })
  })

  test('are twice for one end unless an answer was cut, or a killed process had it', () => {
    const before = token(1)
    const { usedAt: _, ...unused } = token(1)
    expect(refreshesPerExpiry([counted([before, token(1), token(3)])])).toBe(2)
    expect(refreshesPerExpiry([counted([before, token(2), token(3)])])).toBe(1)
    expect(refreshesPerExpiry([counted([before, unused, token(3)])])).toBe(2)
    expect(refreshesPerExpiry([counted([before, unused, token(3)], 1)])).toBe(1)
    expect(refreshesPerExpiry([counted([before, token(1), token(3)], 1)])).toBe(2)
  })

  test('of many ends are told by the one that is farthest from one', () => {
    const ends = [1, 3, 0].map((granted) => ({ what: '', granted, lost: 0 }))
    expect(refreshesPerExpiry(ends)).toBe(3)
    expect(refreshesPerExpiry(ends.slice(2))).toBe(0)
  })

  test('with a token that was taken before are told', () => {
    const asked = { name: 'oauth_token', body: 'grant_type=refresh_token&refresh_token=made-up' }
    expect(reused([{ ...asked, status: 400 }, { ...asked, status: 200 }, { ...asked }])).toBe(1)
  })
})

test.each<[string, readonly Write[], Write | undefined, number]>([
  ['as it was', [write(1), write(2)], write(2), 0],
  ['later by now', [write(1)], write(4), 0],
  ['gone', [write(1)], undefined, 1],
  ['older', [write(1), write(2)], write(1), 1],
  ['another value', [write(2)], write(2, 'other'), 1],
  ['given to two writers', [write(1), write(1, 'other'), write(2)], write(2), 1],
])('an acknowledged update that is %s', (_, writes, stored, lost) => {
  expect(lostUpdates(writes, () => stored)).toHaveLength(lost)
})

function write(revision: number, digest = `d${revision}`): Write {
  return { record: 'credential/o/c', revision, digest }
}

test('registrations that are more than there are owners, or that nobody knows of', () => {
  const all = { owners: 2, made: ['a', 'b'], held: ['a', 'b'], doubted: 0 }
  expect([doubleRegistrations(all), lostRegistrations(all)]).toEqual([0, 0])
  const three = { ...all, made: ['a', 'b', 'c'] }
  expect([doubleRegistrations(three), lostRegistrations(three)]).toEqual([1, 1])
  expect(lostRegistrations({ ...all, held: ['a'] })).toBe(1)
  expect(lostRegistrations({ ...all, held: ['a'], doubted: 1 })).toBe(0)
})

test('calls that were told no, that failed without a type, or that never came through', () => {
  const again = { code: 'store_failed', retryable: true }
  const never = { code: 'untyped: TypeError', retryable: false }
  const calls = [
    { ms: 1, failed: [again], last: 'answered' },
    { ms: 1, failed: [again, never], last: 'failed' },
    { ms: 1, failed: [again], last: 'out of time' },
  ]
  expect(wrongCalls(calls, ['answered'])).toEqual(['untyped: TypeError', 'out of time'])
})

test('a quantile is one of the values', () => {
  expect([0.5, 0.99].map((share) => quantile([4, 1, 3, 2], share))).toEqual([3, 4])
  expect(quantile([], 0.5)).toBe(0)
})
