import { expect, test } from 'vitest'
import { programOf } from '../../../packages/cli/src/program.ts'
import { blocksOf, pages, read } from './pages.ts'

/** Each command of the `sh` blocks, in words. */
const commands = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replace(/(^|\s)#.*$/gm, '').split(/\n|&&|\|\|?|;/))
    .map((line) => line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [])
    .filter((words) => words.length > 0)
    .map((words) => ({ page, words })),
)

const { scripts } = JSON.parse(read('package.json'))

/** What is wrong with a command that is ours or runs what is ours; those of the shell and of the machine are not looked at. */
function fault(page: string, [program = '', first = '', ...rest]: readonly string[]) {
  switch (program) {
    case 'pnpm':
      return first in scripts ? undefined : 'no such script'
    case 'npm': {
      if (first === 'init' || first === 'install') return undefined
      const script = first === 'run' ? (rest[0] ?? '') : first
      return script in scripts ? undefined : 'no such script'
    }
    case 'npx':
      return first === 'authmd' || first === '@authmd/cli' ? parsed(rest) : 'no such program'
    case 'node':
      return blocksOf(page).some(({ name }) => name === first) ? undefined : 'no such file'
    default:
      return undefined
  }
}

/** What the parser of the command line says. */
function parsed(args: readonly string[]): string | undefined {
  try {
    programOf((command) => command.action(() => {})).parse(args, { from: 'user' })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test('every command of the pages exists, with its options', () => {
  const programs = new Set(commands.map(({ words }) => words[0]))
  expect([...programs]).toEqual(expect.arrayContaining(['node', 'npm', 'npx', 'pnpm']))
  const faults = commands.flatMap(({ page, words }) => {
    const what = fault(page, words)
    return what === undefined ? [] : [`${page}: ${words.join(' ')}: ${what}`]
  })
  expect(faults).toEqual([])
})
