import { expect, test } from 'vitest'
import { memoryStore } from './memory-store.ts'

const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const

test('put compares the revision, and the revision grows by one', async () => {
  const store = memoryStore()
  expect(await store.get(ref)).toBeUndefined()
  expect(await store.put({ ...ref, value: 'one' }, 0)).toBe(1)
  await expect(store.put({ ...ref, value: 'again' }, 0)).rejects.toMatchObject({
    code: 'store_conflict',
  })
  expect(await store.put({ ...ref, value: 'two', due: 5 }, 1)).toBe(2)
  await expect(store.put({ ...ref, value: 'late' }, 1)).rejects.toMatchObject({
    code: 'store_conflict',
  })
  expect(await store.get(ref)).toEqual({ ...ref, value: 'two', due: 5, revision: 2 })
})

test('of many writers at once exactly one wins', async () => {
  const store = memoryStore()
  const tries = Array.from({ length: 20 }, (_, i) => store.put({ ...ref, value: `${i}` }, 0))
  const won = (await Promise.allSettled(tries)).filter((it) => it.status === 'fulfilled')
  expect(won).toHaveLength(1)
})

test('delete with a revision removes only that one; absent is no error', async () => {
  const store = memoryStore()
  await store.delete(ref)
  await store.put({ ...ref, value: 'x' }, 0)
  await expect(store.delete(ref, 7)).rejects.toMatchObject({ code: 'store_conflict' })
  await store.delete(ref, 1)
  expect(await store.get(ref)).toBeUndefined()
  expect(await store.put({ ...ref, value: 'y' }, 0)).toBe(1)
})

test('a record that was read cannot be changed from outside', async () => {
  const store = memoryStore()
  await store.put({ ...ref, value: 'x' }, 0)
  const read = (await store.get(ref)) as { value: string }
  expect(() => {
    read.value = 'changed'
  }).toThrow(TypeError)
  expect((await store.get(ref))?.value).toBe('x')
})

test('list pages through everything once, by kind, owner and due time', async () => {
  const store = memoryStore()
  for (let i = 0; i < 25; i++) {
    const owner = i % 2 === 0 ? 'owner-a' : 'owner-ab'
    await store.put({ kind: 'credential', owner, id: `c${i}`, value: `${i}`, due: i }, 0)
  }
  await store.put({ kind: 'consent', owner: 'owner-a', id: 'other', value: '' }, 0)
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await store.list({
      kind: 'credential',
      limit: 7,
      ...(after === undefined ? {} : { after }),
    })
    expect(page.records.length).toBeLessThanOrEqual(7)
    seen.push(...page.records.map((it) => it.id))
    after = page.next
  } while (after !== undefined)
  expect(new Set(seen).size).toBe(25)
  expect(seen).toHaveLength(25)
  const mine = await store.list({ kind: 'credential', owner: 'owner-a' })
  expect(mine.records).toHaveLength(13)
  const due = await store.list({ kind: 'credential', dueBy: 3 })
  expect(due.records.map((it) => it.id).sort()).toEqual(['c0', 'c1', 'c2', 'c3'])
})

test('a lease is held by one, ends by time or release, and its token grows', async () => {
  let now = 1000
  const store = memoryStore({ clock: () => now })
  const first = await store.lease('refresh', 50)
  expect(first).toMatchObject({ token: 1, expires: 1050 })
  expect(await store.lease('refresh', 50)).toBeUndefined()
  expect(await store.lease('another', 50)).toMatchObject({ token: 1 })
  now = 1050
  const second = await store.lease('refresh', 50)
  expect(second?.token).toBe(2)
  await first?.release()
  expect(await store.lease('refresh', 50)).toBeUndefined()
  await second?.release()
  expect((await store.lease('refresh', 50))?.token).toBe(3)
})

test.each([
  [{ ...ref, id: '../x' }],
  [{ ...ref, id: '' }],
  [{ ...ref, id: 'a/b' }],
  [{ ...ref, id: 'a\0' }],
  [{ ...ref, id: 'a\n' }],
  [{ ...ref, id: 'x'.repeat(129) }],
  [{ ...ref, owner: '..' }],
  [{ ...ref, kind: '../meta' as 'meta' }],
])('a hostile name is refused: %j', async (bad) => {
  const store = memoryStore()
  await expect(store.get(bad)).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(store.put({ ...bad, value: '' }, 0)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  await expect(store.delete(bad)).rejects.toMatchObject({ code: 'invalid_input' })
})

test('a value that is too long or no text is refused', async () => {
  const store = memoryStore()
  const long = 'x'.repeat(6 * 1024 * 1024 + 1)
  await expect(store.put({ ...ref, value: long }, 0)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  await expect(store.put({ ...ref, value: '\ud800' }, 0)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expect(await store.put({ ...ref, value: long.slice(1) }, 0)).toBe(1)
})
