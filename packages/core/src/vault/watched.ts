import type { DamagedRecord, DueQuery, RecordPage, RecordRef, Store } from './store.ts'

const remembered = 1000

/**
 * The store, with `tell` told once of each record that a listing finds damaged, and `written` of each
 * record that is not what it was, or may not be: a write that failed may have been made.
 */
export function watched(
  store: Store,
  tell: (record: DamagedRecord) => void,
  written: (ref: RecordRef) => void,
): Store {
  const take = store.takeDue?.bind(store)
  const told = new Set<string>()
  const looked = (page: RecordPage) => {
    for (const record of page.damaged) {
      const name = `${record.kind}/${record.owner}/${record.id} ${record.code}`
      if (told.has(name)) continue
      const [oldest] = told
      if (told.size === remembered && oldest !== undefined) told.delete(oldest)
      told.add(name)
      tell(record)
    }
    return page
  }
  return {
    get: (ref) => store.get(ref),
    put: (record, expected) => store.put(record, expected).finally(() => written(record)),
    delete: (ref, expected) => store.delete(ref, expected).finally(() => written(ref)),
    lease: (name, ms) => store.lease(name, ms),
    list: async (query) => looked(await store.list(query)),
    ...(take && { takeDue: async (query: DueQuery, ms: number) => looked(await take(query, ms)) }),
  }
}
