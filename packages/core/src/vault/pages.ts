import type { RecordPage, RecordQuery, Store } from './store.ts'

/** A listing to its end, page by page. */
export async function* pagesOf(store: Store, query: RecordQuery): AsyncGenerator<RecordPage> {
  for (let after: string | undefined; ; ) {
    const page = await store.list({ ...query, ...(after === undefined ? {} : { after }) })
    yield page
    if (page.next === undefined) return
    after = page.next
  }
}
