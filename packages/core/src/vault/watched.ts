import type { DamagedRecord, DueQuery, RecordPage, Store } from './store.ts'

const remembered = 1000

/** The store, with `tell` told once of each record that a listing finds damaged. */
export function watched(store: Store, tell: (record: DamagedRecord) => void): Store {
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
    put: (record, expected) => store.put(record, expected),
    delete: (ref, expected) => store.delete(ref, expected),
    lease: (name, ms) => store.lease(name, ms),
    list: async (query) => looked(await store.list(query)),
    ...(take && { takeDue: async (query: DueQuery, ms: number) => looked(await take(query, ms)) }),
  }
}
