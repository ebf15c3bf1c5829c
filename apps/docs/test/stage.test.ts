import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { pagesOf, stage } from '../src/stage.ts'
import { root } from './pages.ts'

const dir = join(import.meta.dirname, '../.report/stage')
const page = (source: string, target = source) => ({ source, target })

beforeEach(() => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(join(dir, 'in/docs'), { recursive: true })
})

function staged(text: string): string {
  writeFileSync(join(dir, 'in/docs/a.md'), text)
  writeFileSync(join(dir, 'in/README.md'), '# Root')
  writeFileSync(join(dir, 'in/a.test.ts'), '')
  const pages = [page('docs/a.md', 'a.md'), page('README.md', 'packages/root.md')]
  stage(join(dir, 'in'), pages, join(dir, 'out'))
  return readFileSync(join(dir, 'out/a.md'), 'utf8')
}

test('no link of the pages leads nowhere', () => {
  const pages = pagesOf(root)
  expect(pages.length).toBeGreaterThan(30)
  stage(root, pages, join(dir, 'site'))
})

test('links lead where pages lie in the site, and to no file that is none of its pages', () => {
  expect(staged('[`x` y](../README.md#root) [t](../a.test.ts) [w](https://vendor.example)')).toBe(
    '[`x` y](./packages/root.md#root) t [w](https://vendor.example)',
  )
})

test('what looks like a link in a block is left alone', () => {
  const text = '```text\n[x](nowhere.md)\n```\n'
  expect(staged(text)).toBe(text)
})

test('all dead links are named', () => {
  const dead = ['b.md', 'c.svg', '../README.md#trunk']
  const links = dead.map((to) => `![x](${to})`).join(' ')
  expect(() => staged(links)).toThrow(dead.map((to) => `docs/a.md: ${to}`).join('\n'))
})
