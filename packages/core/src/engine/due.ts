import { pagesOf } from '../vault/pages.ts'
import type { Store, StoreRecord } from '../vault/store.ts'

/** Registrations that a tick takes from a store at a time, and for how long. */
const takenAtOnce = 20
const takenMs = 60_000

/** Registrations that are due: where the store can, those that no other process is at. */
export async function* dueRegistrations(store: Store, now: number): AsyncGenerator<StoreRecord> {
  const query = { kind: 'registration', dueBy: now } as const
  if (store.takeDue === undefined) {
    for await (const { records } of pagesOf(store, query)) yield* records
    return
  }
  for (;;) {
    const { records, damaged } = await store.takeDue({ ...query, limit: takenAtOnce }, takenMs)
    if (records.length + damaged.length === 0) return
    yield* records
  }
}
