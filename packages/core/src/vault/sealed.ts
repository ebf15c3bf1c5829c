import { AuthError } from '../errors.ts'
import type { WrappingKey } from './master-key.ts'
import { pagesOf } from './pages.ts'
import { type Keys, keyIdOf, type Opened, seal, unseal } from './seal.ts'
import type { DamagedRecord, DueQuery, RecordPage, RecordQuery, RecordRef, Store } from './store.ts'
import {
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  damagedRecord,
  isConflict,
  isRecordName,
  recordKinds,
} from './store-check.ts'

/** Times that a write is tried again when the row was resealed in between. */
const tries = 8

/** The key of a store; while it is being changed, the new one and those before it. */
export type StoreKey =
  | WrappingKey
  | Promise<WrappingKey>
  | {
      /** Seals what is written. */
      readonly current: WrappingKey | Promise<WrappingKey>
      /** Still open what is there. */
      readonly previous: readonly (WrappingKey | Promise<WrappingKey>)[]
    }

/** What resealing did and what it left. */
export interface ResealReport {
  /** Records that are under the current key now and were not before. */
  readonly resealed: number
  /** Records that still are under a previous key. Only at 0 may the previous keys be dropped. */
  readonly left: number
  /** Records that could not be read, under whichever key; they are as they were. */
  readonly damaged: readonly DamagedRecord[]
}

/** A store whose values are encrypted before they reach what keeps them. */
export interface SealedStore extends Store {
  /**
   * Brings every record under the current key. May be killed at any point and run again, and by two
   * processes at once; whoever reads or writes at the same time notices nothing. Run it when every
   * process has the new key as `current`.
   *
   * Throws `AuthError` `key_unavailable` or `store_failed`; run it again then.
   */
  reseal(): Promise<ResealReport>
}

function isKey(value: unknown): value is WrappingKey {
  const key = value as Partial<WrappingKey> | null | undefined
  return [key?.keyId, key?.wrap, key?.unwrap].every((part) => typeof part === 'function')
}

/** True for what `sealed` takes as a key, as far as can be seen without waiting. */
export function isStoreKey(value: unknown): value is StoreKey {
  if (typeof value !== 'object' || value === null) return false
  if (isKey(value) || value instanceof Promise) return true
  return 'current' in value && 'previous' in value && Array.isArray(value.previous)
}

/** Waits for the keys. Throws `AuthError` `key_invalid`, and what a promised key rejects with. */
export async function keysOf(given: StoreKey): Promise<Keys> {
  const set = isStoreKey(given) && 'current' in given ? given : { current: given, previous: [] }
  const all = await Promise.all([set.current, ...set.previous])
  const byId = new Map<string, WrappingKey>()
  for (const key of all) {
    if (!isKey(key)) throw new AuthError('key_invalid', 'not a master key')
    const id = await key.keyId()
    if (!byId.has(id)) byId.set(id, key)
  }
  return { current: all[0] as WrappingKey, byId }
}

/**
 * Encrypts every value on its way into `store` and decrypts it on its way out, each under a random data key
 * that the master key wraps. A value opens only for the kind, owner, id and revision that it was sealed
 * for. `due`, names and leases stay readable.
 *
 * Reading throws `AuthError` `store_wrong_key` when the value is under another key, `store_version` when it
 * was written by another version, `store_damaged` when it was changed or moved. `put` over a record and
 * `delete` read it first, so that nothing unreadable is overwritten; `list` names such records in
 * `damaged`. Where the key itself cannot be asked, every call throws `key_unavailable`.
 *
 * @example
 * ```ts
 * const store = sealed(redisStore({ client }), MasterKey.parse(text))
 * ```
 */
export function sealed(store: Store, key: StoreKey): SealedStore {
  const keys = keysOf(key)
  const take = store.takeDue?.bind(store)
  // A failing promise is reported by the first call, not as an unhandled rejection before it.
  keys.catch(() => undefined)

  async function look(ref: RecordRef) {
    const all = await keys
    const row = await store.get(ref)
    if (row === undefined) return undefined
    return { row, opened: await unseal(all, ref, row.revision, row.value) }
  }

  /** Does what is done to a row at its revision; again, when only its sealing has changed meanwhile. */
  async function onRow<T>(
    ref: RecordRef,
    expected: number,
    act: (revision: number, opened: Opened) => Promise<T>,
  ): Promise<T> {
    for (let left = tries; ; left--) {
      const found = await look(ref)
      if (found?.opened.generation !== expected) throw conflict(ref)
      try {
        return await act(found.row.revision, found.opened)
      } catch (error) {
        if (!isConflict(error) || left === 0) throw error
      }
    }
  }

  async function write(
    record: Parameters<Store['put']>[0],
    ref: RecordRef,
    revision: number,
    generation: number,
  ): Promise<number> {
    const { current } = await keys
    const value = await seal(current, ref, revision + 1, record.value, generation)
    const written = await store.put({ ...ref, value, due: record.due }, revision)
    if (written === revision + 1) return generation
    throw new AuthError('store_failed', 'the store counts revisions in another way')
  }

  /** True when the record is under the current key now and was not. */
  async function resealOne(ref: RecordRef, currentId: string): Promise<boolean> {
    const all = await keys
    for (let left = tries; left > 0; left--) {
      const row = await store.get(ref)
      if (row === undefined || keyIdOf(ref, row.value) === currentId) return false
      const { value, generation } = await unseal(all, ref, row.revision, row.value)
      try {
        await write({ ...ref, value, due: row.due }, ref, row.revision, generation)
        return true
      } catch (error) {
        if (!isConflict(error)) throw error
      }
    }
    return false
  }

  async function eachPage(work: (page: RecordPage) => Promise<void>): Promise<void> {
    for (const kind of recordKinds) {
      for await (const page of pagesOf(store, { kind })) await work(page)
    }
  }

  /** Opens what can be opened of a page, and names what is not what was asked for. */
  async function openPage(
    query: Pick<RecordQuery, 'kind' | 'owner'>,
    page: RecordPage,
  ): Promise<RecordPage> {
    const all = await keys
    const opened = await Promise.all(
      page.records.map(async (row) => {
        const { kind, owner, id, revision, due } = row
        const ref = { kind, owner, id }
        const asked = kind === query.kind && (query.owner ?? owner) === owner
        if (!asked || !isRecordName(owner) || !isRecordName(id)) {
          return { damaged: { ...ref, code: 'store_damaged' } as const }
        }
        try {
          const { value, generation } = await unseal(all, ref, revision, row.value)
          const record = { ...ref, revision: generation, value }
          return { record: due === undefined ? record : { ...record, due } }
        } catch (error) {
          return { damaged: damagedRecord(ref, error) }
        }
      }),
    )
    return {
      records: opened.flatMap(({ record }) => record ?? []),
      damaged: [...page.damaged, ...opened.flatMap(({ damaged }) => damaged ?? [])],
      ...(page.next === undefined ? {} : { next: page.next }),
    }
  }

  return {
    async get(asked) {
      const ref = checkRef(asked)
      const found = await look(ref)
      if (found === undefined) return undefined
      const { row, opened } = found
      const record = { ...ref, revision: opened.generation, value: opened.value }
      return row.due === undefined ? record : { ...record, due: row.due }
    },

    async put(record, expected) {
      const ref = checkRef(record)
      checkWrite(record, expected)
      if (expected === 0) return write(record, ref, 0, 1)
      return onRow(ref, expected, (revision) => write(record, ref, revision, expected + 1))
    },

    async delete(asked, expected) {
      const ref = checkRef(asked)
      if (expected !== undefined) {
        if ((await look(ref)) === undefined) return
        return onRow(ref, expected, (revision) => store.delete(ref, revision))
      }
      if ((await look(ref)) !== undefined) await store.delete(ref)
    },

    async list(query: RecordQuery): Promise<RecordPage> {
      checkQuery(query)
      return openPage(query, await store.list(query))
    },

    ...(take && {
      takeDue: async (query: DueQuery, ms: number) => openPage(query, await take(query, ms)),
    }),

    lease: (name, ms) => store.lease(name, ms),

    async reseal() {
      const all = await keys
      const currentId = await all.current.keyId()
      let resealed = 0
      await eachPage(async ({ records }) => {
        for (const { kind, owner, id } of records) {
          const ref = { kind, owner, id }
          try {
            if (await resealOne(ref, currentId)) resealed++
          } catch (error) {
            damagedRecord(ref, error)
          }
        }
      })
      // Counted by looking again: a process that still has the old key as its current one shows here.
      let left = 0
      const damaged: DamagedRecord[] = []
      await eachPage(async (page) => {
        damaged.push(...page.damaged)
        for (const { kind, owner, id, revision, value } of page.records) {
          const ref = { kind, owner, id }
          try {
            if (keyIdOf(ref, value) === currentId) continue
            await unseal(all, ref, revision, value)
            left++
          } catch (error) {
            damaged.push(damagedRecord(ref, error))
          }
        }
      })
      return { resealed, left, damaged }
    },
  }
}
