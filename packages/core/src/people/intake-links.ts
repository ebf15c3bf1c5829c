import { newId, sha256, toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { PersonNeed } from '../outcome.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import { pagesOf } from '../vault/pages.ts'
import type { RecordRef, Store } from '../vault/store.ts'

/** Wrong secrets and wrong answers that a link survives. */
const maxMisses = 10
/** A link that has ended is told apart from one that never was for this long. */
const rememberedMs = 24 * 3_600_000

/** What is kept of a one-time link: never its secret. */
interface LinkRecord {
  /** SHA-256 of the secret, base64url. */
  readonly hash: string
  /** The id of a registration or of a consent. */
  readonly about: string
  readonly kind: PersonNeed['kind'] | 'consent'
  /** Epoch milliseconds. */
  readonly expires: number
  readonly misses: number
  readonly used?: true
}

/** A link whose secret was shown. */
export interface IntakeLink extends LinkRecord {
  readonly id: string
  /** The key of its owner. */
  readonly owner: string
}

interface LinkParts {
  readonly store: Store
  readonly index: RecordIndex
  readonly now: () => number
}

/**
 * One-time links, kept with their owner's records: any process opens them, and what each counted counts
 * for all. The id stands in the address bar; the secret, 256 bits, does not.
 */
export class IntakeLinks {
  readonly #parts: LinkParts

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  async make(
    owner: string,
    wanted: Pick<LinkRecord, 'about' | 'kind' | 'expires'>,
  ): Promise<{ readonly id: string; readonly secret: string }> {
    await this.#sweep(owner)
    const id = newId('ntk')
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
    const record: LinkRecord = { ...wanted, hash: await sha256(secret), misses: 0 }
    const ref = { kind: 'meta', owner, id } as const
    await this.#parts.index.add(id, ref)
    await this.#parts.store.put({ ...ref, value: JSON.stringify(record) }, 0)
    return { id, secret }
  }

  /** The link of this id, if the secret is its own; a wrong one is counted as a miss. */
  async open(id: string, secret: string): Promise<IntakeLink | undefined> {
    const ref = await this.#parts.index.find(id)
    const stored = ref === undefined ? undefined : await this.#parts.store.get(ref)
    if (ref === undefined || stored === undefined) return undefined
    const link = { ...(JSON.parse(stored.value) as LinkRecord), id, owner: ref.owner }
    if (equalTexts(await sha256(secret), link.hash)) return link
    await this.miss(link)
    return undefined
  }

  /** Whether it can still be used. */
  isGood({ used, expires, misses }: LinkRecord): boolean {
    return !used && expires > this.#parts.now() && misses < maxMisses
  }

  /** Counts a wrong secret or a wrong answer; how many are left. */
  async miss(link: IntakeLink): Promise<number> {
    const { misses } = await this.#change(link, (one) => {
      return this.isGood(one) ? { ...one, misses: one.misses + 1 } : one
    })
    return Math.max(0, maxMisses - misses)
  }

  async end(link: IntakeLink): Promise<void> {
    await this.#change(link, (one) => ({ ...one, used: true }))
  }

  async #change(
    { owner, id }: IntakeLink,
    change: (one: LinkRecord) => LinkRecord,
  ): Promise<LinkRecord> {
    const ref: RecordRef = { kind: 'meta', owner, id }
    return compareAndSet(async () => {
      const stored = await this.#parts.store.get(ref)
      if (stored === undefined) throw new AuthError('not_found', 'there is no such link')
      const present = JSON.parse(stored.value) as LinkRecord
      const changed = change(present)
      if (changed === present) return present
      await this.#parts.store.put({ ...ref, value: JSON.stringify(changed) }, stored.revision)
      return changed
    }, 20)
  }

  /** Deletes the owner's links that ended long ago. */
  async #sweep(owner: string): Promise<void> {
    const { store, index, now } = this.#parts
    for await (const { records } of pagesOf(store, { kind: 'meta', owner })) {
      for (const { id, value } of records) {
        if (!id.startsWith('ntk_')) continue
        if ((JSON.parse(value) as LinkRecord).expires + rememberedMs > now()) continue
        await store.delete({ kind: 'meta', owner, id })
        await index.remove(id)
      }
    }
  }
}

/** Whether two texts are the same, in a time that depends on their length alone. */
export function equalTexts(one: string, other: string): boolean {
  let differs = one.length ^ other.length
  for (let at = 0; at < one.length; at++) {
    differs |= one.charCodeAt(at) ^ other.charCodeAt(at % Math.max(1, other.length))
  }
  return differs === 0
}
