import type { RecordRef, Store } from './store.ts'
import { isConflict } from './store-check.ts'

/** Finds a record by its public id alone, for calls that do not know the owner. */
export class RecordIndex {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async add(id: string, ref: RecordRef): Promise<void> {
    try {
      await this.#store.put({ ...at(id), value: JSON.stringify(ref) }, 0)
    } catch (error) {
      // The same id points at the same record: a second writer wrote the same.
      if (!isConflict(error)) throw error
    }
  }

  /** Points an id at a record, wherever it pointed before. */
  async set(id: string, ref: RecordRef): Promise<void> {
    const record = await this.#store.get(at(id))
    const value = JSON.stringify(ref)
    if (record?.value === value) return
    await this.#store.put({ ...at(id), value }, record?.revision ?? 0)
  }

  async remove(id: string): Promise<void> {
    await this.#store.delete(at(id))
  }

  async find(id: string): Promise<RecordRef | undefined> {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) return undefined
    const record = await this.#store.get(at(id))
    return record === undefined ? undefined : (JSON.parse(record.value) as RecordRef)
  }
}

function at(id: string): RecordRef {
  return { kind: 'meta', owner: 'index', id }
}
