import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { GuardedFetch } from '../net/transport.ts'
import { type Owner, ownerKey } from '../owner.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import { type DiscoverDeps, discover } from './discover.ts'
import { refuseLookAlike, usesService } from './known-services.ts'
import type { ServiceProfile } from './profile.ts'

const freshMs = 10 * 60_000

/** Profiles of services, kept for ten minutes under the owner who asked. */
export class Profiles {
  readonly #store: Store
  readonly #parts: DiscoverDeps

  constructor(store: Store, fetch: GuardedFetch, now: () => number) {
    this.#store = store
    this.#parts = { fetch, now, notHere: new Map() }
  }

  /** What was found out before, if it is fresh. No network. */
  async known(owner: Owner, asked: string): Promise<ServiceProfile | undefined> {
    const record = await this.#store.get(await refOf(owner, asked))
    if (record === undefined) return undefined
    const profile = JSON.parse(record.value) as ServiceProfile
    return profile.at + freshMs > this.#parts.now() ? profile : undefined
  }

  /** Whether nobody of the owner's tenant has held a credential of this service yet. */
  async isNew(owner: Owner, asked: string): Promise<boolean> {
    return !(await usesService(this.#store, owner, asked))
  }

  /**
   * What is known, or else what discovery finds out now.
   *
   * @throws AuthError `look_alike`, and what `discover` throws
   */
  async of(owner: Owner, asked: string): Promise<ServiceProfile> {
    await refuseLookAlike(this.#store, owner, asked)
    const known = await this.known(owner, asked)
    if (known) return known
    const profile = await discover(asked, this.#parts)
    const ref = await refOf(owner, asked)
    const before = await this.#store.get(ref)
    try {
      await this.#store.put({ ...ref, value: JSON.stringify(profile) }, before?.revision ?? 0)
    } catch (error) {
      // Another process found it out at the same time: either profile will do.
      if (!AuthError.isInstance(error) || error.code !== 'store_conflict') throw error
    }
    return profile
  }
}

async function refOf(owner: Owner, asked: string): Promise<RecordRef> {
  return { kind: 'profile', owner: await ownerKey(owner), id: await sha256(asked) }
}
