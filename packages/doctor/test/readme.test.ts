import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const dir = join(import.meta.dirname, '../.report/readme')

it('every TypeScript block of the README compiles', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
  expect(blocks.length).toBe(3)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const [at, [, code = '']] of blocks.entries()) {
    writeFileSync(join(dir, `block-${at + 1}.ts`), code)
  }
  const compilerOptions = { types: ['node'], isolatedDeclarations: false, declaration: false }
  const config = { extends: '../../../../tsconfig.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync('tsc', ['-p', dir], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
