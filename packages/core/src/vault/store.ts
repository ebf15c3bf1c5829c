/** What a record is about; a store may keep each kind in a place of its own. */
export type RecordKind =
  | 'registration'
  | 'credential'
  | 'consent'
  | 'profile'
  | 'lease'
  | 'waiter'
  | 'meta'

/** Names one record. `owner` is an opaque key (see `ownerKey`), `id` matches `[A-Za-z0-9_-]{1,128}`. */
export interface RecordRef {
  readonly kind: RecordKind
  readonly owner: string
  readonly id: string
}

/**
 * A record as a store keeps it. `revision` starts at 1 and grows by 1 with every write; after a delete
 * the next record of that name starts at 1 again.
 */
export interface StoreRecord extends RecordRef {
  readonly revision: number
  /**
   * What is kept: text, at most 4 MiB of UTF-8. Sealed by `sealed()` before it reaches a disk or a
   * server, which therefore has to take 6 MiB.
   */
  readonly value: string
  /** Epoch milliseconds at which `tick()` should look at the record. */
  readonly due?: number
}

/** Which records to list; what is absent does not narrow. */
export interface RecordQuery {
  readonly kind: RecordKind
  readonly owner?: string
  /** Only records with `due` at or before this time (epoch milliseconds). */
  readonly dueBy?: number
  /** Continue after this cursor, as `next` of the page before gave it. */
  readonly after?: string
  /** At most this many records a page; 100 by default. */
  readonly limit?: number
}

/** Which due records to take. */
export interface DueQuery {
  readonly kind: RecordKind
  /** Epoch milliseconds. */
  readonly dueBy: number
  /** At most this many; 100 by default. */
  readonly limit?: number
}

/** A record that cannot be read, and why: changed or moved, under another key, or of another version. */
export interface DamagedRecord extends RecordRef {
  readonly code: 'store_damaged' | 'store_wrong_key' | 'store_version'
}

/** One page of a listing. A record that cannot be read is named in `damaged` and left where it is. */
export interface RecordPage {
  readonly records: readonly StoreRecord[]
  readonly damaged: readonly DamagedRecord[]
  readonly next?: string
}

/** The right to act alone on a name, until `expires` (epoch milliseconds). */
export interface Lease {
  /** Grows with every holder of the same name, so that a late writer can be told (fencing). */
  readonly token: number
  readonly expires: number
  /** Gives it back early; harmless when it is no longer ours. */
  release(): Promise<void>
}

/**
 * Where records live. Four promises: `put` is atomic and compares the revision; a record that was
 * acknowledged survives the process (but for `memoryStore`); what cannot be read is an
 * `AuthError` (`store_damaged`, `store_wrong_key`, `store_version`), never "absent"; and no call overwrites what it could not read.
 */
export interface Store {
  get(ref: RecordRef): Promise<StoreRecord | undefined>
  /**
   * Writes a record whose present revision is `expected` (0: it must not exist) and returns the new
   * revision. Throws `AuthError` `store_conflict` when another writer was first.
   */
  put(
    record: RecordRef & { value: string; due?: number | undefined },
    expected: number,
  ): Promise<number>
  /** Removes a record; with `expected`, only that revision. Absent is no error. */
  delete(ref: RecordRef, expected?: number): Promise<void>
  list(query: RecordQuery): Promise<RecordPage>
  /**
   * Takes records that are due, the longest due first, so that no other call gets them for `ms` milliseconds
   * or until they are written. For stores that many processes work on; without it those list what is due
   * and leave the rest to leases.
   */
  takeDue?(query: DueQuery, ms: number): Promise<Omit<RecordPage, 'next'>>
  /** A lease on `name` for `ms` milliseconds, or undefined while somebody else holds it. */
  lease(name: string, ms: number): Promise<Lease | undefined>
}
