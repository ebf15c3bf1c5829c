import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const corpus = fileURLToPath(new URL('../shared/corpus/', `file://${root}`))

test.skipIf(!existsSync(`${corpus}score.mjs`))(
  'published documents, read by hand (skipped where ../shared/corpus is missing)',
  () => {
    const run = (script: string, args: readonly string[], input = '') => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], {
        input,
        encoding: 'utf8',
        cwd: root,
      })
      expect([status, stderr]).toEqual([0, ''])
      return stdout
    }
    const facts = run('scripts/facts.ts', [corpus])
    const score = JSON.parse(
      run(`${corpus}score.mjs`, [corpus], facts).trim().split('\n').at(-1) ?? '',
    )
    expect(score.fields).toBeGreaterThan(300)
    expect(score.right / score.fields).toBeGreaterThanOrEqual(0.95)
    expect(score.invented / score.fields).toBeLessThanOrEqual(0.03)
    expect(score.methodsRecall).toBeGreaterThanOrEqual(0.9)
    expect(score.methodsPrecision).toBeGreaterThanOrEqual(0.9)
    expect(score.negativesAccepted).toBe(0)
  },
)
