import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MasterKey } from './master-key.ts'
import { seal, unseal } from './seal.ts'
import { keysOf } from './sealed.ts'
import type { RecordRef } from './store.ts'

const key = new MasterKey(new Uint8Array(32).fill(1))
const ref: RecordRef = { kind: 'credential', owner: 'owner-a', id: 'cred_1' }

async function open(place: RecordRef, revision: number, text: string): Promise<string> {
  return (await unseal(await keysOf(key), place, revision, text)).value
}

test('any text of any length comes back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
      expect(await open(ref, 3, await seal(key, ref, 3, text))).toBe(text)
    }),
    { numRuns: 50 },
  )
  const long = '€'.repeat(100_000)
  expect(await open(ref, 1, await seal(key, ref, 1, long))).toBe(long)
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
  await expect(open(place, revision, text)).rejects.toMatchObject({ code: 'store_damaged' })
})

test('every changed, cut or added character is noticed', async () => {
  const text = await seal(key, ref, 1, 'some value')
  const refused = async (changed: string) => {
    const error = await open(ref, 1, changed).then(
      (opened) => opened,
      (reason) => reason.code,
    )
    expect(error, changed).toMatch(/^store_(damaged|wrong_key|version)$/)
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

test.each([
  ['v1', 'an older version (format 1; this one reads 2)'],
  ['v3', 'a newer version (format 3; this one reads 2)'],
])('a text of format %s is from another version, which is said', async (format, words) => {
  const text = (await seal(key, ref, 1, 'x')).replace(/^v2/, format)
  await expect(open(ref, 1, text)).rejects.toMatchObject({
    code: 'store_version',
    message: `a stored credential was sealed by ${words}`,
  })
})

test('each text has a data key of its own, which opens no other', async () => {
  const [first, second] = [await seal(key, ref, 1, 'x'), await seal(key, ref, 1, 'y')]
  const [a, b] = [first.split('.'), second.split('.')]
  expect(a[3]).not.toBe(b[3])
  const crossed = a.with(3, b[3] ?? '').join('.')
  await expect(open(ref, 1, crossed)).rejects.toMatchObject({ code: 'store_damaged' })
})

test('the generation of a text cannot be changed', async () => {
  const text = await seal(key, ref, 5, 'x', 3)
  expect(await unseal(await keysOf(key), ref, 5, text)).toEqual({ value: 'x', generation: 3 })
  const changed = text.split('.').with(2, '5').join('.')
  await expect(open(ref, 5, changed)).rejects.toMatchObject({ code: 'store_damaged' })
})
