// Breaks one line after the other, in a copy, and sees whether the test that guards it goes red. With
// `--fuzz` it is the search of `pnpm fuzz` or `pnpm soak:kill` that must find it.
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

interface SearchedMutant extends Omit<Mutant, 'test'> {
  /** A script with its arguments, and what it must say. */
  readonly search: readonly string[]
  readonly says: string
}

const root = join(import.meta.dirname, '..')
const searched = process.argv.includes('--fuzz')
const list = searched ? 'fuzz-mutants.json' : 'mutants.json'
const mutants = JSON.parse(readFileSync(join(import.meta.dirname, list), 'utf8')) as readonly (
  | Mutant
  | SearchedMutant
)[]
const dir = mkdtempSync(join(tmpdir(), 'authmd-mutants-'))

function run([name, file]: Mutant['test']): number | null {
  const cwd = join(dir, 'packages', name)
  const args = ['run', file, '--reporter=dot', '--bail=1']
  return spawnSync('vitest', args, { cwd, stdio: 'ignore', timeout: 180_000 }).status
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
  const green = new Map<string, number | null>()
  for (const mutant of mutants) {
    const { file, find, replace } = mutant
    const path = join(dir, file)
    const source = readFileSync(path, 'utf8')
    if (source.split(find).length !== 2) throw new Error(`${file} holds not once: ${find}`)
    const key = ('test' in mutant ? mutant.test : mutant.search).join(' ')
    if ('test' in mutant && !green.has(key)) green.set(key, run(mutant.test))
    const broken = source.replace(find, () => replace)
    writeFileSync(path, broken)
    const caught = 'test' in mutant ? green.get(key) === 0 && run(mutant.test) !== 0 : found(mutant)
    writeFileSync(path, source)
    if (!caught) survived++
    console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${file}: ${find}  (${key})`)
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
console.log(`${mutants.length - survived} of ${mutants.length} mutants were caught`)
process.exitCode = survived === 0 ? 0 : 1
