import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { GuardedFetch } from '../net/transport.ts'
import { type Owner, ownerKey } from '../owner.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import { isConflict } from '../vault/store-check.ts'
import { changedSince } from './changes.ts'
import type { DiscoverDeps } from './discover.ts'
import { condition, freshForMs, isIncomplete, used } from './freshness.ts'
import { refuseLookAlike, usesService } from './known-services.ts'
import type { ServiceProfile, Tried } from './profile.ts'

/** However often its documents were found unchanged, a profile is made anew after this. */
const mostMs = 24 * 60 * 60_000
const askedAtOnce = 3
/** How long somebody who wants to go on with a registration waits for a second look at its service. */
const lookMs = 5_000

/** What the store keeps. */
interface Kept {
  readonly profile: ServiceProfile
  /** Epoch milliseconds when the documents were last read, found unchanged, or not to be had. */
  readonly checkedAt: number
}

interface ProfileParts {
  readonly store: Store
  readonly fetch: GuardedFetch
  readonly now: () => number
  /** Told when a service names other addresses than when it was last read. */
  readonly changed: (owner: Owner, service: string, changes: readonly string[]) => void
}

/** Profiles of services, kept under the owner who asked for as long as their documents allow. */
export class Profiles {
  readonly #parts: ProfileParts
  readonly #deps: DiscoverDeps

  constructor(parts: ProfileParts) {
    this.#parts = parts
    this.#deps = { fetch: parts.fetch, now: parts.now, notHere: new Map() }
  }

  /** What was found out before, if it is fresh. No network. */
  async known(owner: Owner, asked: string): Promise<ServiceProfile | undefined> {
    const kept = await this.#read(owner, asked)
    return kept && this.#isFresh(kept) ? kept.profile : undefined
  }

  /** What was found out last, fresh or not. No network. */
  async last(owner: Owner, asked: string): Promise<ServiceProfile | undefined> {
    return (await this.#read(owner, asked))?.profile
  }

  /** Whether nobody of the owner's tenant has held a credential of this service yet. */
  async isNew(owner: Owner, asked: string): Promise<boolean> {
    return !(await usesService(this.#parts.store, owner, asked))
  }

  /**
   * What is known and fresh; else the same if its documents have not changed since, or what discovery
   * finds out now. Addresses that have changed stand first among its warnings.
   *
   * @throws AuthError `look_alike`, and what `discover` throws
   */
  async of(owner: Owner, asked: string, signal?: AbortSignal): Promise<ServiceProfile> {
    await refuseLookAlike(this.#parts.store, owner, asked)
    const kept = await this.#read(owner, asked)
    if (kept && this.#isFresh(kept)) return kept.profile
    if (kept && (await this.#isUnchanged(kept.profile, signal))) {
      return this.#keep(owner, asked, kept.profile)
    }
    // It reads Markdown, which takes a parser: loaded where a service is met for the first time.
    const { discover } = await import('./discover.ts')
    const found = await discover(asked, { ...this.#deps, ...(signal && { signal }) })
    const changes = kept ? changedSince(kept.profile, found) : []
    if (changes.length === 0) return this.#keep(owner, asked, found)
    this.#parts.changed(owner, found.service, changes)
    const said = changes.map((change) => `Since it was last read: ${change}.`)
    return this.#keep(owner, asked, { ...found, warnings: [...said, ...found.warnings] })
  }

  /**
   * What the service of a running registration says by now. Where that cannot be found out, what was
   * known before stands for another while: a registration must not fail for it.
   */
  async latest(owner: Owner, asked: string): Promise<ServiceProfile | undefined> {
    try {
      return await this.of(owner, asked, AbortSignal.timeout(lookMs))
    } catch (error) {
      if (!AuthError.isInstance(error) || error.code.startsWith('store_')) throw error
      const kept = await this.#read(owner, asked)
      return kept && this.#keep(owner, asked, kept.profile)
    }
  }

  #isFresh({ profile, checkedAt }: Kept): boolean {
    return checkedAt + freshForMs(profile.tried) > this.#parts.now()
  }

  /** Asks for each document that the profile rests on, if it has changed. */
  async #isUnchanged({ tried, asked, at }: ServiceProfile, signal?: AbortSignal): Promise<boolean> {
    const documents = used(tried)
    if (documents.length === 0 || isIncomplete(tried) || at + mostMs <= this.#parts.now())
      return false
    if (documents.some((one) => condition(one) === undefined)) return false
    for (let from = 0; from < documents.length; from += askedAtOnce) {
      const some = documents.slice(from, from + askedAtOnce)
      const same = await Promise.all(some.map((one) => this.#isSame(one, asked, signal)))
      if (same.includes(false)) return false
    }
    return true
  }

  async #isSame(document: Tried, start: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const answer = await this.#parts.fetch({
        url: document.url,
        start,
        redirects: 'checked',
        headers: { accept: document.mediaType ?? '*/*', ...condition(document) },
        ...(signal && { signal }),
      })
      return answer.status === 304
    } catch (error) {
      if (AuthError.isInstance(error)) return false
      throw error
    }
  }

  async #read(owner: Owner, asked: string): Promise<Kept | undefined> {
    const record = await this.#parts.store.get(await refOf(owner, asked))
    return record === undefined ? undefined : (JSON.parse(record.value) as Kept)
  }

  async #keep(owner: Owner, asked: string, profile: ServiceProfile): Promise<ServiceProfile> {
    const { store, now } = this.#parts
    const ref = await refOf(owner, asked)
    const before = await store.get(ref)
    const kept: Kept = { profile, checkedAt: now() }
    try {
      await store.put({ ...ref, value: JSON.stringify(kept) }, before?.revision ?? 0)
    } catch (error) {
      // Another process found it out at the same time: either profile will do.
      if (!isConflict(error)) throw error
    }
    return profile
  }
}

async function refOf(owner: Owner, asked: string): Promise<RecordRef> {
  return { kind: 'profile', owner: await ownerKey(owner), id: await sha256(asked) }
}
