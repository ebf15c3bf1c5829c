// Breaks one line after the other, in a copy, and sees whether the test that guards it goes red.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

interface Mutant {
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The package whose test must go red, and the test's file. */
  readonly test: readonly [string, string]
}

const root = join(import.meta.dirname, '..')
const mutants = JSON.parse(
  readFileSync(join(import.meta.dirname, 'mutants.json'), 'utf8'),
) as readonly Mutant[]
const dir = mkdtempSync(join(tmpdir(), 'authmd-mutants-'))

function run([name, file]: Mutant['test']): number | null {
  const cwd = join(dir, 'packages', name)
  const args = ['run', file, '--reporter=dot', '--bail=1']
  return spawnSync('vitest', args, { cwd, stdio: 'ignore', timeout: 180_000 }).status
}

let survived = 0
try {
  const skipped = ['dist', '.report', '.turbo']
  const filter = (path: string) => !skipped.includes(basename(path))
  const copied = ['packages', 'package.json', 'tsconfig.base.json', 'vitest.shared.ts']
  for (const one of copied) {
    cpSync(join(root, one), join(dir, one), { recursive: true, verbatimSymlinks: true, filter })
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const green = new Map<string, number | null>()
  for (const { file, find, replace, test } of mutants) {
    const path = join(dir, file)
    const source = readFileSync(path, 'utf8')
    if (source.split(find).length !== 2) throw new Error(`${file} holds not once: ${find}`)
    const key = test.join(' ')
    if (!green.has(key)) green.set(key, run(test))
    writeFileSync(
      path,
      source.replace(find, () => replace),
    )
    const status = run(test)
    writeFileSync(path, source)
    const caught = green.get(key) === 0 && status !== 0
    if (!caught) survived++
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${file}: ${find}  (${key})`)
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
console.log(`${mutants.length - survived} of ${mutants.length} mutants were caught`)
process.exitCode = survived === 0 ? 0 : 1
