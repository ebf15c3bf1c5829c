import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failuresDir } from '../fuzz/run.ts'
import { targets } from '../fuzz/targets.ts'

const fixtures = readdirSync(failuresDir).filter((name) => name.endsWith('.json'))

// The longer search is `pnpm fuzz`.
describe.each(targets)('$name', ({ name, arbitrary, property, runsInTest }) => {
  test('holds for made inputs', async () => {
    const checked = fc.asyncProperty(arbitrary, async (input) => property(input))
    await fc.assert(checked, { seed: 7, numRuns: runsInTest })
  })

  const own = fixtures.filter((file) => file.replace(/-[\da-f]{12}\.json$/, '') === name)
  test.each(own)('holds for what failed once: %s', async (file) => {
    await property(JSON.parse(readFileSync(join(failuresDir, file), 'utf8')))
  })
})

test('each fixture is of a target', () => {
  const names = targets.map(({ name }) => name)
  const of = fixtures.map((file) => file.replace(/-[\da-f]{12}\.json$/, ''))
  expect(of.filter((name) => !names.includes(name))).toEqual([])
})
