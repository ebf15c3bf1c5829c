import { newId } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { AuthEvent, RefreshStatus } from '../events.ts'
import { Assertions, type IdentityAssertion } from '../identity/assertion.ts'
import type { IssuedCredential, Json, Method, MethodEvent, Transition } from '../methods/method.ts'
import { plainId } from '../methods/service-id.ts'
import { isInvalidGrant } from '../methods/token-answer.ts'
import type { GuardedFetch } from '../net/transport.ts'
import type { Orphan } from '../outcome.ts'
import { type Trace, traced } from '../trace.ts'
import type { Credential, Credentials } from '../vault/credentials.ts'
import type { Leases } from '../vault/leases.ts'
import type { Secret } from '../vault/secret.ts'
import type { Lease } from '../vault/store.ts'
import { surely } from '../vault/surely.ts'
import { sendPlan } from './send.ts'

const leaseMs = 60_000
const lookMs = 200
/** How often the process that refreshes is looked at before the caller is told to come later. */
const looks = 150
const maxSteps = 6
const againMs = 30_000

/** What is needed of the rest. */
export interface RefreshParts {
  readonly leases: Leases
  readonly credentials: Credentials
  readonly fetch: GuardedFetch
  readonly now: () => number
  readonly method: (id: string) => Method
  readonly identityAssertion?: IdentityAssertion
  readonly emit: (event: AuthEvent) => void
  readonly trace?: Trace | undefined
}

/**
 * What came of it. `fresh`: another secret is there, whoever fetched it · `ended`: there will be none ·
 * `later`: the credential is kept as it is, and trying again may help.
 */
export type Refreshed =
  | {
      readonly kind: 'fresh' | 'ended'
      readonly credential: Credential
      /** It was this call that asked the service. */
      readonly asked?: true
    }
  | { readonly kind: 'later'; readonly notBefore: number }

type Kept = NonNullable<Credential['refresh']>

/** What the service said to a method's requests. */
type Said =
  | {
      readonly issued: IssuedCredential
      readonly secrets: Readonly<Record<string, Secret>>
    }
  | { readonly dead: true; readonly unread: Kept['unread'] }
  | { readonly later: number }

/**
 * Renews credentials: one request at a time for each, in this process and in all that share the store.
 * Whoever comes meanwhile gets what the first one got, its failure too.
 */
export class Refresher {
  readonly #parts: RefreshParts
  readonly #running = new Map<string, Promise<Refreshed>>()

  constructor(parts: RefreshParts) {
    this.#parts = parts
  }

  /** Another secret in the place of the one that `stale` holds. */
  async refresh(stale: Credential): Promise<Refreshed> {
    const { trace, emit, now } = this.#parts
    const { owner, service, method, handle } = stale
    const { refreshed, status } = await traced(
      trace,
      { kind: 'refresh', owner, service, method },
      () => this.#shared(stale),
      ({ status }) => ({ status }),
    )
    emit({ type: 'refresh', at: now(), owner, service, credential: handle, status })
    return refreshed
  }

  async #shared(stale: Credential): Promise<{ refreshed: Refreshed; status: RefreshStatus }> {
    const { tenant, user, agent } = stale.owner
    const name = JSON.stringify([tenant, user, agent, stale.handle, generationOf(stale)])
    const running = this.#running.get(name)
    if (running) {
      const refreshed = await running
      return { refreshed, status: refreshed.kind === 'fresh' ? 'shared' : refreshed.kind }
    }
    const mine = this.#alone(stale).finally(() => this.#running.delete(name))
    this.#running.set(name, mine)
    const refreshed = await mine
    if (refreshed.kind !== 'fresh') return { refreshed, status: refreshed.kind }
    return { refreshed, status: refreshed.asked ? 'renewed' : 'shared' }
  }

  async #alone(stale: Credential): Promise<Refreshed> {
    const { leases, credentials, now } = this.#parts
    const name = `refresh-${stale.handle}`
    for (let left = looks; left > 0; left--) {
      const lease = await leases.take(name, leaseMs)
      if (lease) {
        try {
          return await this.#under(lease, stale)
        } finally {
          await leases.giveBack(name, lease)
        }
      }
      await new Promise((done) => setTimeout(done, lookMs))
      const credential = await credentials.get(stale.owner, stale.handle)
      if (moved(credential, stale)) return { kind: 'fresh', credential }
    }
    return { kind: 'later', notBefore: now() + againMs }
  }

  async #under(lease: Lease, stale: Credential): Promise<Refreshed> {
    const { credentials, now } = this.#parts
    const change = (how: (one: Credential) => Credential) =>
      credentials.update(stale.owner, stale.handle, (one) => (moved(one, stale) ? one : how(one)))
    // The holder of a later lease writes its number over ours: then our word kills nothing any more.
    const held = await change((one) => ({ ...one, fence: lease.token }))
    if (moved(held, stale)) return { kind: 'fresh', credential: held }
    const given = held.state === 'active' || held.state === 'invalid'
    if (!given || held.refresh === undefined || held.secret === undefined) {
      return { kind: 'ended', credential: held }
    }
    // What a step of several has got must not be lost with the next one.
    const keep = (refresh: Kept) =>
      surely(() => change((one) => (one.refresh ? { ...one, refresh } : one)))
    const said = await this.#ask(held, held.refresh, keep)
    if ('issued' in said) {
      // A token for renewing is spent by now: what came for it is the only one.
      const credential = await surely(() =>
        change((one) => renewed(one, said.issued, said.secrets)),
      )
      return { kind: moved(credential, stale) ? 'fresh' : 'ended', credential, asked: true }
    }
    if ('dead' in said) {
      const credential = await change((one) =>
        one.fence === lease.token ? dead(one, said.unread) : one,
      )
      if (moved(credential, stale)) return { kind: 'fresh', credential }
      if (credential.fence === lease.token) return { kind: 'ended', credential }
      return { kind: 'later', notBefore: now() + againMs }
    }
    const credential = await credentials.get(stale.owner, stale.handle)
    if (moved(credential, stale)) return { kind: 'fresh', credential }
    return { kind: 'later', notBefore: said.later }
  }

  async #ask(
    { method: id, start, owner, service }: Credential,
    held: Kept,
    keep: (refresh: Kept) => Promise<unknown>,
  ): Promise<Said> {
    const { fetch, now, identityAssertion } = this.#parts
    const assertions = new Assertions(identityAssertion, { owner, service })
    const later = { later: now() + againMs }
    const method = this.#parts.method(id)
    let { state, secrets, unread } = held
    let written = held
    const write = (next: Kept) => {
      written = next
      return keep(next)
    }
    let event: MethodEvent | undefined
    for (let steps = 0; steps < maxSteps; steps++) {
      const context = { now: now(), random: () => newId('rnd'), identity: { mailbox: false } }
      const transition = await method.refresh?.(context, state, event)
      if (transition === undefined) {
        throw new AuthError('method_failed', `${id} does not say how its credentials are renewed`)
      }
      const before = kept(state, secrets, unread)
      secrets = withSecrets(secrets, transition.secrets)
      state = transition.state
      const { next } = transition
      if ('done' in next) return { issued: next.done, secrets }
      const read = unread
      const spends = 'send' in next && next.send[0].ifLost !== 'repeat' ? next.send[0].name : ''
      if (spends) unread = { request: spends, at: now(), times: (read?.times ?? 0) + 1 }
      const changed =
        transition.secrets !== undefined ||
        unread !== written.unread ||
        !sameJson(before.state, state)
      if (changed) await write(kept(state, secrets, unread))
      if ('failed' in next && next.failed.code === 'credential_invalid') {
        return { dead: true, unread }
      }
      const identity = await assertions.before(next)
      if ('event' in identity) {
        event = identity.event
        continue
      }
      if (!('send' in next)) return later
      const [plan] = next.send
      const sent = await sendPlan(plan, { ...secrets, ...identity.secrets }, start, fetch)
      if (changed && sent === 'unsent') await write(before)
      if (typeof sent === 'string' || 'refused' in sent) return later
      // A failure may come after the work was done.
      if (sent.status < 500) unread = read
      if (isInvalidGrant(sent.status, sent.json)) return { dead: true, unread }
      if (sent.status === 429 || sent.status >= 500) {
        if (unread !== written.unread) await write(kept(state, secrets, unread))
        return { later: now() + (sent.retryAfterMs ?? againMs) }
      }
      event = { type: 'answer', answers: { [plan.name]: sent } }
    }
    throw new AuthError('method_failed', `${id} does not come to an end with renewing`)
  }
}

function kept(state: Json, secrets: Kept['secrets'], unread: Kept['unread']): Kept {
  return { state, secrets, ...(unread === undefined ? {} : { unread }) }
}

function withSecrets(held: Kept['secrets'], changes: Transition<Json>['secrets']): Kept['secrets'] {
  const all = Object.entries({ ...held, ...changes })
  return Object.fromEntries(all.flatMap(([name, secret]) => (secret ? [[name, secret]] : [])))
}

function sameJson(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function generationOf({ generation = 0 }: Credential): number {
  return generation
}

/** Somebody else was first. */
function moved(credential: Credential, stale: Credential): boolean {
  return generationOf(credential) !== generationOf(stale)
}

/** The next secret in the place of the one before it. One that was given up meanwhile stays given up. */
export function renewed(
  one: Credential,
  issued: IssuedCredential,
  secrets: Readonly<Record<string, Secret>>,
): Credential {
  const secret = secrets[issued.secret ?? '']
  if (secret === undefined) {
    throw new AuthError('method_failed', `${one.method} issued no ${issued.secret}`)
  }
  if (one.secret === undefined) return one
  const { expires: _, refresh: before, verdict: __, ...rest } = one
  const refresh =
    keptForRefresh(issued, secrets) ?? (before && kept(before.state, before.secrets, undefined))
  return {
    ...rest,
    secret,
    state: one.state === 'invalid' ? 'active' : one.state,
    generation: generationOf(one) + 1,
    ...(issued.expires === undefined ? {} : { expires: issued.expires }),
    ...(issued.scopes === undefined ? {} : { scopes: issued.scopes }),
    ...(refresh === undefined ? {} : { refresh }),
  }
}

function dead(one: Credential, unread: Kept['unread']): Credential {
  const { refresh: _, ...rest } = one
  const state = one.state === 'active' ? 'invalid' : one.state
  return { ...rest, state, ...orphanOf(one, unread) }
}

/** What an answer to its renewal may have given that was never read. */
export function orphanOf(
  { serviceId, handle, revocation }: Credential,
  unread: Kept['unread'],
): { readonly orphan?: Orphan } {
  if (unread === undefined) return {}
  const { request, at } = unread
  const what = `what a renewal of ${plainId(serviceId) ?? handle} gave, which nobody holds`
  const url = revocation?.mode === 'interactive' ? { url: revocation.url } : {}
  return { orphan: { what, request, at, ...url } }
}

/** What is kept with a credential so that it can be renewed. */
export function keptForRefresh(
  { refresh }: IssuedCredential,
  secrets: Readonly<Record<string, Secret>>,
): Credential['refresh'] {
  if (refresh === undefined) return undefined
  const kept = Object.entries(secrets).filter(([name]) => refresh.secrets.includes(name))
  return { state: refresh.state, secrets: Object.fromEntries(kept) }
}
