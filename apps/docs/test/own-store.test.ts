import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '@authmd/core'
import { storeCases } from '@authmd/core/testing'
import { beforeAll, test } from 'vitest'
import { blocksOf } from './pages.ts'

const dir = join(import.meta.dirname, '../.report/own-store')
const file = join(dir, 'sqlite-store.ts')

beforeAll(() => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const block = blocksOf('docs/own-store.md').find(({ name }) => name === 'sqlite-store.ts')
  writeFileSync(file, block?.text ?? '')
})

async function open(): Promise<Store> {
  const { sqliteStore } = (await import(file)) as { sqliteStore: (path: string) => Store }
  return sqliteStore(join(dir, 'authmd.sqlite'))
}

test.each(storeCases)("the page's store: $name", ({ run }) =>
  run({ open, owners: 100, leasesEndBy: 'process' }),
)
