import type { Store } from '../vault/store.ts'
import { rejects, same } from './expect.ts'
import { randomName, type StoreCase } from './store-case.ts'

const hourMs = 3_600_000
const shortMs = 100

/** What `takeDue` promises where a store has it. The due times are of 1970, before those of all else. */
export const dueCases: readonly StoreCase[] = [
  {
    name: 'of takers at once each due record goes to one',
    async run({ open }) {
      const stores = [await open(), await open()]
      if (stores[0]?.takeDue === undefined) return
      const owner = await written(stores[0], [3, 1, 2, 4, 5, 6])
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, i) => ids(stores[i % 2]!, owner, { dueBy: 5, limit: 2 })),
      )
      same(taken.flat().sort(), ['d-1', 'd-2', 'd-3', 'd-4', 'd-5'], 'records taken, each once')
      same(await ids(stores[1]!, owner, { dueBy: 5 }), [], 'records left')
      same(await ids(stores[1]!, owner, { dueBy: 6 }), ['d-6'], 'what is due later')
      await gone(stores[0], owner, 6)
    },
  },
  {
    name: 'what was taken comes again when its time is over, or when it was written and is due',
    async run({ open }) {
      const [one, other] = [await open(), await open()]
      if (one.takeDue === undefined) return
      const owner = await written(one, [1, 2])
      same(await ids(one, owner, { dueBy: 2 }, shortMs), ['d-1', 'd-2'], 'taken')
      const ref = { kind: 'profile', owner, id: 'd-1' } as const
      same(await other.put({ ...ref, value: 'written', due: 3 }, 1), 2, 'the revision')
      const seen: string[] = []
      while (seen.length < 2) seen.push(...(await ids(other, owner, { dueBy: 3 }, hourMs)))
      same(seen.sort(), ['d-1', 'd-2'], 'taken again')
      await other.put({ ...ref, value: 'done' }, 2)
      same(await ids(one, owner, { dueBy: 9 }), [], 'a record that is not due any more')
      await gone(one, owner, 2)
    },
  },
  {
    name: 'taking is asked for properly',
    async run({ open }) {
      const store = await open()
      if (store.takeDue === undefined) return
      const ask = (limit: number, ms: number) =>
        store.takeDue!({ kind: 'profile', dueBy: 1, limit }, ms)
      await rejects(ask(0, 1), 'invalid_input', 'a limit of 0')
      await rejects(ask(1, 0), 'invalid_input', 'no time')
    },
  },
]

/** Writes records that are due at these times, `d-<time>`. */
async function written(store: Store, times: readonly number[]): Promise<string> {
  const owner = randomName()
  for (const due of times) {
    await store.put({ kind: 'profile', owner, id: `d-${due}`, value: `${due}`, due }, 0)
  }
  return owner
}

async function gone(store: Store, owner: string, last: number): Promise<void> {
  for (let due = 1; due <= last; due++) {
    await store.delete({ kind: 'profile', owner, id: `d-${due}` })
  }
}

async function ids(
  store: Store,
  owner: string,
  query: { readonly dueBy: number; readonly limit?: number },
  ms: number = hourMs,
): Promise<readonly string[]> {
  const page = await store.takeDue?.({ kind: 'profile', ...query }, ms)
  return (page?.records ?? []).filter((one) => one.owner === owner).map(({ id }) => id)
}
