import { type Owner, ownerKey } from './owner.ts'
import { pagesOf } from './vault/pages.ts'
import type { DamagedRecord, RecordKind, Store } from './vault/store.ts'

/** What `admin.erase` did. */
export interface EraseReport {
  /** Records that were deleted. */
  readonly records: number
  /** Those that cannot be read, and are still there. */
  readonly damaged: readonly DamagedRecord[]
}

const kinds: readonly RecordKind[] = [
  'registration',
  'credential',
  'consent',
  'profile',
  'waiter',
  'meta',
]

export async function erase(store: Store, owner: Owner): Promise<EraseReport> {
  const key = await ownerKey(owner)
  const damaged: DamagedRecord[] = []
  let records = 0
  for (const kind of kinds) {
    for await (const page of pagesOf(store, { kind, owner: key })) {
      for (const { id } of page.records) await store.delete({ kind, owner: key, id })
      records += page.records.length
      damaged.push(...page.damaged)
    }
  }
  return { records, damaged }
}
