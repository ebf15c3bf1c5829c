import type { Action, Verb } from '../consent/action.ts'
import type { Consents } from '../consent/consents.ts'
import type { Call } from '../consent/ledger.ts'
import type { ServiceProfile } from '../discovery/profile.ts'
import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { AuthEvent } from '../events.ts'
import { Assertions, type IdentityAssertion } from '../identity/assertion.ts'
import type { Identity, Method, Offer } from '../methods/method.ts'
import type { GuardedFetch } from '../net/transport.ts'
import type { Orphan, Outcome } from '../outcome.ts'
import { type Owner, ownerKey } from '../owner.ts'
import type { Trace } from '../trace.ts'
import type { Credential, Credentials } from '../vault/credentials.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import { Leases } from '../vault/leases.ts'
import type { OwnerCache } from '../vault/owner-cache.ts'
import { pagesOf } from '../vault/pages.ts'
import type { Secret } from '../vault/secret.ts'
import type { Store } from '../vault/store.ts'
import { putSurely } from '../vault/surely.ts'
import { busy, forbidden, outcomeOf } from './outcome-of.ts'
import { type Ranked, rank } from './ranking.ts'
import type { Recipes } from './recipes.ts'
import { type Refreshed, Refresher } from './refresh.ts'
import {
  decodeRegistration,
  dueOf,
  encodeRegistration,
  isAtRest,
  type Loaded,
  type Registration,
} from './registration.ts'
import { Run } from './run.ts'
import { accepts, actionFor, type Push, step } from './step.ts'
import type { Waiters } from './waiters.ts'
import type { Works } from './work.ts'

const leaseMs = 60_000

/** What the engine needs of the rest. */
export interface EngineParts {
  readonly store: Store
  readonly index: RecordIndex
  readonly consents: Consents
  readonly credentials: Credentials
  readonly recipes: Recipes
  readonly methods: readonly Method[]
  /** The operator's order of methods. */
  readonly prefer?: readonly string[] | undefined
  readonly fetch: GuardedFetch
  readonly now: () => number
  readonly identityAssertion?: IdentityAssertion
  readonly works: Works
  readonly ceremony: OwnerCache<Secret>
  readonly waiters: Waiters
  readonly emit: (event: AuthEvent) => void
  readonly trace?: Trace | undefined
}

/**
 * Keeps registrations and runs their methods. The only writer of registrations and the only sender of
 * their requests: each step is written down before it is sent and again when it is answered, and
 * what binds somebody is sent only under a consent to exactly that.
 */
export class Engine {
  readonly #parts: EngineParts
  readonly #leases: Leases
  readonly #refresher: Refresher

  constructor(parts: EngineParts) {
    this.#parts = parts
    const leases = new Leases(parts.store)
    this.#leases = leases
    this.#refresher = new Refresher({ ...parts, leases, method: (id) => this.method(id) })
  }

  /** What the methods could do at a service, the best first. */
  offers(profile: ServiceProfile): readonly Offer[] {
    return this.ranked(profile).offers
  }

  /** The same, with why the first is first. */
  ranked(profile: ServiceProfile): Ranked {
    const { methods, prefer, consents } = this.#parts
    const offers = methods.flatMap((method) => method.offers(profile))
    const denied = ({ service, method }: Offer) =>
      consents.rules.denies({ verb: 'register', service, method }) !== undefined
    // What takes nothing but an identity is no way in for an application that has none to give.
    const closed = ({ needs }: Offer) => !this.asserts && needs.join() === 'identity'
    return rank(offers, profile, { prefer, denied, closed })
  }

  /** Whether the application can be asked for an assertion of who an owner is. */
  get asserts(): boolean {
    return this.#parts.identityAssertion !== undefined
  }

  /**
   * A new registration, in memory until its first step is written. Its id follows from the owner, the
   * service and how many came before it: of two processes that begin at once, one writes and the
   * other conflicts.
   */
  async draft(
    owner: Owner,
    start: string,
    offer: Offer,
    identity: Identity,
    earlier: number,
  ): Promise<Registration> {
    const { service, method } = offer
    const name = JSON.stringify([await ownerKey(owner), service, method, earlier])
    const recipe = await this.#parts.recipes.find(owner, service, method)
    return {
      id: `reg_${(await sha256(name)).slice(0, 22)}`,
      owner,
      start,
      offer,
      identity,
      ...(recipe === undefined ? {} : { recipe }),
      revision: 0,
      state: null,
      status: 'running',
      journal: [],
      consents: [],
      secrets: {},
      orphans: [],
      createdAt: this.#parts.now(),
    }
  }

  async load(owner: Owner, id: string): Promise<Loaded | undefined> {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) return undefined
    const ref = { kind: 'registration', owner: await ownerKey(owner), id } as const
    const record = await this.#parts.store.get(ref)
    if (record === undefined) return undefined
    return { registration: decodeRegistration(record.value), stored: record.revision }
  }

  /** All of an owner's, the newest first. */
  async list(owner: Owner): Promise<readonly Registration[]> {
    const key = await ownerKey(owner)
    const found: Registration[] = []
    for await (const page of pagesOf(this.#parts.store, { kind: 'registration', owner: key })) {
      for (const record of page.records) found.push(decodeRegistration(record.value))
    }
    return found.sort((a, b) => b.createdAt - a.createdAt)
  }

  /** What registrations of an owner hold. */
  async ceremonySecrets(owner: Owner): Promise<readonly Secret[]> {
    const registrations = await this.list(owner)
    return registrations.flatMap(({ secrets }) => Object.values(secrets))
  }

  /** The same for a request, as old as the cache allows. */
  async ceremonySecretsForUse(owner: Owner): Promise<readonly Secret[]> {
    return this.#parts.ceremony.get(await ownerKey(owner), () => this.ceremonySecrets(owner))
  }

  /** What pushing it would do that binds somebody; undefined where nothing. No network, no write. */
  async preview(registration: Registration, push: Push, verb: Verb): Promise<Action | undefined> {
    if (registration.inFlight || !accepts(registration, push)) return undefined
    const method = this.method(registration.offer.method)
    const { next } = await step(method, registration, push, this.#parts.now())
    const binds = 'send' in next ? next.send.flatMap((plan) => plan.binds ?? []) : []
    return binds.length === 0 ? undefined : actionFor(registration, verb, binds)
  }

  /** Moves a registration on until it waits or ends, alone under a lease. */
  async run(loaded: Loaded, push: Push, verb: Verb, call: Call): Promise<Outcome> {
    const { id, offer } = loaded.registration
    const about = { verb: 'register', service: offer.service, method: offer.method } as const
    const denied = this.#parts.consents.rules.denies(about)
    if (denied) return forbidden(denied, { ...about, registration: id })
    return this.#alone(loaded, async (fresh) => {
      const { registration } = fresh
      const changed = fresh.stored !== loaded.stored
      // Somebody else was faster: what was said was said to another state.
      if (changed && !registration.inFlight) return this.#outcome(registration)
      const method = this.method(registration.offer.method)
      const write = this.write.bind(this)
      if (await this.#isGivenUp(registration)) return this.#cancelled(fresh)
      const from = await this.#forClaim(changed ? fresh : loaded)
      const { owner, offer } = registration
      const assertions = new Assertions(this.#parts.identityAssertion, {
        owner,
        service: offer.service,
      })
      const run = new Run({ ...this.#parts, method, write, verb, call, assertions }, from)
      return run.go(changed ? { type: 'tick' } : push)
    })
  }

  /** With the secrets of a claim, which until it begins lie with the credential. */
  async #forClaim({ registration, stored }: Loaded): Promise<Loaded> {
    const { status, credential: handle, owner } = registration
    if (status !== 'ready' || handle === undefined) return { registration, stored }
    const { claim } = await this.#parts.credentials.get(owner, handle)
    return { registration: { ...registration, secrets: claim?.secrets ?? {} }, stored }
  }

  /**
   * Ends a registration that is not wanted any more; one that has ended stays as it is. What it may
   * have left at the service stays listed.
   */
  cancel(loaded: Loaded): Promise<Outcome> {
    this.#parts.works.cancel(loaded.registration.id)
    return this.#alone(loaded, (fresh) => this.#cancelled(fresh))
  }

  async #cancelled({ registration, stored }: Loaded): Promise<Outcome> {
    const { wait, inFlight, ...rest } = registration
    if (!inFlight && !wait) return this.#outcome(registration)
    // What it gave before a person was to claim it stays.
    const ends = rest.credential === undefined || (await this.#isGivenUp(registration))
    const orphans = [...rest.orphans, ...(await this.#leftInFlight(registration))]
    const cancelled = {
      ...rest,
      status: ends ? 'cancelled' : 'ready',
      secrets: {},
      orphans,
    } as const
    await this.write(cancelled, stored, false)
    return this.#outcome(cancelled)
  }

  /** Whether what a person is to claim was revoked or forgotten meanwhile. */
  async #isGivenUp({ owner, credential, status }: Registration): Promise<boolean> {
    if (credential === undefined || status === 'ready') return false
    return (await this.#parts.credentials.get(owner, credential)).secret === undefined
  }

  /** What the requests that were never answered may have made, as their method would say it. */
  async #leftInFlight(registration: Registration): Promise<readonly Orphan[]> {
    const { inFlight, offer } = registration
    const lost = inFlight?.plans.find((plan) => plan.ifLost !== 'repeat')
    if (lost === undefined || inFlight?.unsent) return []
    const event = { type: 'lost', name: lost.name } as const
    const method = this.method(offer.method)
    const { orphan } = await step(method, registration, event, this.#parts.now())
    return orphan ? [orphan] : []
  }

  /** Works under the registration's lease, with what is stored by then. */
  async #alone(loaded: Loaded, work: (fresh: Loaded) => Promise<Outcome>): Promise<Outcome> {
    const { registration } = loaded
    const name = `registration-${registration.id}`
    const lease = await this.#leases.take(name, leaseMs)
    if (lease === undefined) return busy(registration, this.#parts.now())
    try {
      return await work((await this.load(registration.owner, registration.id)) ?? loaded)
    } finally {
      await this.#leases.giveBack(name, lease)
    }
  }

  #outcome(registration: Registration): Promise<Outcome> {
    return outcomeOf(registration, this.#parts.credentials, this.#parts.now())
  }

  /** Another secret in the place of the one that a credential holds. */
  refresh(stale: Credential): Promise<Refreshed> {
    return this.#refresher.refresh(stale)
  }

  method(id: string): Method {
    const method = this.#parts.methods.find((one) => one.id === id)
    if (method === undefined) throw new AuthError('method_failed', `there is no method ${id}`)
    return method
  }

  /** `sure`: it holds what the service has just given, which no failure of the store may lose. */
  async write(registration: Registration, expected: number, sure: boolean): Promise<number> {
    const { id, owner } = registration
    const ref = { kind: 'registration', owner: await ownerKey(owner), id } as const
    if (expected === 0) await this.#parts.index.add(id, ref)
    const due = dueOf(registration, this.#parts.now())
    const { store, waiters } = this.#parts
    const record = { ...ref, value: encodeRegistration(registration), due }
    const revision = await (sure ? putSurely(store, record, expected) : store.put(record, expected))
    if (isAtRest(registration)) await waiters.wake(owner, id)
    return revision
  }
}
