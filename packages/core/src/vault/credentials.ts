import { rememberService } from '../discovery/known-services.ts'
import { hmacSha256, newId } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { IssuedCredential, Json, Presentation } from '../methods/method.ts'
import type { CredentialView, Orphan } from '../outcome.ts'
import { type Owner, ownerKey } from '../owner.ts'
import type { Audience } from '../use/audience.ts'
import { canRedact, createRedactor, type Redactor } from '../use/redactor.ts'
import { compareAndSet } from './compare-and-set.ts'
import { decodeCredential, encodeCredential, type Grant } from './credential-record.ts'
import { secretsOf } from './credential-secrets.ts'
import { OwnerCache } from './owner-cache.ts'
import { pagesOf } from './pages.ts'
import { ranked } from './ranked.ts'
import { Secret } from './secret.ts'
import type { RecordRef, Store, StoreRecord } from './store.ts'
import { isConflict } from './store-check.ts'

/** A credential as the vault keeps it. The secret is gone once it is revoked or forgotten. */
export interface Credential extends Presentation {
  readonly handle: string
  readonly owner: Owner
  readonly service: string
  /** The URL at which its story began; decides whether loopback may be spoken to. */
  readonly start: string
  readonly kind: string
  readonly method: string
  readonly secret?: Secret
  /** Those that `beside` names. */
  readonly secrets?: Readonly<Record<string, Secret>>
  readonly audience: Audience
  readonly state: CredentialView['state']
  readonly registration?: string
  readonly parent?: string
  /** The handle of the one whose place it takes, as soon as it was seen to work. */
  readonly replaces?: string
  readonly serviceId?: string
  readonly probe?: string
  readonly revocation?: NonNullable<IssuedCredential['revocation']>
  readonly issuedAt: number
  /** Epoch milliseconds; absent where it is not known. */
  readonly expires?: number
  /** What its method renews it with. */
  readonly refresh?: {
    readonly state: Json
    readonly secrets: Readonly<Record<string, Secret>>
    /** A request that spends what it sends went out this often without its answer being read. */
    readonly unread?: { readonly request: string; readonly at: number; readonly times: number }
  }
  /** It could not be renewed any more, and an answer that may have renewed it was lost. */
  readonly orphan?: Orphan
  /** It is nobody's yet: what a person's claim of it takes, and until when that is possible. */
  readonly claim?: {
    readonly secrets: Readonly<Record<string, Secret>>
    /** Epoch milliseconds. */
    readonly until?: number
  }
  readonly scopes?: IssuedCredential['scopes']
  /** Scopes without which the service has refused a request. */
  readonly lacks?: readonly string[]
  /** The client that it was issued to, as {@link IssuedCredential} has it. */
  readonly client?: Omit<NonNullable<IssuedCredential['client']>, 'secrets'> & {
    readonly secrets: Readonly<Record<string, Secret>>
  }
  /** What the service has said of its tokens when it was to end them. */
  readonly verdict?: {
    readonly state: 'revoked' | 'forgotten'
    /** What may still work of one that is forgotten, where the service has ended the other token. */
    readonly left?: 'access_token' | 'refresh_token'
    /** The client that was registered for it was not deleted. */
    readonly client?: true
  }
  /** Counts the secrets that it has had by renewing; absent before the first. */
  readonly generation?: number
  /** The generation that the service last accepted. */
  readonly accepted?: number
  /** Number of the lease under which it was last begun to be renewed. */
  readonly fence?: number
  readonly lastUsedAt?: number
  /** When the service last accepted it: answered a request with a 2xx. */
  readonly workedAt?: number
  /** Grows with every use of a revoke consent. */
  readonly revision: number
  /** It is read by another owner, whom the application has given a share. Never stored. */
  readonly shared?: Grant['grant']
}

type Change = (credential: Credential) => Credential

/** The times of use are written down this often at most. */
const noteEveryMs = 60_000

/** Scopes that are remembered as lacking. */
const maxLacks = 50

/** Owners whose redactor is kept built. */
const maxRedactors = 100

/** The credentials of all owners, each read and written under its own. */
export class Credentials {
  readonly #store: Store
  readonly #cache: OwnerCache<Credential>
  readonly #redactors = new Map<string, { readonly of: string; readonly redactor: Redactor }>()
  /** What is just being written down of answers. */
  readonly #noting = new Map<string, Promise<void>>()

  constructor(store: Store, cache: OwnerCache<Credential> = new OwnerCache()) {
    this.#store = store
    this.#cache = cache
  }

  /** A new handle; with a registration's id always the same one, so that a second write cannot double it. */
  static handle(registration?: string): string {
    return registration === undefined ? newId('cred') : registration.replace(/^reg_/, 'cred_')
  }

  /**
   * A handle for a secret that came with another one: always the same for the same two, so that two
   * answers read at once cannot double it. It is keyed by the parent, so that nobody can try values.
   */
  static async capturedHandle(parent: Credential, secret: Secret): Promise<string> {
    const key = parent.secret ? Secret.open(parent.secret) : parent.handle
    return `cred_${(await hmacSha256(key, Secret.open(secret))).slice(0, 22)}`
  }

  /**
   * Keeps a new credential. When it is there already, the one that is there stays and is returned. Once
   * it is kept nothing else can fail: whoever hears of a failure takes the secret for lost.
   */
  async add(credential: Credential): Promise<Credential> {
    const kept = await this.#keep(credential)
    try {
      await rememberService(this.#store, kept.owner, kept.service)
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
    }
    return kept
  }

  async #keep(credential: Credential): Promise<Credential> {
    const ref = await this.#ref(credential.owner, credential.handle)
    try {
      await this.#store.put({ ...ref, value: encodeCredential(credential) }, 0)
      return credential
    } catch (error) {
      if (!isConflict(error)) throw error
      return this.get(credential.owner, credential.handle)
    }
  }

  async find(owner: Owner, handle: string): Promise<Credential | undefined> {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(handle)) return undefined
    const record = await this.#store.get(await this.#ref(owner, handle))
    return record === undefined ? undefined : this.#open(record)
  }

  /** A credential, or another owner's that a record shares: as it is now, and gone when that is gone. */
  async #open({ value, kind, id }: StoreRecord): Promise<Credential | undefined> {
    const held = decodeCredential(value)
    if (!('grant' in held)) return held
    const record = await this.#store.get({ kind, owner: held.grant.key, id })
    const own = record && decodeCredential(record.value)
    if (own === undefined || 'grant' in own) return undefined
    // What it is registered as is the business of its owner.
    const { registration: _, replaces: __, ...rest } = own
    return { ...rest, shared: held.grant }
  }

  async get(owner: Owner, handle: string): Promise<Credential> {
    const credential = await this.find(owner, handle)
    if (credential === undefined) throw unknown(handle)
    return credential
  }

  /** Changes one, trying again when another process was first. What stays the same object is not written. */
  async update(owner: Owner, handle: string, change: Change): Promise<Credential> {
    const ref = await this.#ref(owner, handle)
    return compareAndSet(async () => {
      const record = await this.#store.get(ref)
      const held = record && decodeCredential(record.value)
      if (record === undefined || held === undefined || 'grant' in held) throw unknown(handle)
      const changed = change(held)
      if (changed === held) return held
      await this.#store.put({ ...ref, value: encodeCredential(changed) }, record.revision)
      return changed
    })
  }

  /**
   * Writes down what an answer's status says about a credential: a 401 makes it `invalid`, a 2xx
   * `active` again. Many answers at once are written down once. Throws nothing that the store throws.
   */
  async note(credential: Credential, status: number, now: number): Promise<void> {
    if (!says(credential, status, now)) return
    const { owner, handle, generation } = credential
    const { tenant, user, agent } = owner
    const what = status === 401 ? 'refused' : isSuccess(status)
    const name = JSON.stringify([tenant, user, agent, handle, generation, what])
    const noting = this.#noting.get(name)
    if (noting) return noting
    const mine = this.#note(credential, status, now).finally(() => this.#noting.delete(name))
    this.#noting.set(name, mine)
    await mine
  }

  async #note(
    { owner, handle, generation }: Credential,
    status: number,
    now: number,
  ): Promise<void> {
    try {
      await this.update(owner, handle, (one) => {
        // The answer was about a secret that has been renewed since, or others have noted the same.
        if (one.generation !== generation || !says(one, status, now)) return one
        const accepts = generation === undefined ? {} : { accepted: generation }
        const worked = isSuccess(status)
        const used = { ...one, lastUsedAt: now, ...(worked ? { workedAt: now, ...accepts } : {}) }
        if (status === 401 && one.state === 'active') return { ...used, state: 'invalid' }
        return worked && one.state === 'invalid' ? { ...used, state: 'active' } : used
      })
    } catch (error) {
      // The request was answered: that must not be lost over a note. A broken store shows elsewhere.
      if (!AuthError.isInstance(error)) throw error
    }
  }

  /** Writes down the scopes without which the service refused a request. Throws nothing that the store throws. */
  async lacking({ owner, handle }: Credential, scopes: readonly string[]): Promise<void> {
    try {
      await this.update(owner, handle, (one) => {
        const { lacks = [] } = one
        return { ...one, lacks: [...new Set([...lacks, ...scopes])].slice(0, maxLacks) }
      })
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
    }
  }

  /** An owner's that can be read, the newest first. */
  async list(owner: Owner): Promise<readonly Credential[]> {
    return (await this.#all(owner)).found
  }

  /** The same for a request, as old as the cache allows. */
  async listForUse(owner: Owner): Promise<readonly Credential[]> {
    return this.#cache.get(await ownerKey(owner), () => this.list(owner))
  }

  /** One for a request, as old as the cache allows. */
  async getForUse(owner: Owner, handle: string): Promise<Credential> {
    const held = this.#cache.on ? await this.listForUse(owner) : []
    return held.find((one) => one.handle === handle) ?? this.get(owner, handle)
  }

  /**
   * One that a service has refused, as it is now, if that can be told; what else is remembered of its
   * owner is read anew as well. The answer must not be lost over it: throws nothing that the store throws.
   */
  async latest(credential: Credential): Promise<Credential | undefined> {
    const owner = holderOf(credential)
    this.#cache.drop(await ownerKey(owner))
    try {
      return await this.find(owner, credential.handle)
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
      return undefined
    }
  }

  /** Why none was found for a service: what cannot be read is not said to be absent. */
  async whyNone(owner: Owner): Promise<string> {
    const { unreadable } = await this.#all(owner)
    const none = 'No credential is held for this service'
    return unreadable === 0
      ? `${none}.`
      : `${none}, as far as can be told: ${unreadable} of those stored cannot be read, which the operator has to look at.`
  }

  async #all(owner: Owner): Promise<{ found: readonly Credential[]; unreadable: number }> {
    const key = await ownerKey(owner)
    const found: Credential[] = []
    let unreadable = 0
    for await (const page of pagesOf(this.#store, { kind: 'credential', owner: key })) {
      const opened = page.records.map((record) => this.#open(record).catch(unlessDamaged))
      for (const one of await Promise.all(opened)) {
        if (one === 'damaged') unreadable++
        else if (one) found.push(one)
      }
      unreadable += page.damaged.length
    }
    return { found: found.sort((a, b) => b.issuedAt - a.issuedAt), unreadable }
  }

  /** Those that may serve a service, the best first. */
  async forService(owner: Owner, service: string): Promise<readonly Credential[]> {
    return ranked(await this.list(owner), service)
  }

  /** The same for a request, as old as the cache allows. */
  async forUse(owner: Owner, service: string): Promise<readonly Credential[]> {
    return ranked(await this.listForUse(owner), service)
  }

  /**
   * Takes the secrets that an owner holds, and `more`, out of text. The redactor is built anew, which is
   * what takes long, only when they have changed. What is too short to be told from ordinary text is
   * left out.
   */
  async redactor(
    owner: Owner,
    held: readonly Credential[],
    more: readonly Secret[],
  ): Promise<Redactor> {
    const secrets = [...held.flatMap(secretsOf), ...more].filter(canRedact)
    const of = JSON.stringify(secrets.map((secret) => Secret.open(secret)))
    const key = await ownerKey(owner)
    const known = this.#redactors.get(key)
    if (known?.of === of) return known.redactor
    const redactor = createRedactor(secrets)
    this.#redactors.delete(key)
    this.#redactors.set(key, { of, redactor })
    const [oldest] = this.#redactors.keys()
    if (this.#redactors.size > maxRedactors && oldest !== undefined) this.#redactors.delete(oldest)
    return redactor
  }

  async #ref(owner: Owner, handle: string): Promise<RecordRef> {
    return { kind: 'credential', owner: await ownerKey(owner), id: handle }
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** An answer's status says more of a credential than is written down. */
function says(
  { state, lastUsedAt = 0, workedAt, generation, accepted }: Credential,
  status: number,
  now: number,
): boolean {
  const changes =
    (status === 401 && state === 'active') ||
    (isSuccess(status) &&
      (state === 'invalid' || workedAt === undefined || accepted !== generation))
  return changes || now - lastUsedAt >= noteEveryMs
}

/** Another owner's that cannot be read must not hide one's own. */
function unlessDamaged(error: unknown): 'damaged' {
  const damage = ['store_damaged', 'store_wrong_key', 'store_version']
  if (AuthError.isInstance(error) && damage.includes(error.code)) return 'damaged'
  throw error
}

/** Who has it in hand: its owner, or whom it is shared with. */
export function holderOf({ owner, shared }: Credential): Owner {
  return shared?.to ?? owner
}

function unknown(handle: string): AuthError {
  return new AuthError('not_found', `there is no credential ${handle.slice(0, 80)} of this owner`)
}

/** How it is put into requests, alone. */
export function presentationOf({
  header,
  prefix,
  basic,
  query,
  beside,
}: Presentation): Presentation {
  return {
    header,
    prefix,
    ...(basic && { basic }),
    ...(query !== undefined && { query }),
    ...(beside && { beside }),
  }
}
