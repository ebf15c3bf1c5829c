import type { Consents } from './consent/consents.ts'
import { planChanges } from './discovery/changes.ts'
import { freshForMs, isIncomplete } from './discovery/freshness.ts'
import type { ServiceProfile } from './discovery/profile.ts'
import type { Profiles } from './discovery/profiles.ts'
import type { Engine } from './engine/engine.ts'
import { isClaimable } from './engine/issued.ts'
import { outcomeOf, readyOutcome } from './engine/outcome-of.ts'
import type { Loaded, Registration } from './engine/registration.ts'
import type { Push } from './engine/step.ts'
import { AuthError } from './errors.ts'
import { answerFault, type RegisterInput, serviceUrl } from './inputs.ts'
import type { Identity, Offer } from './methods/method.ts'
import type { Outcome } from './outcome.ts'
import type { Owner } from './owner.ts'
import type { OwnerIdentity } from './people/mailbox.ts'
import type { Redactor } from './use/redactor.ts'
import type { Credential, Credentials } from './vault/credentials.ts'

interface RegisterParts {
  readonly owner: Owner
  readonly engine: Engine
  readonly profiles: Profiles
  readonly credentials: Credentials
  readonly now: () => number
  readonly identity: () => Promise<OwnerIdentity>
  readonly redactor: () => Promise<Redactor>
  readonly consents: Pick<Consents, 'rules'>
}

/** A registration that a call means, and what the call says to it. */
export interface Target {
  readonly loaded: Loaded
  readonly push: Push
}

/**
 * Which registration a call means and what it does to it; or an outcome where it means none. With
 * `storedOnly` nothing is asked of the network, and undefined means that nothing is known yet.
 */
export async function registerTarget(
  parts: RegisterParts,
  input: RegisterInput,
  storedOnly: boolean,
  replaces?: Credential,
): Promise<Target | Outcome | undefined> {
  const { engine, credentials, profiles, owner } = parts
  if (input.registration !== undefined) {
    return said(parts, await loadOwn(engine, owner, input.registration), input)
  }
  const service = serviceUrl(input.service)
  const all = await engine.list(owner)
  const open = all.filter(isOpen).find((one) => means(one, service, input.method))
  if (open) {
    const loaded = await loadOwn(engine, owner, open.id)
    // It has come to its end meanwhile: that is the answer, and not the wish to have it claimed.
    if (!isOpen(loaded.registration))
      return outcomeOf(loaded.registration, credentials, parts.now())
    return said(parts, loaded, input)
  }
  const [held] = await credentials.forService(owner, service)
  // Where nothing was needed until now, another way in may be asked for by its name.
  const other = held?.kind === 'none' && input.method !== undefined && input.method !== held.method
  if (held?.state === 'active' && !replaces && !other) return readyOutcome(held, parts.now())
  const profile = storedOnly
    ? await profiles.known(owner, service)
    : await profiles.of(owner, service)
  if (profile === undefined) return undefined
  // The service has refused what needs nothing: something is needed after all.
  const refused = held?.kind === 'none' && held.state === 'invalid' ? held.method : undefined
  const offers = engine.offers(profile).filter(({ method }) => method !== refused)
  const more = replaces && moreScopes(replaces)
  const offer = choose(offers, input.method ?? (more && replaces.method))
  if (offer === undefined) return noOffer(profile, input.method)
  const earlier = all.filter((one) => one.offer.service === offer.service).length
  const identity = await identityAt(parts, offer, input)
  const draft = await engine.draft(owner, service, offer, identity, earlier)
  const registration: Registration = {
    ...draft,
    ...(replaces ? { replaces: replaces.handle } : {}),
    ...(more ? { scopes: more } : {}),
    ...((await profiles.isNew(owner, service)) ? { firstTime: true } : {}),
  }
  return { loaded: { registration, stored: 0 }, push: { type: 'begin' } }
}

/** Reads a registration of this owner. Throws `not_found`, for another owner's as well. */
export async function loadOwn(engine: Engine, owner: Owner, id: string): Promise<Loaded> {
  const loaded = await engine.load(owner, id)
  if (loaded) return loaded
  throw new AuthError('not_found', `there is no registration ${id.slice(0, 80)} of this owner`)
}

/** Whether a registration has not ended yet. */
export function isOpen({ status, inFlight }: Registration): boolean {
  return inFlight !== undefined || status === 'running' || status === 'waiting'
}

/**
 * The outcome of a registration that runs, with what has changed at the service since it began. Asks the
 * service no more often than discovery would.
 */
export async function withChanges(
  { engine, profiles, owner }: Pick<RegisterParts, 'engine' | 'profiles' | 'owner'>,
  outcome: Outcome,
): Promise<Outcome> {
  const id = outcome.registration
  const registration = id && (await engine.load(owner, id))?.registration
  if (!registration || !isOpen(registration)) return outcome
  const { start, offer } = registration
  const profile = await profiles.latest(owner, start)
  if (profile === undefined) return outcome
  const now = engine.offers(profile).find(({ method }) => method === offer.method)
  const changes = now
    ? planChanges(offer.plan, now.plan)
    : [`${offer.method} is not offered any more`]
  return changes.length === 0 ? outcome : { ...outcome, changes }
}

async function said(
  parts: RegisterParts,
  { registration, stored }: Loaded,
  input: RegisterInput,
): Promise<Target | Outcome> {
  const { wait, status, inFlight } = registration
  const proposed = await identityFor(parts, input)
  const identity = better(registration, proposed)
  const loaded = { registration: { ...registration, identity }, stored }
  if (inFlight) return { loaded, push: { type: 'tick' } }
  if (status === 'running') return { loaded, push: { type: 'begin' } }
  if (status === 'ready') return claiming(parts, loaded)
  switch (wait?.for) {
    case 'consent':
      return { loaded, push: { type: 'begin' } }
    case 'model': {
      if (input.answer === undefined) {
        if (identity === registration.identity) break
        // Nothing but another address: it is written down, the puzzle stays.
        return { loaded, push: { type: 'tick' } }
      }
      const fault = answerFault(input.answer, wait.accept, await parts.redactor())
      if (fault !== undefined) return badAnswer(registration, fault)
      return { loaded, push: { type: 'model', answer: input.answer.trim() } }
    }
    case 'person':
      // The address that was refused is no answer to the question for another.
      if (wait.need.kind !== 'give-email' || identity === registration.identity) break
      if (identity.email === undefined) break
      return { loaded, push: { type: 'person', input: { email: identity.email } } }
    case 'retry':
      return { loaded, push: { type: 'retry' } }
    case 'mail':
      if (wait.inDoubt === undefined) break
      return { loaded, push: { type: 'retry' } }
  }
  return outcomeOf(registration, parts.credentials, parts.now())
}

/** A person is to claim what was issued to nobody. */
async function claiming(parts: RegisterParts, loaded: Loaded): Promise<Target | Outcome> {
  const { registration } = loaded
  const { credential: handle, offer, id } = registration
  const { credentials, owner, now } = parts
  const held = handle === undefined ? undefined : await credentials.get(owner, handle)
  if (held?.claim === undefined) return outcomeOf(registration, credentials, now())
  if (isClaimable(held, now())) return { loaded, push: { type: 'claim' } }
  return {
    status: 'refused',
    code: 'expired',
    registration: id,
    service: offer.service,
    reason: 'The time in which a person could claim it is over, or it was given up.',
    next: `auth_use { service: "${offer.service}", method: "GET", path: "…" } as long as the service takes it`,
  }
}

/** Before an address is told a proposal of the model gives way to another one, and to anybody else's word. */
function better({ identity, wait, status }: Registration, proposed: Identity): Identity {
  const open = status === 'ready' || wait?.for === 'model' || wait?.for === 'person'
  const weak = identity.email === undefined || identity.emailFrom === 'model'
  const news = proposed.email !== undefined && proposed.email !== identity.email
  const { asserts } = proposed
  const best = open && weak && news ? proposed : identity
  return status === 'ready' && asserts ? { ...best, asserts } : best
}

/** Nobody, where a service lets one in without an address and the operator would rather not tell it. */
async function identityAt(
  parts: RegisterParts,
  { needs, service, method }: Offer,
  input: RegisterInput,
): Promise<Identity> {
  const { tell } = await parts.identity()
  const about = { verb: 'register', service, method } as const
  const withheld = tell === 'needed' || parts.consents.rules.deniesEffect(about, 'present-identity')
  return needs.includes('nothing') && withheld ? { mailbox: false } : identityFor(parts, input)
}

/** Whom to register as: the application's word first, the model's only where there is no other. */
async function identityFor(parts: RegisterParts, input: RegisterInput): Promise<Identity> {
  const asserts = parts.engine.asserts ? ({ asserts: true } as const) : {}
  return { ...(await addressFor(parts, input)), ...asserts }
}

async function addressFor(parts: RegisterParts, input: RegisterInput): Promise<Identity> {
  const { email, mailbox } = await parts.identity()
  if (email !== undefined) {
    const mailed = mailbox?.address.toLowerCase() === email.toLowerCase()
    return { email, emailFrom: 'session', mailbox: mailed }
  }
  if (mailbox) return { email: mailbox.address, emailFrom: 'mailbox', mailbox: true }
  if (input.email === undefined) return { mailbox: false }
  return { email: input.email, emailFrom: 'model', mailbox: false }
}

/** What the next one is asked for, where its method knows scopes: what this one was, and what it lacked. */
function moreScopes({ scopes, lacks = [] }: Credential): Registration['scopes'] {
  return scopes && { had: scopes.asked, lacks }
}

function means({ offer, start }: Registration, service: string, method?: string): boolean {
  const same = offer.service === service || start === service
  return same && (method === undefined || offer.method === method)
}

function choose(offers: readonly Offer[], method: string | undefined): Offer | undefined {
  return method === undefined ? offers[0] : offers.find((one) => one.method === method)
}

function noOffer({ service, tried, at }: ServiceProfile, method: string | undefined): Outcome {
  if (isIncomplete(tried)) {
    const notBefore = at + freshForMs(tried)
    return {
      status: 'refused',
      code: 'service_unreachable',
      service,
      reason: `Not all that was asked for answered in time, so that it cannot be told whether ${method ?? 'a way in'} is offered here; nothing was done.`,
      notBefore,
      next: `the same call again, not before ${new Date(notBefore).toISOString()}`,
    }
  }
  return {
    status: 'refused',
    code: 'no_offer',
    service,
    reason: method
      ? `${method} is not offered here.`
      : 'No way in was found that this agent can go.',
    next: `auth_discover { service: "${service}" } lists what is offered`,
  }
}

function badAnswer({ id, offer }: Registration, reason: string): Outcome {
  return {
    status: 'refused',
    code: 'answer_form',
    registration: id,
    service: offer.service,
    reason,
    next: `auth_register { service: "${offer.service}", registration: "${id}", answer: "…" }`,
  }
}
