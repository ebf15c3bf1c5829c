import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import { storeCases } from '../src/testing/index.ts'
import { MasterKey } from '../src/vault/master-key.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { sealed } from '../src/vault/sealed.ts'

const key = new MasterKey(new Uint8Array(32).fill(1))
let dir = ''

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'authmd-cases-'))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

describe('memoryStore', () => {
  const store = memoryStore()
  for (const { name, run } of storeCases) {
    test(name, () => run({ open: () => store, leasesEndBy: 'process' }))
  }
})

describe('sealed', () => {
  const store = memoryStore()
  for (const { name, run } of storeCases) {
    const open = () => sealed(store, key)
    test(name, () => run({ open, leasesEndBy: 'process', owners: 1000 }))
  }
})

describe('fileStore', () => {
  for (const { name, run } of storeCases) {
    const open = () => fileStore({ dir: join(dir, 'store'), key })
    // Each record is a file that is synchronised: ten thousand take a minute.
    test(name, () => run({ open, leasesEndBy: 'process', owners: 200 }))
  }
})
