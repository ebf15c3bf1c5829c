import { askedHere, claimPush, moveOn } from './claim.ts'
import type { Action, Verb } from './consent/action.ts'
import { stoppedBefore } from './consent/contacts.ts'
import type { Call, Consent, Decision, Standing } from './consent/ledger.ts'
import type { Explanation } from './consent/policy.ts'
import { allHeld, waysIn } from './discover.ts'
import type { ServiceProfile } from './discovery/profile.ts'
import { readyOutcome } from './engine/outcome-of.ts'
import type { Recipe } from './engine/recipes.ts'
import type { Loaded } from './engine/registration.ts'
import type { Push } from './engine/step.ts'
import type { Waiter } from './engine/waiters.ts'
import { AuthError } from './errors.ts'
import { importCredential } from './import.ts'
import * as inputs from './inputs.ts'
import { type Intended, intended } from './intended.ts'
import type { McpAccess } from './mcp/access.ts'
import type { Mounted, MountOptions } from './mcp/mount.ts'
import { withOperatorKey } from './operator-key.ts'
import type { CredentialView, Outcome } from './outcome.ts'
import { type Owner, sameOwner } from './owner.ts'
import { loadOwn, registerTarget, withChanges } from './register.ts'
import type { SessionParts, WithRedactor } from './session-parts.ts'
import { traced } from './trace.ts'
import { authorisedFetch, chooseCredential } from './use/authorised-fetch.ts'
import { redactedIn } from './use/redacted-in.ts'
import type { Redactor } from './use/redactor.ts'
import { reaches } from './use/request.ts'
import { forget, mayNotEnd, revokeCredential, verified } from './use/revoke.ts'
import { unusable, useCredential } from './use/use.ts'
import { viewCredential, viewWithSharer } from './vault/credential-view.ts'
import type { Credential } from './vault/credentials.ts'
import { waitFor } from './watch.ts'

const inCode: Call = { channel: 'code' }

/**
 * What one owner can do. Each verb takes plain input and returns an {@link Outcome}; `call` is what an
 * adapter knows of its framework's call, and is left out in code.
 */
export class Session {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  get owner(): Owner {
    return this.#parts.owner
  }

  /** How a service lets agents in, and what is held there; without a service, all that is held and waits. */
  discover(input: inputs.DiscoverInput = {}, call: Call = inCode): Promise<Outcome> {
    return this.#perform('discover', call, async () => {
      const { service } = inputs.parse(inputs.discoverInput, input)
      return service === undefined ? allHeld(this.#parts) : waysIn(this.#parts, service, call)
    })
  }

  /** Begins a registration, answers its puzzle, or goes on with it after a consent. */
  register(input: inputs.RegisterInput, call: Call = inCode): Promise<Outcome> {
    return this.#perform('register', call, async () => {
      const outcome = await withOperatorKey(this.#parts, await this.#register(input, call), call)
      return withChanges(this.#parts, outcome)
    })
  }

  /**
   * Where a registration stands; moves it on by one look at the mailbox or the clock. A `code` is refused
   * unless the application has set `codesThroughModel`.
   */
  claim(input: inputs.ClaimInput, call: Call = inCode): Promise<Outcome> {
    return this.#perform('claim', call, async () => {
      const { registration, code } = inputs.parse(inputs.claimInput, input)
      const loaded = await loadOwn(this.#parts.engine, this.owner, registration)
      const push = claimPush(loaded.registration, code, this.codesThroughModel)
      const outcome = 'status' in push ? push : await this.poke(loaded, call, push)
      return withChanges(this.#parts, outcome)
    })
  }

  /** One request to the service with the credential. The answer is cut and holds no secret of the vault. */
  use(input: inputs.UseInput, call: Call = inCode): Promise<Outcome> {
    return this.#perform('use', call, async () => {
      const wanted = inputs.parse(inputs.useInput, input)
      const credential = await this.#usable(wanted)
      if ('status' in credential) return credential
      return useCredential(this.#forUse(), this.owner, credential, wanted, call)
    })
  }

  /** Ends a credential; `replace` first makes a new one, and leaves the old one until that works. */
  revoke(input: inputs.RevokeInput, call: Call = inCode): Promise<Outcome> {
    return this.#perform('revoke', call, async () => {
      const { credential: handle, replace } = inputs.parse(inputs.revokeInput, input)
      const credential = await this.#parts.credentials.get(this.owner, handle)
      const may = mayNotEnd(credential, replace)
      if (may) return may
      if (replace) return this.#replace(credential, call)
      return revokeCredential(this.#parts, credential, call)
    })
  }

  /**
   * What a call would do that a person must agree to, from the stored records alone: no network, no
   * write. Undefined where nothing needs a person, also where the policy allows or denies it.
   */
  async preview(verb: Verb, input: unknown): Promise<Action | undefined> {
    const { about, action } = (await this.#intended(verb, input)) ?? {}
    const { consents } = this.#parts
    return about && consents.rules.denies(about) ? undefined : consents.toAsk(action)
  }

  /**
   * What the policy says to a call and which rule says so: no network, no write. A call that has yet to
   * find out what it would do, as before a service has shown its terms, is explained as far as is known.
   *
   * @example
   * const { decision, rule, because } = await session.explain('use', { service, path: '/v2/messages' })
   */
  async explain(verb: Verb, input: unknown): Promise<Explanation> {
    const { about, action } = (await this.#intended(verb, input)) ?? {}
    if (about === undefined) return { decision: 'allow', by: 'default' }
    return this.#parts.consents.explain(about, action)
  }

  /** For adapters: puts the question of an action, on behalf of a framework's call. */
  ask(action: Action, call: Call): Promise<Standing> {
    this.#mine(action)
    return this.#parts.consents.ledger.ask(action, call)
  }

  /** For adapters: where a framework's call stands with the consents, without writing anything. */
  look(action: Action, call: Call): Promise<Standing> {
    this.#mine(action)
    return this.#parts.consents.ledger.look(action, call)
  }

  /** For adapters: the question that stands open for a framework's call, whatever it would do by now. */
  asked(call: Call): Promise<Consent | undefined> {
    return this.#parts.consents.ledger.asked(this.owner, call)
  }

  /** For adapters: whether the policy has people decide elsewhere, so that a framework puts no question. */
  get outOfBand(): boolean {
    return this.#parts.consents.rules.outOfBand
  }

  /** For adapters: whether a code that a person reads out may be given to `claim`. */
  get codesThroughModel(): boolean {
    return this.#parts.codesThroughModel
  }

  /**
   * For adapters: writes down what a person decided through the framework.
   *
   * @throws AuthError `approval_out_of_band` where the policy has people decide elsewhere
   */
  async decide(consent: string, decision: Decision): Promise<void> {
    if (this.outOfBand) {
      throw new AuthError('approval_out_of_band', 'a person decides this outside the framework')
    }
    await this.#parts.consents.ledger.decide(this.owner, consent, decision)
  }

  /**
   * A `fetch` that carries the credential for a service: a drop-in for any SDK that takes one. URLs
   * outside the credential's audience are refused.
   *
   * @example new VendorClient({ apiKey: 'unused', fetch: session.fetch('https://api.vendor.example') })
   */
  fetch(service: string): typeof fetch {
    const parts = this.#forUse()
    const { owner } = this
    const send = authorisedFetch(parts, (url) =>
      chooseCredential(parts.credentials, owner, service, url),
    )
    const operation = { kind: 'verb', verb: 'use', owner, channel: 'fetch' } as const
    const end = ({ status: httpStatus }: Response) => ({ status: 'answered' as const, httpStatus })
    return (input, init) => traced(parts.net.trace, operation, () => send(input, init), end)
  }

  /**
   * Where a service's MCP server is (by its own documents, or `service` itself is its URL), and the
   * `fetch` for it: what a client of MCP over streamable HTTP takes.
   *
   * @throws AuthError `not_found` where no server or no credential is known, `outside_audience`
   * @example
   * const { url, fetch } = await session.mcp('https://api.vendor.example')
   * await client.connect(new StreamableHTTPClientTransport(url, { fetch }))
   */
  async mcp(service: string): Promise<McpAccess> {
    const { mcpAccess } = await import('./mcp/access.ts')
    return mcpAccess(this.#forUse(), service)
  }

  /**
   * The service's own MCP tools as tools beside the five. Each call asks a person, but for the tools in
   * `allow`; descriptions are cut and marked as the service's words; a tool that the service describes
   * otherwise later is refused until it is mounted again. A call carries the credential of whose session
   * runs it. Needs `@modelcontextprotocol/sdk` beside this package.
   *
   * @throws AuthError `invalid_input` for the options, for another list than `pin`'s, or without the SDK;
   * `not_found`, `outside_audience`; what the network or the server does wrong
   * @example await session.mount('https://api.vendor.example', { allow: ['get_balance'] })
   */
  async mount(service: string, options: MountOptions = {}): Promise<Mounted> {
    const { mountTools } = await import('./mcp/mount.ts')
    return mountTools(this, (one) => one.#forUse(), service, options)
  }

  /**
   * Puts a credential that exists already into the vault. `audience` is where it may be sent: URLs,
   * each with the path segments below it. Sent as `Authorization: Bearer`, unless `header` says otherwise.
   * What was surely pasted along with it (quotes, `Bearer `, a line end) is taken off.
   *
   * @throws AuthError `secret_refused` for a value that is no credential
   */
  async import(input: inputs.ImportInput): Promise<CredentialView> {
    return viewCredential(await importCredential(this.#parts, input))
  }

  /** The owner's credentials, the newest first, and others' that are shared with the owner. */
  async list(): Promise<readonly CredentialView[]> {
    const held = await this.#parts.credentials.list(this.owner)
    return held.map(viewWithSharer)
  }

  /**
   * What registrations of this owner left behind so that the next ones need no model: plain JSON without
   * secrets, to be looked at, kept with the code and given to others as the option `recipes`.
   */
  recipes(): Promise<readonly Recipe[]> {
    return this.#parts.recipes.list(this.owner)
  }

  /**
   * What the last `discover` of this service found out: each fact with its source, and every address that was
   * asked with what came of it. Undefined where it was never asked. No network. Holds the service's words.
   */
  async profile(service: string): Promise<ServiceProfile | undefined> {
    const found = await this.#parts.profiles.last(this.owner, inputs.serviceUrl(service))
    return found && redactedIn(found, await this.redactor())
  }

  /** Ends a registration that is not wanted any more. What it may have left at the service is said. */
  cancel(registration: string): Promise<Outcome> {
    return this.#perform('claim', inCode, async () => {
      const loaded = await loadOwn(this.#parts.engine, this.owner, registration)
      return this.#parts.engine.cancel(loaded)
    })
  }

  /** Deletes a credential's secret without ending it at the service. For a person who has lost access there. */
  forget(handle: string): Promise<Outcome> {
    return this.#perform('revoke', inCode, async () => {
      const credential = await this.#parts.credentials.get(this.owner, handle)
      return mayNotEnd(credential, false) ?? forget(this.#parts, credential)
    })
  }

  /**
   * Writes down that something has paused until one of these registrations needs no person any more:
   * `auth.watchRegistrations` then has it go on. The same thing, paused again, takes its own place.
   *
   * @throws AuthError `not_found` for one that is not this owner's, `invalid_input`
   * @example await session.waitFor([outcome.registration], { queue: 'jobs', at: { job: job.id } })
   */
  waitFor(registrations: readonly string[], waiter: Waiter): Promise<void> {
    return waitFor(this.#parts, this.owner, registrations, waiter)
  }

  /** Moves a registration on by what time and mail bring, or by what was said. */
  poke(loaded: Loaded, call: Call = inCode, push: Push = { type: 'tick' }): Promise<Outcome> {
    return moveOn(this.#parts, loaded, push, call)
  }

  /** Takes every live secret of the owner out of a text or a stream. */
  async redactor(): Promise<Redactor> {
    const { engine, credentials } = this.#parts
    const ceremony = await engine.ceremonySecrets(this.owner)
    return credentials.redactor(this.owner, await credentials.list(this.owner), ceremony)
  }

  #intended(verb: Verb, input: unknown): Promise<Intended | undefined> {
    const usable = (wanted: inputs.UseInput) => this.#usable(wanted)
    const parts = verb === 'use' ? this.#forUse() : this.#withRedactor()
    return intended({ ...parts, usable }, verb, input)
  }

  async #register(input: inputs.RegisterInput, call: Call): Promise<Outcome> {
    const wanted = inputs.parse(inputs.registerInput, input)
    if (wanted.registration === undefined) {
      const about = { verb: 'register', service: inputs.serviceUrl(wanted.service) } as const
      const stopped = await stoppedBefore(this.#parts, about, call)
      if (stopped) return stopped
    }
    const target = await this.#target(wanted)
    if (target === undefined) throw new AuthError('method_failed', 'nothing to register')
    if ('status' in target) return target
    return this.#parts.engine.run(target.loaded, target.push, 'register', call)
  }

  #target(input: inputs.RegisterInput, replaces?: Credential) {
    return registerTarget(this.#withRedactor(), input, false, replaces)
  }

  /** Makes another one; the old one is left alone until the new one was seen to work. */
  async #replace(old: Credential, call: Call): Promise<Outcome> {
    const { credentials, engine } = this.#parts
    const gone = unusable(old)
    if (gone) return gone
    const held = await credentials.list(this.owner)
    const made = held.find((one) => one.replaces === old.handle && one.state === 'active')
    if (made) return readyOutcome(made, this.#parts.now())
    const { service } = old
    const stopped = await stoppedBefore(this.#parts, { verb: 'register', service }, call)
    if (stopped) return stopped
    const target = await this.#target({ service }, old)
    if (target === undefined) throw new AuthError('method_failed', 'nothing to register')
    if ('status' in target) return target
    return engine.run(target.loaded, target.push, 'register', call)
  }

  async #usable(input: inputs.UseInput): Promise<Credential | Outcome> {
    const { credentials } = this.#parts
    if (input.credential !== undefined) return credentials.getForUse(this.owner, input.credential)
    const service = input.service ?? ''
    const held = await credentials.forUse(this.owner, service)
    const own = held.filter((one) => one.parent === undefined)
    const fitting = own.find((one) => unusable(one) === undefined && reaches(one, input))
    const chosen = fitting ?? own[0]
    if (chosen) return chosen
    return {
      status: 'refused',
      code: 'no_credential',
      service,
      reason: await credentials.whyNone(this.owner),
      next: `auth_discover { service: "${service}" }`,
    }
  }

  #withRedactor(): WithRedactor {
    return { ...this.#parts, redactor: () => this.redactor() }
  }

  /** The same for a request, as old as the cache allows. */
  #forUse(): WithRedactor {
    const { engine, credentials } = this.#parts
    const { owner } = this
    const redactor = async () => {
      const ceremony = await engine.ceremonySecretsForUse(owner)
      return credentials.redactor(owner, await credentials.listForUse(owner), ceremony)
    }
    return { ...this.#parts, redactor }
  }

  #mine(action: Action): void {
    if (sameOwner(action.owner, this.owner)) return
    throw new AuthError('owner_invalid', 'the action is of another owner')
  }

  #perform(verb: Verb, call: Call, act: () => Promise<Outcome>): Promise<Outcome> {
    return this.#parts.perform(verb, call, async () => {
      const said = await act()
      const checked = said.status === 'ready' && verb !== 'discover'
      const outcome = checked ? await verified(this.#parts, said, this.owner) : said
      const told = this.codesThroughModel ? askedHere(outcome) : outcome
      // An answer to `use` is without secrets by now, and tells of a store that fails even so.
      return verb === 'use' ? told : redactedIn(told, await this.redactor())
    })
  }
}
