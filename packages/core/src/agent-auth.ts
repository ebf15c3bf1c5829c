import { Admin } from './admin.ts'
import { Consents } from './consent/consents.ts'
import { Contacts } from './consent/contacts.ts'
import { ConsentLedger } from './consent/ledger.ts'
import { Rules } from './consent/policy.ts'
import type { Policy } from './consent/policy-data.ts'
import { Profiles } from './discovery/profiles.ts'
import { dueRegistrations } from './engine/due.ts'
import { Engine } from './engine/engine.ts'
import { outcomeOf } from './engine/outcome-of.ts'
import { type Recipe, Recipes } from './engine/recipes.ts'
import { decodeRegistration } from './engine/registration.ts'
import { Waiters, type WatchReport } from './engine/waiters.ts'
import { type Worker, type WorkLimits, Works } from './engine/work.ts'
import { AuthError } from './errors.ts'
import { type AuthEvent, type AuthListener, announcing } from './events.ts'
import type { IdentityAssertion } from './identity/assertion.ts'
import { parse } from './inputs.ts'
import { agentAuth } from './methods/agent-auth/index.ts'
import { guided } from './methods/guided/index.ts'
import { manual } from './methods/manual/index.ts'
import type { Method } from './methods/method.ts'
import { oauthMethods } from './methods/oauth/index.ts'
import type { OAuthOptions } from './methods/oauth/options.ts'
import { open } from './methods/open/index.ts'
import { type AgentInboxOptions, telnyxSignupWith } from './methods/telnyx-signup/index.ts'
import { createGuardedFetch } from './net/guarded-fetch.ts'
import { allowLoopback, type NetLimits, type NetOptions, type Transport } from './net/transport.ts'
import type { KeySource } from './operator-key.ts'
import type { CredentialView } from './outcome.ts'
import { type Owner, parseOwner } from './owner.ts'
import type { OwnerIdentity } from './people/mailbox.ts'
import { Notifier } from './people/notifier.ts'
import { People, type PersonRequest } from './people/people.ts'
import { Session } from './session.ts'
import { type CredentialRef, type ShareOptions, type ShareParts, share, unshare } from './share.ts'
import type { Trace } from './trace.ts'
import type { PaymentHook } from './use/paid.ts'
import { type Credential, Credentials } from './vault/credentials.ts'
import { RecordIndex } from './vault/index-record.ts'
import { type CacheOptions, cacheOptions, OwnerCache } from './vault/owner-cache.ts'
import type { Secret } from './vault/secret.ts'
import type { Store } from './vault/store.ts'
import { watched } from './vault/watched.ts'
import { type WatchOptions, watch } from './watch.ts'

/** Every method that core knows, the preferred first: what needs least of a person. */
export const defaultMethods: readonly Method[] = methodsWith()

function methodsWith(
  oauth?: OAuthOptions,
  inbox?: AgentInboxOptions,
  computes = false,
): readonly Method[] {
  return [
    telnyxSignupWith(inbox, computes),
    agentAuth,
    guided,
    manual,
    ...oauthMethods(oauth),
    open,
  ]
}

/** What an application sets. Only `store` is needed. */
export interface AgentAuthOptions {
  /** Where credentials, registrations and consents live. */
  readonly store: Store
  /** What opens connections; on Node one is supplied that pins each checked address. */
  readonly transport?: Transport
  /**
   * Remembers what owners hold, so that a request with a credential reads no store. What this process
   * changes it sees at once; what another one does, such as a revocation, after at most `maxAgeMs`. Without
   * it each request reads, and a revocation is seen everywhere at once.
   *
   * @example cache: { maxAgeMs: 5000 }
   */
  readonly cache?: CacheOptions
  /** Limits of one request: 1 MiB, 10 s, 5 redirects by default. */
  readonly limits?: Partial<NetLimits>
  /** Loopback may be spoken to, over http as well, where the first URL was loopback. For development. */
  readonly [allowLoopback]?: true
  /** The ways of getting a credential; `defaultMethods` where it is left out. */
  readonly methods?: readonly Method[]
  /** How the application stands with OAuth; for the `defaultMethods` alone, others take it themselves. */
  readonly oauth?: OAuthOptions
  /**
   * Where Telnyx makes inboxes for agents, as no document says. Where nobody gives an address, a signup then
   * makes one, under a consent, and reads its sign-in mail there. For the `defaultMethods` alone.
   *
   * @example agentInbox: { url: 'https://agent-inbox.telnyx.com' }
   */
  readonly agentInbox?: AgentInboxOptions
  /** Ids of methods that are tried first where a service offers them, the best first. */
  readonly prefer?: readonly string[]
  /** What is allowed without a person, and what is denied; without it everything that binds asks. */
  readonly policy?: Policy
  /** The address and the mailbox of an owner, for services that ask for one. */
  readonly identity?: (
    owner: Owner,
  ) => OwnerIdentity | undefined | Promise<OwnerIdentity | undefined>
  /**
   * Vouches for an owner at services that take an identity provider's word: a signed assertion (ID-JAG) for
   * one audience, by the application itself or by `tokenExchange`. Where it is given it comes first: it
   * mostly needs no person but for the consent, which names the provider and whom it speaks of.
   */
  readonly identityAssertion?: IdentityAssertion
  /**
   * A code that a person is to hand over (`read-code`) may be read out in the chat: the model asks for it and
   * gives it to `auth_claim`. The code then stands in the conversation, with the provider of the model
   * and in its logs, and whatever else the model has read may have it asked for. Without this such a code is
   * refused there, and comes by the intake page, the terminal or `auth.people.answer` alone.
   */
  readonly codesThroughModel?: boolean
  /** How much a service may have this process compute before it lets anybody in. */
  readonly work?: WorkLimits
  /** What earlier registrations left, as `session.recipes` gave it, for all owners. */
  readonly recipes?: readonly Recipe[]
  /**
   * The operator's own key for a service, asked for before a person is. Decide by `service` and `audience`:
   * where you have a list of your own keys, this is where it is looked up.
   *
   * @example keys: ({ service }) => (service === 'https://api.vendor.example' ? process.env.VENDOR_KEY : undefined)
   */
  readonly keys?: KeySource
  /**
   * Asked where a service wants to be paid (HTTP 402: x402, L402, `Payment`) for a request of `auth_use`. The
   * application may pay by its own means and return the headers that prove it: they go with that one request
   * once. Nothing is ever spent by this package.
   */
  readonly onPaymentRequired?: PaymentHook
  /** Told once of each thing that a person must decide or do. Answer with `auth.people.answer`. */
  readonly onPersonNeeded?: (request: PersonRequest) => void | Promise<void>
  /**
   * Told of all that happens, each before what follows from it goes on. A listener that fails changes nothing;
   * where there are several, the others are told of it.
   */
  readonly onEvent?: AuthListener | readonly AuthListener[]
  /** Stands around verbs, refreshes and requests, so that what happens inside can be seen to belong to them. */
  readonly trace?: Trace
  /** Epoch milliseconds; `Date.now` where it is left out. */
  readonly clock?: () => number
}

/** What `tick` did. */
export interface TickReport {
  /** Registrations that were due and were moved on. */
  readonly advanced: number
  /** Those that failed to move, with the error's code. */
  readonly failed: readonly { readonly registration: string; readonly code: string }[]
}

/** The whole of it: sessions of owners, the way back for people, time, and the operator's view. */
export class AgentAuth {
  readonly people: People
  /** What an operator may do for any owner. */
  readonly admin: Admin
  readonly #options: AgentAuthOptions
  readonly #now: () => number
  readonly #net: NetOptions
  readonly #consents: Consents
  /** For the operator, whom the agent's policy does not bind. */
  readonly #unbound: Consents
  readonly #contacts: Contacts
  readonly #credentials: Credentials
  readonly #recipes: Recipes
  readonly #waiters: Waiters
  readonly #engine: Engine
  readonly #profiles: Profiles
  readonly #notifier: Notifier
  readonly #emit: (event: AuthEvent) => void

  constructor(options: AgentAuthOptions, transport: Transport, worker?: Worker) {
    const {
      limits,
      methods = methodsWith(options.oauth, options.agentInbox, worker !== undefined),
      clock = Date.now,
    } = options
    const emit = announcing([options.onEvent ?? []].flat())
    this.#emit = emit
    const cache = options.cache && parse(cacheOptions, options.cache)
    const held = new OwnerCache<Credential>(cache, clock, ({ shared }) => shared?.key)
    const ceremony = new OwnerCache<Secret>(cache, clock)
    const store = watched(
      options.store,
      (record) => emit({ type: 'damaged', at: clock(), record }),
      ({ kind, owner }) => {
        if (kind === 'credential') held.drop(owner)
        if (kind === 'registration') ceremony.drop(owner)
      },
    )
    const index = new RecordIndex(store)
    this.#options = { ...options, store }
    this.#now = clock
    this.#net = {
      transport,
      ...(limits === undefined ? {} : { limits }),
      ...(options[allowLoopback] ? { [allowLoopback]: true as const } : {}),
      trace: options.trace,
    }
    const fetch = createGuardedFetch(this.#net)
    const ledger = new ConsentLedger(store, index, clock, emit)
    this.#consents = new Consents(ledger, new Rules(options.policy))
    this.#unbound = new Consents(ledger, new Rules())
    this.#contacts = new Contacts(store)
    this.#credentials = new Credentials(store, held)
    this.#recipes = new Recipes(store, options.recipes)
    this.#profiles = new Profiles({
      store,
      fetch,
      now: clock,
      changed: (owner, service, changes) => {
        emit({ type: 'changed', at: clock(), owner, service, changes })
      },
    })
    this.#waiters = new Waiters(store, clock)
    this.#engine = new Engine({
      store,
      index,
      consents: this.#consents,
      credentials: this.#credentials,
      recipes: this.#recipes,
      methods,
      prefer: options.prefer,
      fetch,
      now: clock,
      works: new Works(worker, options.work),
      ceremony,
      waiters: this.#waiters,
      emit,
      trace: options.trace,
      ...(options.identityAssertion ? { identityAssertion: options.identityAssertion } : {}),
    })
    const variables = async (owner: Owner, id: string) => {
      const { wait } = (await this.#engine.load(owner, id))?.registration ?? {}
      return (wait?.for === 'person' && wait.variables) || []
    }
    const { onPersonNeeded, trace } = options
    this.#notifier = new Notifier(onPersonNeeded, emit, clock, variables, trace)
    this.people = new People({
      store,
      index,
      ledger,
      engine: this.#engine,
      now: clock,
      perform: (...about) => this.#notifier.perform(...about),
    })
    this.admin = new Admin({
      ...this.#sharing,
      session: (owner) => this.#session(owner, this.#unbound),
      order: (...about) => ledger.order(...about),
    })
  }

  /**
   * The session of one owner, under the policy. The owner comes from the application, never from the model.
   *
   * @throws AuthError `owner_invalid`
   * @example const session = auth.as({ tenant: 'acme', user: 'u1' })
   */
  as(owner: Owner): Session {
    return this.#session(parseOwner(owner), this.#consents)
  }

  #session(owner: Owner, consents: Consents): Session {
    return new Session({
      owner,
      engine: this.#engine,
      recipes: this.#recipes,
      waiters: this.#waiters,
      profiles: this.#profiles,
      credentials: this.#credentials,
      consents,
      contacts: this.#contacts,
      net: this.#net,
      now: this.#now,
      codesThroughModel: this.#options.codesThroughModel === true,
      keys: this.#options.keys,
      onPaymentRequired: this.#options.onPaymentRequired,
      identity: async () => (await this.#options.identity?.(owner)) ?? {},
      perform: (...about) => this.#notifier.perform(owner, ...about),
      emit: this.#emit,
    })
  }

  /**
   * Lets another owner do something with an owner's credential: the secret stays where it is, and with it the
   * audience and the end. For the application to call; no tool does. It shows in the other owner's `list`
   * as `shared`; what binds somebody asks by that owner's own policy. A second call takes the place of the first.
   *
   * @throws AuthError `owner_invalid`, `not_found`, `invalid_input`: for another tenant without `acrossTenants`,
   * for one that is itself shared, and for one that is given up
   * @example await auth.share({ owner: kim, handle }, { tenant: 'acme', user: 'lee' }, { verbs: ['use'] })
   */
  share(credential: CredentialRef, owner: Owner, options: ShareOptions): Promise<CredentialView> {
    return share(this.#sharing, credential, owner, options)
  }

  get #sharing(): ShareParts {
    const { store } = this.#options
    return { store, credentials: this.#credentials, now: this.#now, emit: this.#emit }
  }

  /** Takes back what `share` gave; what was not given is no error. */
  unshare(credential: CredentialRef, owner: Owner): Promise<void> {
    return unshare(this.#sharing, credential, owner)
  }

  /**
   * Moves on every registration that is due: mail that came, waits that are over, answers that were
   * lost with their process. Call it from a cron or an interval; several processes may at once.
   *
   * @example setInterval(() => void auth.tick(), 10_000)
   */
  async tick(): Promise<TickReport> {
    const failed: { registration: string; code: string }[] = []
    let advanced = 0
    for await (const { id, value, revision } of dueRegistrations(
      this.#options.store,
      this.#now(),
    )) {
      try {
        const registration = decodeRegistration(value)
        const session = this.as(registration.owner)
        const poke = () => session.poke({ registration, stored: revision })
        await this.#notifier.perform(registration.owner, 'claim', { channel: 'tick' }, poke)
        advanced++
      } catch (error) {
        const code = AuthError.isInstance(error) ? error.code : 'unknown'
        failed.push({ registration: id, code })
      }
    }
    return { advanced, failed }
  }

  /**
   * Moves on what is due, like `tick`, and then has what waited for a registration go on: each thing once, by one of
   * all the processes that watch; where that one dies in between, by another a minute later. Adapters have a
   * `watch` of their own, which knows their framework; this is for what an application pauses itself
   * (`session.waitFor`).
   *
   * @throws AuthError `invalid_input` for the options, and what a look throws where there is no `onError`
   * @example
   * ```ts
   * await auth.watchRegistrations({
   *   queue: 'jobs',
   *   onSettled: async ({ owner, at }) => jobs.goOn(owner, at),
   *   onError: report,
   *   intervalMs: 5000,
   *   signal,
   * })
   * ```
   */
  watchRegistrations(options: WatchOptions): Promise<WatchReport> {
    const statusOf = async (owner: Owner, id: string) => {
      const registration = (await this.#engine.load(owner, id))?.registration
      if (registration === undefined) return undefined
      if (registration.inFlight) return 'pending' as const
      return (await outcomeOf(registration, this.#credentials, this.#now())).status
    }
    return watch(options, async (queue, onSettled) => {
      await this.tick()
      return this.#waiters.look(queue, statusOf, onSettled)
    })
  }
}
