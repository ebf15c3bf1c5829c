import { sha256 } from '../encoding.ts'
import type { Engine } from '../engine/engine.ts'
import { forbidden, needsConsent } from '../engine/outcome-of.ts'
import { registrableDomain } from '../net/url.ts'
import type { Outcome } from '../outcome.ts'
import { type Owner, ownerKey } from '../owner.ts'
import { sameService } from '../use/audience.ts'
import type { Credentials } from '../vault/credentials.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import { isConflict } from '../vault/store-check.ts'
import { type Action, makeAction } from './action.ts'
import type { Consents } from './consents.ts'
import type { Call } from './ledger.ts'
import type { CallFacts } from './policy.ts'

interface ContactParts {
  readonly owner: Owner
  readonly engine: Engine
  readonly credentials: Credentials
  readonly consents: Consents
  readonly contacts: Contacts
}

/** Services whose first contact an owner's person agreed to. */
export class Contacts {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async met(owner: Owner, service: string): Promise<boolean> {
    return (await this.#store.get(await refOf(owner, service))) !== undefined
  }

  async meet(owner: Owner, service: string): Promise<void> {
    try {
      await this.#store.put({ ...(await refOf(owner, service)), value: '{}' }, 0)
    } catch (error) {
      if (!isConflict(error)) throw error
    }
  }
}

/**
 * The first contact that asking a service would be, where the policy has a word on it: a service is known
 * by a credential or a registration of this owner, by an earlier consent, or by a rule that names it.
 */
export async function firstContact(
  { owner, engine, credentials, consents, contacts }: ContactParts,
  service: string,
): Promise<Action | undefined> {
  const effect = { kind: 'first-contact', domain: domainOf(service), url: service } as const
  const about = { verb: 'discover', owner, service, revision: 0, effects: [effect] } as const
  const action = consents.needed(await makeAction(about))
  if (action === undefined || consents.rules.names(service)) return undefined
  if ((await credentials.forService(owner, service)).length > 0) return undefined
  const begun = await engine.list(owner)
  const known = begun.some(({ offer, start }) => {
    return sameService({ service: offer.service, audience: { bases: [start] } }, service)
  })
  return known || (await contacts.met(owner, service)) ? undefined : action
}

/** Before a service is asked anything: what the policy says, or the person to a first contact. */
export async function stoppedBefore(
  parts: ContactParts,
  about: CallFacts,
  call: Call,
): Promise<Outcome | undefined> {
  const { owner, consents, contacts } = parts
  const denied = consents.rules.denies(about)
  if (denied) return forbidden(denied, about)
  const action = await firstContact(parts, about.service)
  if (action === undefined) return undefined
  const standing = await consents.redeem(action, call)
  if (standing.kind !== 'open' && standing.kind !== 'lost') {
    return needsConsent(standing, action, consents)
  }
  await contacts.meet(owner, about.service)
  return undefined
}

async function refOf(owner: Owner, service: string): Promise<RecordRef> {
  const id = `met_${await sha256(domainOf(service))}`
  return { kind: 'meta', owner: await ownerKey(owner), id }
}

/** What one owner registers; the host itself where nobody does. */
function domainOf(service: string): string {
  const { hostname } = new URL(service)
  return registrableDomain(hostname.replace(/\.$/, '')) ?? hostname
}
