import type fc from 'fast-check'

/** One thing to fuzz: inputs that are plain JSON, and what must hold for each. */
export interface Target<T = unknown> {
  readonly name: string
  readonly arbitrary: fc.Arbitrary<T>
  /** Throws where it does not hold. */
  property(input: T): void | Promise<void>
  /** Inputs that the test of core tries; the others are for `pnpm fuzz`. */
  readonly runsInTest: number
}

/** A target of any input, for lists. */
export function target<T>(one: Target<T>): Target {
  return one as unknown as Target
}

export function check(holds: boolean, what: string, ...shown: readonly unknown[]): asserts holds {
  if (holds) return
  const details = shown.map((one) => JSON.stringify(one) ?? 'undefined').join(' ')
  throw new Error(`${what} ${details.slice(0, 4_000)}`)
}
