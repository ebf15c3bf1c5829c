import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const dir = join(import.meta.dirname, '../.report/readme')

const pages = ['README.md', 'packages/core/README.md', 'docs/own-method.md']

test('every TypeScript block of the README, of that of core, and of an own method, compiles', () => {
  const blocks = pages.flatMap((path) => {
    const found = [...readFileSync(join(root, path), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    expect(found.length, path).toBeGreaterThan(1)
    return found
  })
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const [at, [, code = '']] of blocks.entries()) {
    // A block that others import is called as they call it.
    const name = code.includes('companyKeys: Method') ? 'company-keys' : `block-${at + 1}`
    writeFileSync(join(dir, `${name}.ts`), code)
  }
  const compilerOptions = { types: ['node'], isolatedDeclarations: false, declaration: false }
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync('tsc', ['-p', dir], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
}, 60_000)
