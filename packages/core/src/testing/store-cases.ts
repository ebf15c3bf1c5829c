import { ownerKey } from '../owner.ts'
import type { RecordQuery, RecordRef, Store, StoreRecord } from '../vault/store.ts'
import { dueCases } from './due-cases.ts'
import { rejects, same } from './expect.ts'
import { leaseCases } from './lease-cases.ts'
import { randomName, type StoreCase } from './store-case.ts'

/**
 * Every promise that {@link Store} makes, for any test runner. The store may hold other records.
 *
 * @example
 * ```ts
 * for (const { name, run } of storeCases) test(name, () => run({ open, leasesEndBy: 'server' }))
 * ```
 */
export const storeCases: readonly StoreCase[] = [
  {
    name: 'put compares the revision, which grows by one',
    async run({ open }) {
      const store = await open()
      const ref = refOf()
      same(await store.get(ref), undefined, 'a record that nobody wrote')
      same(await store.put({ ...ref, value: 'one' }, 0), 1, 'the first revision')
      await rejects(store.put({ ...ref, value: 'x' }, 0), 'store_conflict', 'a second creation')
      same(await store.put({ ...ref, value: 'two', due: 5 }, 1), 2, 'the next revision')
      await rejects(store.put({ ...ref, value: 'x' }, 1), 'store_conflict', 'a late writer')
      await rejects(store.put({ ...ref, value: 'x' }, 3), 'store_conflict', 'a revision to come')
      const kept = { ...ref, value: 'two', due: 5, revision: 2 }
      same(await store.get(ref), kept, 'what is kept')
      same(await store.put({ ...ref, value: 'three' }, 2), 3, 'a write without due')
      same(await store.get(ref), { ...ref, value: 'three', revision: 3 }, 'due, taken off')
    },
  },
  {
    name: 'of many writers at once, by two handles, one wins',
    async run({ open }) {
      const stores = [await open(), await open()]
      const ref = refOf()
      for (let revision = 0; revision < 3; revision++) {
        const tries = Array.from({ length: 20 }, (_, i) =>
          stores[i % 2]!.put({ ...ref, value: `${revision} ${i}` }, revision),
        )
        const settled = await Promise.allSettled(tries)
        const won = settled.flatMap((one, i) => (one.status === 'fulfilled' ? [i] : []))
        same(won.length, 1, 'writers that won')
        for (const one of tries)
          await one.catch((error) => rejects(Promise.reject(error), 'store_conflict', 'a loser'))
        same((await stores[1]!.get(ref))?.value, `${revision} ${won[0]}`, 'the value of the winner')
      }
    },
  },
  {
    name: 'delete takes one revision or any; a name can be used again',
    async run({ open }) {
      const [store, other] = [await open(), await open()]
      const ref = refOf()
      await store.delete(ref)
      await store.delete(ref, 4)
      await store.put({ ...ref, value: 'x', due: 1 }, 0)
      await rejects(store.delete(ref, 7), 'store_conflict', 'another revision')
      await store.delete(ref, 1)
      same(await other.get(ref), undefined, 'a deleted record')
      same((await all(other, { kind: ref.kind, owner: ref.owner })).length, 0, 'records listed')
      await rejects(other.put({ ...ref, value: 'late' }, 1), 'store_conflict', 'a late writer')
      same(await other.put({ ...ref, value: 'y' }, 0), 1, 'the first revision of the next one')
      await store.delete(ref)
      same(await store.get(ref), undefined, 'deleted whatever its revision')
    },
  },
  {
    name: 'what was acknowledged is there for a handle that is opened later',
    async run({ open }) {
      const ref = refOf()
      const before = await open()
      await before.put({ ...ref, value: 'one' }, 0)
      const after = await open()
      same(await after.get(ref), { ...ref, value: 'one', revision: 1 }, 'the record')
      same(await after.put({ ...ref, value: 'two' }, 1), 2, 'the next revision')
      await rejects(before.put({ ...ref, value: 'x' }, 1), 'store_conflict', 'the handle before')
    },
  },
  {
    name: 'values: empty, 1 MiB, every kind of text',
    async run({ open }) {
      const store = await open()
      const values = [
        '',
        'x'.repeat(1024 * 1024),
        '\0\n\r\u2028"\'\\',
        '𐀀é\ufeff',
        '{"a":"$1; --"}',
      ]
      for (const value of values) {
        const ref = refOf()
        await store.put({ ...ref, value }, 0)
        const read = await store.get(ref)
        if (read?.value !== value) throw new Error(`a value of ${value.length} came back changed`)
      }
      const ref = refOf()
      await rejects(store.put({ ...ref, value: '\ud800' }, 0), 'invalid_input', 'half a character')
      const long = 'x'.repeat(6 * 1024 * 1024 + 1)
      await rejects(store.put({ ...ref, value: long }, 0), 'invalid_input', 'a value too long')
      same(await store.get(ref), undefined, 'what was refused')
    },
  },
  {
    name: 'a name that is none is refused before anything is asked',
    async run({ open }) {
      const store = await open()
      const good = refOf()
      const ids = ['', '../x', 'a/b', 'a\0', 'a\n', "a'", 'a{b}', '*', 'ä', 'x'.repeat(129)]
      const bad = [
        ...ids.map((id) => ({ ...good, id })),
        ...ids.map((owner) => ({ ...good, owner })),
        { ...good, kind: '../meta' as 'meta' },
      ]
      for (const ref of bad) {
        const what = JSON.stringify(ref).slice(0, 100)
        await rejects(store.get(ref), 'invalid_input', what)
        await rejects(store.put({ ...ref, value: '' }, 0), 'invalid_input', what)
        await rejects(store.delete(ref), 'invalid_input', what)
      }
      const wrong = [{ limit: 0 }, { limit: 1001 }, { owner: '*' }, { after: '%' }, { kind: 'x' }]
      for (const query of wrong) {
        const asked = { kind: 'consent', ...query } as RecordQuery
        await rejects(store.list(asked), 'invalid_input', JSON.stringify(query))
      }
      for (const expected of [-1, 0.5, Number.NaN]) {
        await rejects(store.put({ ...good, value: '' }, expected), 'invalid_input', `${expected}`)
      }
    },
  },
  {
    name: 'owners whose names were made to be taken for each other stay apart',
    async run({ open }) {
      const store = await open()
      const names = ['a', 'a:b', 'a/b', 'a","user":"b', 'a\0b', '*', 'A', 'ａ', "'; drop table x"]
      const salt = randomName()
      const owners = await Promise.all(
        names.flatMap((name) => [
          ownerKey({ tenant: `${salt}${name}` }),
          ownerKey({ tenant: salt, user: name }),
          ownerKey({ tenant: salt, agent: name }),
        ]),
      )
      for (const owner of owners) {
        await store.put({ kind: 'credential', owner, id: 'same', value: owner }, 0)
      }
      for (const owner of owners) {
        const found = await all(store, { kind: 'credential', owner })
        same(
          found.map(({ value }) => value),
          [owner],
          'the records of one owner',
        )
      }
    },
  },
  {
    name: 'lists are paged: each record once, by kind, owner and due time',
    async run({ open }) {
      const store = await open()
      const salt = randomName()
      const owners = ['a', 'a-b', 'a_b'].map((name) => `${salt}-${name}`)
      for (const owner of owners) {
        for (let i = 0; i < 5; i++) {
          await store.put({ kind: 'consent', owner, id: `c-${i}`, value: `${i}`, due: i }, 0)
        }
        await store.put({ kind: 'consent', owner, id: 'never', value: 'never' }, 0)
        await store.put({ kind: 'meta', owner, id: 'other', value: '' }, 0)
      }
      const mine = ({ owner }: StoreRecord) => owners.includes(owner)
      const found = (await all(store, { kind: 'consent', limit: 4 })).filter(mine)
      same(new Set(found.map(({ owner, id }) => `${owner}/${id}`)).size, 18, 'records seen')
      same(found.length, 18, 'records listed')
      const [owner = ''] = owners
      const own = await all(store, { kind: 'consent', owner, limit: 2 })
      same(own.map(({ id }) => id).sort(), ['c-0', 'c-1', 'c-2', 'c-3', 'c-4', 'never'], 'own')
      const due = await all(store, { kind: 'consent', owner, dueBy: 1, limit: 1 })
      same(due.map(({ id }) => id).sort(), ['c-0', 'c-1'], 'due')
      await store.put({ kind: 'consent', owner, id: 'c-0', value: '', due: 9 }, 1)
      await store.put({ kind: 'consent', owner, id: 'c-1', value: '' }, 1)
      await store.delete({ kind: 'consent', owner, id: 'c-2' })
      const later = await all(store, { kind: 'consent', owner, dueBy: 5 })
      same(later.map(({ id }) => id).sort(), ['c-3', 'c-4'], 'due after changes')
      const everywhere = (await all(store, { kind: 'consent', dueBy: 0, limit: 1 })).filter(mine)
      same(everywhere.length, 2, 'due of all owners')
      same(await store.list({ kind: 'profile', owner }), { records: [], damaged: [] }, 'nothing')
    },
  },
  {
    name: 'many owners at once, each with its own',
    async run({ open, owners = 10_000 }) {
      const store = await open()
      const salt = randomName()
      const ids = Array.from({ length: owners }, (_, i) => `${salt}-${i}`)
      for (let at = 0; at < owners; at += 100) {
        const some = ids.slice(at, at + 100)
        await Promise.all(
          some.map((owner) => store.put({ kind: 'profile', owner, id: 'p', value: owner }, 0)),
        )
      }
      const found = await all(store, { kind: 'profile', limit: 1000 })
      const mine = found.filter(({ owner }) => owner.startsWith(`${salt}-`))
      same(mine.length, owners, 'records listed')
      same(new Set(mine.map(({ value }) => value)).size, owners, 'owners seen')
      for (const owner of [ids[0]!, ids[owners >> 1]!, ids[owners - 1]!]) {
        const own = await all(store, { kind: 'profile', owner })
        same(
          own.map(({ value }) => value),
          [owner],
          'the records of one owner',
        )
      }
      for (let at = 0; at < owners; at += 100) {
        const some = ids.slice(at, at + 100)
        await Promise.all(some.map((owner) => store.delete({ kind: 'profile', owner, id: 'p' })))
      }
    },
  },
  {
    name: 'a record that was read cannot be changed from outside',
    async run({ open }) {
      const store = await open()
      const ref = refOf()
      await store.put({ ...ref, value: 'x' }, 0)
      const read = (await store.get(ref)) as { value: string }
      try {
        read.value = 'changed'
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
      }
      same((await store.get(ref))?.value, 'x', 'the value')
    },
  },
  ...dueCases,
  ...leaseCases,
]

/** A reference of its own for each case. */
function refOf(): RecordRef {
  return { kind: 'credential', owner: randomName(), id: 'cred_1' }
}

/** All pages of a listing. */
async function all(store: Store, query: RecordQuery): Promise<readonly StoreRecord[]> {
  const found: StoreRecord[] = []
  for (let after: string | undefined; ; ) {
    const page = await store.list({ ...query, ...(after === undefined ? {} : { after }) })
    same(page.damaged, [], 'damaged records')
    if (page.records.length > (query.limit ?? 100)) throw new Error('a page is longer than asked')
    found.push(...page.records)
    if (page.next === undefined) return found
    after = page.next
  }
}
