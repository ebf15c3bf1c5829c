// Breaks one line after the other, in a copy, and sees whether the test that guards it goes red. With
// `--fuzz` it is the search of `pnpm fuzz` or `pnpm soak:kill` that must find it. With a word as argument:
// only the mutants that mention it.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'

interface Mutant {
  readonly file: string
  readonly find: string
  readonly replace: string
  /** What must go red: the package, the test's file, and the test's name where the file has others. */
  readonly test: readonly [string, string, string?]
}

interface SearchedMutant extends Omit<Mutant, 'test'> {
  /** A script with its arguments, and what it must say. */
  readonly search: readonly string[]
  readonly says: string
}

const root = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  options: { fuzz: { type: 'boolean' } },
  allowPositionals: true,
})
const [word = ''] = positionals
const list = values.fuzz ? 'fuzz-mutants.json' : 'mutants.json'
const all = JSON.parse(readFileSync(join(import.meta.dirname, list), 'utf8')) as readonly (
  | Mutant
  | SearchedMutant
)[]
const mutants = all.filter((one) => JSON.stringify(one).includes(word))
const dir = mkdtempSync(join(tmpdir(), 'authmd-mutants-'))

/** Whether the test is green; one that never ends is not. */
function isGreen([name, file, title]: Mutant['test']): boolean {
  const cwd = join(dir, 'packages', name)
  const only = title === undefined ? [] : ['-t', title]
  const args = ['run', file, ...only, '--reporter=dot', '--bail=1']
  const { status, error } = spawnSync('vitest', args, { cwd, stdio: 'ignore', timeout: 180_000 })
  if (error && (error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error
  return status === 0
}

/** Whether the search said within its time what it must. */
function found({ search, says }: SearchedMutant): boolean {
  const args = ['--conditions=@authmd/source', ...search]
  const { stdout } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' })
  return new RegExp(says, 'm').test(stdout)
}

let survived = 0
try {
  const skipped = ['dist', '.report', '.turbo']
  const filter = (path: string) => !skipped.includes(basename(path))
  const copied = ['packages', 'package.json', 'scripts', 'tsconfig.base.json', 'vitest.shared.ts']
  for (const one of copied) {
    cpSync(join(root, one), join(dir, one), { recursive: true, verbatimSymlinks: true, filter })
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const green = new Set<string>()
  for (const mutant of mutants) {
    const { file, find, replace } = mutant
    const path = join(dir, file)
    const source = readFileSync(path, 'utf8')
    if (source.split(find).length !== 2) throw new Error(`${file} holds not once: ${find}`)
    const key = ('test' in mutant ? mutant.test : mutant.search).join(' ')
    if ('test' in mutant && !green.has(key)) {
      if (!isGreen(mutant.test)) throw new Error(`not green without a mutant: ${key}`)
      green.add(key)
    }
    const broken = source.replace(find, () => replace)
    writeFileSync(path, broken)
    const caught = 'test' in mutant ? !isGreen(mutant.test) : found(mutant)
    writeFileSync(path, source)
    if (!caught) survived++
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${file}: ${find}  (${key})`)
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
console.log(`${mutants.length - survived} of ${mutants.length} mutants were caught`)
process.exitCode = survived === 0 ? 0 : 1
