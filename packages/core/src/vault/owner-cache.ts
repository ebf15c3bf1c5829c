import { z } from 'zod'

/** How much of the store is remembered in this process, and for how long. */
export interface CacheOptions {
  /** Milliseconds, 1 to 3,600,000; 5000 where it is left out. What another process changes is seen by then. */
  readonly maxAgeMs?: number | undefined
  /** Credentials of all owners together, at most; 1000 where it is left out. */
  readonly maxCredentials?: number | undefined
}

export const cacheOptions: z.ZodType<Required<CacheOptions>> = z.strictObject({
  maxAgeMs: z.int().min(1).max(3_600_000).default(5000),
  maxCredentials: z.int().min(1).max(1_000_000).default(1000),
})

interface Entry<T> {
  /** When its reading began: from then on the store may say something else. */
  readonly at: number
  readonly read: Promise<readonly T[]>
  /** How many writes there had been by then. */
  readonly writes: number
  size: number
  /** Keys of others whose records it was read from as well. */
  others: ReadonlySet<string>
}

/**
 * What each owner holds of a kind, as it was read a short time ago, so that a request need not read it
 * again. Without limits nothing is remembered. An owner who holds more than all may is read each time.
 */
export class OwnerCache<T> {
  readonly #limits: Required<CacheOptions> | undefined
  readonly #now: () => number
  readonly #otherOf: (item: T) => string | undefined
  /** In the order in which they were read. */
  readonly #entries = new Map<string, Entry<T>>()
  #size = 0
  #writes = 0

  /** `otherOf`: the key of the owner whose record an item is, where that is another one. */
  constructor(
    limits?: Required<CacheOptions>,
    now: () => number = Date.now,
    otherOf: (item: T) => string | undefined = () => undefined,
  ) {
    this.#limits = limits
    this.#now = now
    this.#otherOf = otherOf
  }

  get on(): boolean {
    return this.#limits !== undefined
  }

  /** What the owner of this key holds; whoever comes while it is read gets the same. */
  get(key: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> {
    if (this.#limits === undefined) return read()
    const now = this.#now()
    for (const [one, entry] of this.#entries) {
      if (this.#isFresh(entry.at, now)) break
      this.#remove(one, entry)
    }
    const known = this.#entries.get(key)
    if (known && this.#isFresh(known.at, now)) return known.read
    if (known) this.#remove(key, known)
    const entry: Entry<T> = {
      at: now,
      read: read(),
      writes: this.#writes,
      size: 0,
      others: new Set(),
    }
    this.#entries.set(key, entry)
    entry.read.then(
      (items) => this.#keep(key, entry, items),
      () => this.#remove(key, entry),
    )
    return entry.read
  }

  /** Something of this owner's was written, or is in doubt: it is read anew, by all who hold it. */
  drop(key: string): void {
    this.#writes++
    for (const [one, entry] of this.#entries) {
      if (one === key || entry.others.has(key)) this.#remove(one, entry)
    }
  }

  #remove(key: string, entry: Entry<T>): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    this.#size -= entry.size
  }

  /** An owner without any takes a place as well. */
  #keep(key: string, entry: Entry<T>, items: readonly T[]): void {
    const { maxCredentials = 0 } = this.#limits ?? {}
    if (this.#entries.get(key) !== entry) return
    entry.others = new Set(items.flatMap((item) => this.#otherOf(item) ?? []))
    // Whose records it would hold was not known while it was read: any write may have been to one.
    const overtaken = entry.others.size > 0 && entry.writes !== this.#writes
    if (items.length > maxCredentials || overtaken) {
      this.#remove(key, entry)
      return
    }
    entry.size = Math.max(1, items.length)
    this.#size += entry.size
    for (const [one, other] of this.#entries) {
      if (this.#size <= maxCredentials) return
      if (other !== entry) this.#remove(one, other)
    }
  }

  /** A clock that was set back says nothing about the age. */
  #isFresh(at: number, now: number): boolean {
    const age = now - at
    return age >= 0 && age <= (this.#limits?.maxAgeMs ?? 0)
  }
}
