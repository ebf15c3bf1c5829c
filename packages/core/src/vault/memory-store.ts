import type { Lease, RecordPage, RecordQuery, RecordRef, Store, StoreRecord } from './store.ts'
import {
  checkLease,
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  maxSealedBytes,
} from './store-check.ts'

/**
 * A store in this process's memory: for tests and for agents that need nothing tomorrow. It forgets
 * everything when the process ends and is not shared with other processes; values are not encrypted.
 *
 * @param options.clock Epoch milliseconds, for leases; `Date.now` by default.
 * @example
 * ```ts
 * const auth = createAgentAuth({ store: memoryStore() })
 * ```
 */
export function memoryStore(options: { clock?: () => number } = {}): Store {
  const clock = options.clock ?? Date.now
  const records = new Map<string, StoreRecord>()
  const leases = new Map<string, { token: number; expires: number }>()

  const keyOf = (ref: RecordRef): string => `${ref.kind}/${ref.owner}/${ref.id}`

  return {
    async get(ref: RecordRef): Promise<StoreRecord | undefined> {
      return records.get(keyOf(checkRef(ref)))
    },

    async put(record, expected): Promise<number> {
      const ref = checkRef(record)
      checkWrite(record, expected, maxSealedBytes)
      const key = keyOf(ref)
      if ((records.get(key)?.revision ?? 0) !== expected) throw conflict(ref)
      const { value, due } = record
      const revision = expected + 1
      const kept =
        due === undefined ? { ...ref, revision, value } : { ...ref, revision, value, due }
      records.set(key, Object.freeze(kept))
      return revision
    },

    async delete(ref, expected): Promise<void> {
      const key = keyOf(checkRef(ref))
      const present = records.get(key)
      if (present === undefined) return
      if (expected !== undefined && present.revision !== expected) throw conflict(ref)
      records.delete(key)
    },

    async list(query: RecordQuery): Promise<RecordPage> {
      const limit = checkQuery(query)
      const { kind, owner, dueBy, after } = query
      const prefix = owner === undefined ? `${kind}/` : `${kind}/${owner}/`
      const keys = [...records.keys()]
        .filter((key) => key.startsWith(prefix))
        .filter((key) => after === undefined || key > `${kind}/${after}`)
        .filter((key) => dueBy === undefined || (records.get(key)?.due ?? Infinity) <= dueBy)
        .sort()
      const page = keys.slice(0, limit).map((key) => records.get(key)!)
      const last = page.at(-1)
      if (last === undefined || keys.length <= limit) return { records: page, damaged: [] }
      return { records: page, damaged: [], next: `${last.owner}/${last.id}` }
    },

    async lease(name: string, ms: number): Promise<Lease | undefined> {
      checkLease(name, ms)
      const now = clock()
      const held = leases.get(name)
      if (held !== undefined && held.expires > now) return undefined
      const mine = { token: (held?.token ?? 0) + 1, expires: now + ms }
      leases.set(name, mine)
      return {
        token: mine.token,
        expires: mine.expires,
        async release() {
          // The entry stays, so that the next holder's token is greater.
          if (leases.get(name) === mine) leases.set(name, { token: mine.token, expires: 0 })
        },
      }
    },
  }
}
