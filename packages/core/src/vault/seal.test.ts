import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { memoryStore } from './memory-store.ts'
import { MasterKey, seal, sealed, unseal } from './seal.ts'
import type { RecordRef, Store } from './store.ts'

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const key = new MasterKey(bytes(1))
const other = new MasterKey(bytes(2))
const ref: RecordRef = { kind: 'credential', owner: 'owner-a', id: 'cred_1' }

/** A sealed store over a raw one whose rows a test can read and put in anew. */
function pair(masterKey = key): { raw: Store; store: Store } {
  const raw = memoryStore()
  return { raw, store: sealed(raw, masterKey) }
}

test('what was put comes back, and the raw store never saw it', async () => {
  const { raw, store } = pair()
  expect(await store.put({ ...ref, value: 'canary-value', due: 7 }, 0)).toBe(1)
  expect(await store.put({ ...ref, value: 'canary-second ✓', due: 8 }, 1)).toBe(2)
  const row = await raw.get(ref)
  expect(row?.value).toMatch(/^v1\.[\w-]{11}\.[\w-]{16}\.[\w-]+$/)
  expect(row?.due).toBe(8)
  expect(await store.get(ref)).toEqual({ ...ref, revision: 2, value: 'canary-second ✓', due: 8 })
  const page = await store.list({ kind: 'credential', dueBy: 8 })
  expect(page.records.map((it) => it.value)).toEqual(['canary-second ✓'])
  expect(await store.lease('x', 10)).toMatchObject({ token: 1 })
  await store.delete(ref)
  expect(await store.get(ref)).toBeUndefined()
})

test('any text of any length comes back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
      expect(await unseal(key, ref, 3, await seal(key, ref, 3, text))).toBe(text)
    }),
    { numRuns: 50 },
  )
  const long = '€'.repeat(100_000)
  expect(await unseal(key, ref, 1, await seal(key, ref, 1, long))).toBe(long)
})

test('the longest value fits through both checks', async () => {
  const { store } = pair()
  await store.put({ ...ref, value: 'x'.repeat(4 * 1024 * 1024) }, 0)
  expect((await store.get(ref))?.value).toHaveLength(4 * 1024 * 1024)
})

test('the same text is sealed differently each time', async () => {
  expect(await seal(key, ref, 1, 'x')).not.toBe(await seal(key, ref, 1, 'x'))
})

test.each([
  ['another owner', { ...ref, owner: 'owner-b' }, 1],
  ['another id', { ...ref, id: 'cred_2' }, 1],
  ['another kind', { ...ref, kind: 'registration' }, 1],
  ['a newer revision', ref, 2],
] as const)('a value moved to %s does not open', async (_, place, revision) => {
  const text = await seal(key, ref, 1, 'x')
  await expect(unseal(key, place, revision, text)).rejects.toMatchObject({ code: 'store_damaged' })
})

test('every changed, cut or added character is noticed', async () => {
  const text = await seal(key, ref, 1, 'some value')
  const refused = async (changed: string) => {
    const error = await unseal(key, ref, 1, changed).then(
      (opened) => opened,
      (reason) => reason.code,
    )
    expect(error, changed).toMatch(/^store_(damaged|wrong_key)$/)
  }
  for (let i = 0; i < text.length; i++) {
    await refused(text.slice(0, i))
    // The last character's low bits carry no data in base64; any other letter changes some that do.
    const swapped = text[i] === 'A' ? 'z' : 'A'
    await refused(text.slice(0, i) + swapped + text.slice(i + 1))
  }
  await refused(`${text}AA`)
  await refused(`${text}.AA`)
  await refused('')
  await refused('{"plain":"text"}')
})

test('a future format is named as such', async () => {
  const text = (await seal(key, ref, 1, 'x')).replace(/^v1/, 'v2')
  await expect(unseal(key, ref, 1, text)).rejects.toMatchObject({
    code: 'store_damaged',
    message: expect.stringContaining('newer version'),
  })
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
  expect(await wrong.list({ kind: 'credential' })).toEqual({ records: [], damaged: [ref] })
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
  expect(page.damaged).toEqual([ref])
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
  expect(page).toEqual({ records: [], damaged: [ref] })
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

test('a master key is read from hex and base64, and from nothing else', async () => {
  const hex = '01'.repeat(32)
  const base64 = Buffer.from(bytes(1)).toString('base64')
  const text = await seal(key, ref, 1, 'same key')
  for (const form of [hex, base64, Buffer.from(bytes(1)).toString('base64url'), ` ${hex}\n`]) {
    expect(await unseal(MasterKey.parse(form), ref, 1, text)).toBe('same key')
  }
  for (const form of ['', 'canary-password', hex.slice(1), `${hex}00`, `${base64}=`]) {
    const error = (() => {
      try {
        return MasterKey.parse(form)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'key_invalid' })
    expect(form === '' || !String(error).includes(form)).toBe(true)
  }
  expect(() => new MasterKey(new Uint8Array(31))).toThrow('32 bytes')
})

test('a master key shows nothing', () => {
  const raw = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 3)
  const secretKey = new MasterKey(raw)
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text))
  console.log(inspect({ deep: [secretKey] }, { showHidden: true, depth: 9 }))
  log.mockRestore()
  printed.push(JSON.stringify({ secretKey }), `${secretKey}`, String(secretKey))
  expect(printed).toEqual([
    expect.stringContaining('[master key]'),
    '{"secretKey":"[master key]"}',
    '[master key]',
    '[master key]',
  ])
  expect(structuredClone(secretKey)).toEqual({})
  expect(Object.getOwnPropertyNames(secretKey)).toEqual([])
})
