import { expect, test } from 'vitest'
import { MasterKey } from './master-key.ts'
import { memoryStore } from './memory-store.ts'
import { type SealedStore, sealed } from './sealed.ts'
import type { RecordRef, Store } from './store.ts'

const key = new MasterKey(new Uint8Array(32).fill(1))
const other = new MasterKey(new Uint8Array(32).fill(2))
const ref: RecordRef = { kind: 'credential', owner: 'owner-a', id: 'cred_1' }

/** A sealed store over a raw one whose rows a test can read and put in anew. */
function pair(): { raw: Store; store: SealedStore } {
  const raw = memoryStore()
  return { raw, store: sealed(raw, key) }
}

test('what was put comes back, and the raw store never saw it', async () => {
  const { raw, store } = pair()
  expect(await store.put({ ...ref, value: 'canary-value', due: 7 }, 0)).toBe(1)
  expect(await store.put({ ...ref, value: 'canary-second ✓', due: 8 }, 1)).toBe(2)
  const row = await raw.get(ref)
  expect(row?.value).toMatch(/^v2\.[\w-]{11}\.2\.[\w-]{80}\.[\w-]{16}\.[\w-]+$/)
  expect(row?.due).toBe(8)
  expect(await store.get(ref)).toEqual({ ...ref, revision: 2, value: 'canary-second ✓', due: 8 })
  const page = await store.list({ kind: 'credential', dueBy: 8 })
  expect(page.records.map((it) => it.value)).toEqual(['canary-second ✓'])
  expect(await store.lease('x', 10)).toMatchObject({ token: 1 })
  await store.delete(ref)
  expect(await store.get(ref)).toBeUndefined()
})

test('the longest value fits through both checks', async () => {
  const { store } = pair()
  await store.put({ ...ref, value: 'x'.repeat(4 * 1024 * 1024) }, 0)
  expect((await store.get(ref))?.value).toHaveLength(4 * 1024 * 1024)
})

test('another key is told apart from damage, and nothing is overwritten or deleted', async () => {
  const { raw, store } = pair()
  await store.put({ ...ref, value: 'x' }, 0)
  const before = await raw.get(ref)
  const wrong = sealed(raw, other)
  const code = { code: 'store_wrong_key' }
  await expect(wrong.get(ref)).rejects.toMatchObject(code)
  await expect(wrong.put({ ...ref, value: 'y' }, 1)).rejects.toMatchObject(code)
  await expect(wrong.delete(ref)).rejects.toMatchObject(code)
  expect(await wrong.list({ kind: 'credential' })).toEqual({
    records: [],
    damaged: [{ ...ref, ...code }],
  })
  expect(await raw.get(ref)).toEqual(before)
})

test('a damaged row is neither overwritten nor deleted, and a listing goes on', async () => {
  const { raw, store } = pair()
  await store.put({ ...ref, value: 'x' }, 0)
  await store.put({ ...ref, id: 'cred_2', value: 'y' }, 0)
  const row = (await raw.get(ref))!
  await raw.put({ ...ref, value: `${row.value.slice(0, -5)}AAAAA` }, 1)
  const code = { code: 'store_damaged' }
  await expect(store.put({ ...ref, value: 'z' }, 2)).rejects.toMatchObject(code)
  await expect(store.delete(ref)).rejects.toMatchObject(code)
  const page = await store.list({ kind: 'credential' })
  expect(page.records.map((it) => it.id)).toEqual(['cred_2'])
  expect(page.damaged).toEqual([{ ...ref, ...code }])
  expect((await raw.get(ref))?.revision).toBe(2)
})

test('two rows swapped in the raw store: neither opens', async () => {
  const { raw, store } = pair()
  const second = { ...ref, owner: 'owner-b' }
  await store.put({ ...ref, value: 'a' }, 0)
  await store.put({ ...second, value: 'b' }, 0)
  const [a, b] = [(await raw.get(ref))!, (await raw.get(second))!]
  await raw.delete(ref)
  await raw.delete(second)
  await raw.put({ ...ref, value: b.value }, 0)
  await raw.put({ ...second, value: a.value }, 0)
  for (const place of [ref, second]) {
    await expect(store.get(place)).rejects.toMatchObject({ code: 'store_damaged' })
  }
})

test('a store that answers a listing with rows of another owner is not believed', async () => {
  const { raw, store } = pair()
  await store.put({ ...ref, value: 'a' }, 0)
  const lying: Store = { ...raw, list: () => raw.list({ kind: 'credential' }) }
  const page = await sealed(lying, key).list({ kind: 'credential', owner: 'owner-b' })
  expect(page).toEqual({ records: [], damaged: [{ ...ref, code: 'store_damaged' }] })
})

test('a key may be a promise; its failure is the error of the first call', async () => {
  const late = sealed(memoryStore(), Promise.resolve(key))
  expect(await late.put({ ...ref, value: 'x' }, 0)).toBe(1)
  const failing = sealed(memoryStore(), Promise.reject(new Error('no key')))
  await new Promise((done) => setTimeout(done, 5))
  await expect(failing.get(ref)).rejects.toThrow('no key')
  const bogus = sealed(memoryStore(), {} as MasterKey)
  await expect(bogus.put({ ...ref, value: 'x' }, 0)).rejects.toMatchObject({ code: 'key_invalid' })
})
