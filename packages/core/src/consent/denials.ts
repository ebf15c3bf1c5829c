import { sha256 } from '../encoding.ts'
import { registrableDomain } from '../net/url.ts'
import { ownerKey } from '../owner.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import { type Action, canonical, type Effect } from './action.ts'

/** How long a no holds. */
export const coolingOffMs: number = 10 * 60_000
/** After so many noes within the time, the service's whole verb rests. */
const manyNoes = 3

/** One no: to what, when, and the consent whose reason is told again. */
interface Denial {
  readonly sameAs: string
  readonly consent: string
  /** Epoch milliseconds. */
  readonly until: number
}

/**
 * The noes of the last ten minutes, one record for each owner, verb and registrable domain. A no holds
 * for everything that is the same to a person, whichever registration or wording carries it.
 */
export class Denials {
  readonly #store: Store
  readonly #now: () => number

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** The no that an action meets, if there is one. */
  async met(action: Action): Promise<Pick<Denial, 'consent' | 'until'> | undefined> {
    const record = await this.#store.get(await refOf(action))
    const denials = this.#fresh(record?.value)
    const sameAs = await sameness(action)
    const same = denials.find((one) => one.sameAs === sameAs)
    return same ?? (denials.length >= manyNoes ? denials.at(-1) : undefined)
  }

  /** Writes a no down; `at` in epoch milliseconds. */
  async add(action: Action, consent: string, at: number): Promise<void> {
    const ref = await refOf(action)
    const added = { sameAs: await sameness(action), consent, until: at + coolingOffMs }
    await compareAndSet(async () => {
      const record = await this.#store.get(ref)
      const value = JSON.stringify([...this.#fresh(record?.value), added])
      await this.#store.put({ ...ref, value }, record?.revision ?? 0)
    })
  }

  #fresh(value: string | undefined): readonly Denial[] {
    const denials = value === undefined ? [] : (JSON.parse(value) as readonly Denial[])
    return denials.filter(({ until }) => until > this.#now())
  }
}

async function refOf({ owner, verb, service }: Action): Promise<RecordRef> {
  const host = URL.parse(service)?.hostname ?? service
  const id = `no_${await sha256(JSON.stringify([verb, registrableDomain(host) ?? host]))}`
  return { kind: 'meta', owner: await ownerKey(owner), id }
}

/** What an action is to a person: its effects without ids, times and hashes, or who proposed an address. */
function sameness({ effects }: Action): Promise<string> {
  return sha256(canonical(effects.map(plainly)))
}

function plainly(effect: Effect): unknown {
  switch (effect.kind) {
    case 'accept-terms':
      return { ...effect, texts: effect.texts.map(({ role, url }) => ({ role, url })) }
    case 'present-identity': {
      if ('assertion' in effect) return effect
      const { kind, to, email, emailFrom } = effect
      // Another address that the model makes up is no other question.
      return { kind, to, email: emailFrom === 'model' ? undefined : email }
    }
    case 'create-credential':
      return { ...effect, note: undefined }
    case 'first-contact':
      return { kind: effect.kind, domain: effect.domain }
    default:
      return effect
  }
}
