import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Target } from './target.ts'

export const failuresDir: string = join(import.meta.dirname, 'failures')

/** What fuzzing a target for a while came to. */
export interface Ran {
  readonly runs: number
  readonly failure?: { readonly input: unknown; readonly error: string }
}

/** Runs of one seed: enough to keep the shrinking cheap, few enough to look at the clock. */
const batch = 200

/** Tries inputs until the time is over or one fails; that one is shrunk. */
export async function fuzz(target: Target, seed: number, until: number): Promise<Ran> {
  let runs = 0
  for (let round = 0; round === 0 || Date.now() < until; round++) {
    const left = Math.max(1_000, until - Date.now())
    const checked = await fc.check(
      fc.asyncProperty(target.arbitrary, async (input) => target.property(input)),
      {
        seed: (seed + round) | 0,
        numRuns: batch,
        interruptAfterTimeLimit: left,
        markInterruptAsFailure: false,
      },
    )
    runs += checked.numRuns
    if (checked.failed && checked.counterexample !== null) {
      const [input] = checked.counterexample
      return { runs, failure: { input, error: String(checked.errorInstance) } }
    }
  }
  return { runs }
}

/** Keeps an input as a fixture, which the test of core tries from then on. */
export function keepFailure(target: Target, input: unknown): string {
  const text = `${JSON.stringify(input, undefined, 2)}\n`
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const file = join(failuresDir, `${target.name}-${hash}.json`)
  mkdirSync(failuresDir, { recursive: true })
  writeFileSync(file, text)
  return file
}
