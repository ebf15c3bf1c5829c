import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blocksOf, pages, root } from './pages.ts'

// That of the project: beside this package there is an older one, for TypeDoc alone.
const tsc = join(root, 'node_modules/.bin/tsc')
const dir = join(import.meta.dirname, '../.report/blocks')

test('every block is of a language that is checked, or the words of a program', () => {
  // Those of `sh` are parsed in commands.test.ts, and run where a page is a walk from its beginning, in start.test.ts.
  const known = ['ts', 'json', 'sh', 'text']
  const others = pages.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => !known.includes(language))
      .map(({ language }) => `${page}: ${language}`),
  )
  expect(others).toEqual([])
})

test('every JSON block can be read', () => {
  for (const page of pages) {
    for (const { language, text } of blocksOf(page)) {
      if (language === 'json') expect(() => JSON.parse(text), `${page}:\n${text}`).not.toThrow()
    }
  }
})

test('every TypeScript block compiles', () => {
  rmSync(dir, { recursive: true, force: true })
  let count = 0
  for (const page of pages) {
    const folder = join(dir, page.replace(/\.md$/, ''))
    mkdirSync(folder, { recursive: true })
    for (const { language, name, text } of blocksOf(page)) {
      if (language !== 'ts') continue
      count += 1
      writeFileSync(join(folder, name ?? `block-${count}.ts`), text)
    }
  }
  expect(count).toBeGreaterThan(pages.length / 2)
  const compilerOptions = { types: ['node'], isolatedDeclarations: false, declaration: false }
  const include = ['**/*.ts', '**/*.mts']
  const config = { extends: '../../tsconfig.json', compilerOptions, include }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync(tsc, ['-p', dir], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
