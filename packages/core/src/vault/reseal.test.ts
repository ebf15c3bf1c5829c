import { expect, test } from 'vitest'
import { AuthError } from '../errors.ts'
import { keyFromKms } from './kms.ts'
import { MasterKey } from './master-key.ts'
import { memoryStore } from './memory-store.ts'
import { sealed } from './sealed.ts'
import type { Store } from './store.ts'
import { recordKinds } from './store-check.ts'

const old = new MasterKey(new Uint8Array(32).fill(1))
const fresh = new MasterKey(new Uint8Array(32).fill(2))
const both = { current: fresh, previous: [old] }
const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const
const refs = recordKinds.flatMap((kind) =>
  Array.from({ length: kind === 'credential' ? 120 : 3 }, (_, at) => ({
    kind,
    owner: `owner-${at % 7}`,
    id: `r-${at}`,
  })),
)

async function filled(): Promise<Store> {
  const raw = memoryStore()
  const store = sealed(raw, old)
  for (const one of refs) await store.put({ ...one, value: one.id, due: 5 }, 0)
  return raw
}

test('while the key is changed all is read, and what is written is under the new one', async () => {
  const raw = memoryStore()
  await sealed(raw, old).put({ ...ref, value: 'before' }, 0)
  const store = sealed(raw, both)
  expect(await store.get(ref)).toMatchObject({ value: 'before', revision: 1 })
  expect((await store.list({ kind: 'credential' })).records).toHaveLength(1)
  expect(await store.put({ ...ref, value: 'after' }, 1)).toBe(2)
  expect(await sealed(raw, fresh).get(ref)).toMatchObject({ value: 'after', revision: 2 })
  await expect(sealed(raw, old).get(ref)).rejects.toMatchObject({ code: 'store_wrong_key' })
})

test('resealing brings every record of every kind under the current key, page by page', async () => {
  const raw = await filled()
  expect(await sealed(raw, both).reseal()).toEqual({ resealed: refs.length, left: 0, damaged: [] })
  expect(await sealed(raw, both).reseal()).toEqual({ resealed: 0, left: 0, damaged: [] })
  const after = sealed(raw, fresh)
  for (const one of refs) {
    expect(await after.get(one)).toEqual({ ...one, revision: 1, value: one.id, due: 5 })
  }
})

test('a key half-way changed: what is under the other key is said, the rest is used', async () => {
  const raw = memoryStore()
  await sealed(raw, old).put({ ...ref, value: 'x' }, 0)
  await sealed(raw, both).put({ ...ref, id: 'cred_2', value: 'y' }, 0)
  const early = sealed(raw, fresh)
  await expect(early.get(ref)).rejects.toMatchObject({ code: 'store_wrong_key' })
  const page = await early.list({ kind: 'credential' })
  expect(page.records.map(({ id }) => id)).toEqual(['cred_2'])
  expect(page.damaged).toEqual([{ ...ref, code: 'store_wrong_key' }])
  expect(await early.reseal()).toEqual({ resealed: 0, left: 0, damaged: page.damaged })
  expect(await sealed(raw, both).get(ref)).toMatchObject({ value: 'x' })
})

test('who had read a record before it was resealed can still write and delete it', async () => {
  const raw = memoryStore()
  const store = sealed(raw, { current: old, previous: [fresh] })
  await store.put({ ...ref, value: 'a' }, 0)
  const read = await store.get(ref)
  await sealed(raw, both).reseal()
  expect((await raw.get(ref))?.revision).toBe(2)
  expect(await store.put({ ...ref, value: 'b' }, read?.revision ?? 0)).toBe(2)
  await expect(store.put({ ...ref, value: 'c' }, 1)).rejects.toMatchObject({
    code: 'store_conflict',
  })
  await sealed(raw, both).reseal()
  await expect(store.delete(ref, 1)).rejects.toMatchObject({ code: 'store_conflict' })
  await store.delete(ref, 2)
  expect(await store.get(ref)).toBeUndefined()
})

test('a record that is resealed between reading and writing it is written all the same', async () => {
  const raw = memoryStore()
  await sealed(raw, old).put({ ...ref, value: 'a' }, 0)
  let first = true
  const racing: Store = {
    ...raw,
    put: async (record, expected) => {
      if (first) {
        first = false
        await sealed(raw, both).reseal()
      }
      return raw.put(record, expected)
    },
  }
  expect(await sealed(racing, both).put({ ...ref, value: 'b' }, 1)).toBe(2)
  expect(await sealed(raw, fresh).get(ref)).toMatchObject({ value: 'b', revision: 2 })
})

test('what changes while it is resealed keeps the newer value', async () => {
  const raw = memoryStore()
  await sealed(raw, old).put({ ...ref, value: 'a' }, 0)
  const others = sealed(raw, { current: old, previous: [fresh] })
  let times = 2
  const racing: Store = {
    ...raw,
    put: async (record, expected) => {
      if (times-- > 0) await others.put({ ...ref, value: 'b' }, (await others.get(ref))!.revision)
      return raw.put(record, expected)
    },
  }
  expect(await sealed(racing, both).reseal()).toEqual({ resealed: 1, left: 0, damaged: [] })
  expect(await sealed(raw, fresh).get(ref)).toMatchObject({ value: 'b', revision: 3 })
})

test('two reseal at once: each record once, none lost', async () => {
  const raw = await filled()
  const reports = await Promise.all([sealed(raw, both).reseal(), sealed(raw, both).reseal()])
  expect(reports.map(({ left, damaged }) => [left, damaged])).toEqual([
    [0, []],
    [0, []],
  ])
  expect(reports[0].resealed + reports[1].resealed).toBe(refs.length)
  const after = sealed(raw, fresh)
  for (const one of refs) expect(await after.get(one)).toMatchObject({ value: one.id })
})

test('a record that never stands still is counted as left', async () => {
  const raw = memoryStore()
  await sealed(raw, old).put({ ...ref, value: 'a' }, 0)
  const busy: Store = {
    ...raw,
    put: async () => {
      throw new AuthError('store_conflict', 'another was first')
    },
  }
  expect(await sealed(busy, both).reseal()).toEqual({ resealed: 0, left: 1, damaged: [] })
})

test('damaged records are named and left as they are, and the others are resealed', async () => {
  const raw = memoryStore()
  const store = sealed(raw, old)
  for (const id of ['ok', 'flipped', 'future']) await store.put({ ...ref, id, value: id }, 0)
  await sealed(raw, new MasterKey(new Uint8Array(32).fill(3))).put(
    { ...ref, id: 'lost', value: 'x' },
    0,
  )
  const spoil = async (id: string, change: (value: string) => string) => {
    const row = (await raw.get({ ...ref, id }))!
    await raw.put({ ...ref, id, value: change(row.value) }, 1)
  }
  await spoil('flipped', (value) => `${value.slice(0, -5)}AAAAA`)
  await spoil('future', (value) => value.replace(/^v2/, 'v9'))
  const before = await raw.list({ kind: 'credential' })
  const report = await sealed(raw, both).reseal()
  expect(report).toMatchObject({ resealed: 1, left: 0 })
  expect(report.damaged.map(({ id, code }) => `${id}: ${code}`).sort()).toEqual([
    'flipped: store_damaged',
    'future: store_version',
    'lost: store_wrong_key',
  ])
  const after = await raw.list({ kind: 'credential' })
  const rows = (page: typeof before) => page.records.filter(({ id }) => id !== 'ok')
  expect(rows(after)).toEqual(rows(before))
})

test('a KMS that fails in the middle ends it with an error, and the next run goes on', async () => {
  const raw = await filled()
  let calls = 0
  const kms = keyFromKms({
    id: 'projects/example/key',
    wrap: async (dataKey) => {
      if (++calls === 50) throw new Error('throttled')
      return dataKey.map((byte) => byte ^ 0x55)
    },
    unwrap: async (wrapped) => wrapped.map((byte) => byte ^ 0x55),
  })
  const store = sealed(raw, { current: kms, previous: [old] })
  await expect(store.reseal()).rejects.toMatchObject({ code: 'key_unavailable' })
  for (const one of refs) expect(await store.get(one)).toMatchObject({ value: one.id })
  expect(await store.reseal()).toEqual({ resealed: refs.length - 49, left: 0, damaged: [] })
})
