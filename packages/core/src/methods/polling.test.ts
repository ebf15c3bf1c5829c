import { expect, test } from 'vitest'
import { intervalOf, patienceMs } from './polling.ts'

// @see sigstore/sigstore#2381
test.each([
  [5, 5_000],
  ['7', 7_000],
  [0, 1_000],
  [0.2, 1_000],
  [undefined, 5_000],
  [null, 5_000],
  ['', 5_000],
  ['soon', 5_000],
  [-1, 5_000],
  [Number.NaN, 5_000],
  [Number.POSITIVE_INFINITY, 5_000],
  [86_400, 5_000],
  [{}, 5_000],
])('the interval %j is %i ms', (said, ms) => {
  expect(intervalOf(said)).toBe(ms)
})

test('patience grows, to an end', () => {
  expect([0, 1, 2, 6, 60].map((failures) => patienceMs(1_000, failures))).toEqual([
    1_000, 2_000, 4_000, 64_000, 64_000,
  ])
})
