import { expect, test } from 'vitest'
import { type KmsOptions, keyFromKms } from './kms.ts'
import type { KeyContext } from './master-key.ts'
import { memoryStore } from './memory-store.ts'
import { sealed } from './sealed.ts'

const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const
const id = 'arn:kms:example:1:key/made-up'

/** A KMS that keeps what it is given and answers only for the same context, as the real ones do. */
function fakeKms() {
  const held = new Map<string, { dataKey: Uint8Array; context: string }>()
  const asked: KeyContext[] = []
  const options: KmsOptions = {
    id,
    wrap: async (dataKey, context) => {
      const name = `held-${held.size}`
      held.set(name, { dataKey: Uint8Array.from(dataKey), context: JSON.stringify(context) })
      return new TextEncoder().encode(name)
    },
    unwrap: async (wrapped, context) => {
      asked.push(context)
      const one = held.get(new TextDecoder().decode(wrapped))
      return one?.context === JSON.stringify(context) ? one.dataKey : undefined
    },
  }
  return { options, held, asked }
}

test('a KMS wraps a data key for each write and is told the place; no key is kept', async () => {
  const { options, held, asked } = fakeKms()
  const raw = memoryStore()
  const store = sealed(raw, keyFromKms(options))
  await store.put({ ...ref, value: 'a' }, 0)
  await store.put({ ...ref, value: 'b' }, 1)
  expect(await store.get(ref)).toMatchObject({ value: 'b', revision: 2 })
  expect(await store.get(ref)).toMatchObject({ value: 'b' })
  expect(held.size).toBe(2)
  const place = { kind: 'credential', owner: 'owner-a', id: 'cred_1' }
  expect(asked).toEqual([
    { ...place, revision: '1' },
    { ...place, revision: '2' },
    { ...place, revision: '2' },
  ])
  const [, name = ''] = (await raw.get(ref))?.value.split('.') ?? []
  expect(Buffer.from(name.replace(/^kms-/, ''), 'base64url').toString()).toBe(id)
})

test('what the KMS refuses is one damaged record; the rest is used', async () => {
  const { options } = fakeKms()
  const raw = memoryStore()
  const store = sealed(raw, keyFromKms(options))
  await store.put({ ...ref, value: 'a' }, 0)
  await store.put({ ...ref, id: 'cred_2', value: 'b' }, 0)
  const row = (await raw.get(ref))!
  await raw.put({ ...ref, id: 'cred_3', value: row.value }, 0)
  const moved = { ...ref, id: 'cred_3' }
  await expect(store.get(moved)).rejects.toMatchObject({ code: 'store_damaged' })
  const page = await store.list({ kind: 'credential' })
  expect(page.records.map((one) => one.id)).toEqual(['cred_1', 'cred_2'])
  expect(page.damaged).toEqual([{ ...moved, code: 'store_damaged' }])
})

test('a KMS that ignores the context opens no moved or older value either', async () => {
  const mask = async (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x55)
  const raw = memoryStore()
  const store = sealed(raw, keyFromKms({ id, wrap: mask, unwrap: mask }))
  await store.put({ ...ref, value: 'old' }, 0)
  const before = (await raw.get(ref))!
  await store.put({ ...ref, value: 'new' }, 1)
  await raw.put({ ...ref, value: before.value }, 2)
  await raw.put({ ...ref, owner: 'owner-b', value: before.value }, 0)
  for (const place of [ref, { ...ref, owner: 'owner-b' }]) {
    await expect(store.get(place)).rejects.toMatchObject({ code: 'store_damaged' })
  }
})

const failures: [string, Partial<KmsOptions>, string][] = [
  ['fails', { unwrap: () => Promise.reject(new Error('canary-of-the-kms')) }, 'the KMS failed'],
  [
    'throws at once',
    {
      unwrap: () => {
        throw new Error('canary-of-the-kms')
      },
    },
    'the KMS failed',
  ],
  ['never answers', { unwrap: () => new Promise(() => {}) }, 'the KMS did not answer in 20 ms'],
  [
    'answers with text',
    { unwrap: async () => 'canary' as unknown as Uint8Array },
    'the KMS answered without a data key of 32 bytes',
  ],
  [
    'answers with a short key',
    { unwrap: async () => new Uint8Array(16) },
    'the KMS answered without a data key of 32 bytes',
  ],
]

test.each(failures)('a KMS that %s is an error of its own, no damage', async (_, more, message) => {
  const { options } = fakeKms()
  const raw = memoryStore()
  await sealed(raw, keyFromKms(options)).put({ ...ref, value: 'a' }, 0)
  const broken = sealed(raw, keyFromKms({ ...options, timeoutMs: 20, ...more }))
  const put = () => broken.put({ ...ref, value: 'b' }, 1)
  const list = () => broken.list({ kind: 'credential' })
  for (const call of [() => broken.get(ref), put, list, () => broken.delete(ref)]) {
    const error = await call().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'key_unavailable', message, details: { key: id } })
    expect(JSON.stringify(error)).not.toContain('canary')
  }
  expect(await sealed(raw, keyFromKms(options)).get(ref)).toMatchObject({ value: 'a' })
})

test('a KMS that wraps nothing leaves nothing written', async () => {
  for (const answer of [new Uint8Array(), undefined, 'text']) {
    const raw = memoryStore()
    const wrap = async () => answer as Uint8Array
    const store = sealed(raw, keyFromKms({ ...fakeKms().options, wrap }))
    await expect(store.put({ ...ref, value: 'a' }, 0)).rejects.toMatchObject({
      code: 'key_unavailable',
    })
    expect(await raw.get(ref)).toBeUndefined()
  }
})

test('options that are none are refused', () => {
  const { options } = fakeKms()
  const bad = [
    { id: '' },
    { id: 7 },
    { id: 'x'.repeat(257) },
    { id: '€'.repeat(200) },
    { wrap: undefined },
    { unwrap: 'text' },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
  ]
  for (const more of bad) {
    expect(() => keyFromKms({ ...options, ...more } as KmsOptions)).toThrow(
      expect.objectContaining({ code: 'key_invalid' }),
    )
  }
})
