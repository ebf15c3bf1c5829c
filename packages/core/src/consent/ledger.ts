import { AuthError } from '../errors.ts'
import { type AuthEvent, endingOf } from '../events.ts'
import type { Outcome } from '../outcome.ts'
import { type Owner, ownerKey } from '../owner.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import { pagesOf } from '../vault/pages.ts'
import type { RecordRef, Store } from '../vault/store.ts'
import type { Action } from './action.ts'
import { callKey, hasCall, sameThread, usedUp } from './calls.ts'
import { coolingOffMs, Denials } from './denials.ts'

const lifetimeMs = 15 * 60_000
const tries = 3

/**
 * How a framework's call stands to a decision. `callId` and `thread` are the framework's own; without
 * them a consent is matched by its action alone.
 */
export interface Call {
  /** Who carries the question to the person: `ai-sdk`, `langchain`, `mastra`, `code` … */
  readonly channel: string
  readonly callId?: string
  readonly thread?: string
}

/** What a person, or the framework on their behalf, decided. */
export interface Decision {
  readonly approved: boolean
  readonly approver: string
  readonly channel: string
  /** Why, in the person's own words; the model is told the first 500 characters. */
  readonly reason?: string
}

/** One question to a person, and all that became of it. Kept for the record. */
export interface Consent {
  readonly id: string
  readonly action: Action
  readonly state: 'asked' | 'approved' | 'denied' | 'redeemed'
  readonly triesLeft: number
  readonly calls: readonly Call[]
  readonly askedAt: number
  readonly expiresAt: number
  readonly decision?: Decision & { readonly at: number }
  readonly redeemedAt?: number
  /** The call that redeemed it; the same call again gets `outcome`. */
  readonly redeemedBy?: string
  readonly outcome?: Outcome
  /** How many questions about this same action came before. */
  readonly round: number
}

/**
 * Where a call stands with the ledger. `lost`: this very call used the consent up and never wrote down
 * what came of it, as when its process was killed.
 */
export type Standing =
  | { readonly kind: 'open'; readonly consent: Consent }
  | { readonly kind: 'asked'; readonly consent: Consent }
  | { readonly kind: 'done'; readonly outcome: Outcome; readonly consent: Consent }
  | { readonly kind: 'lost'; readonly consent: Consent }
  | { readonly kind: 'denied'; readonly consent: Consent; readonly until: number }
  | { readonly kind: 'none' }

interface Row {
  readonly consent: Consent
  readonly revision: number
}

/**
 * The book of consents. One row an action (by digest); a decided row is never decided again, a used
 * row never used again. A later question about the same action is a new row, the old one is kept.
 */
export class ConsentLedger {
  readonly #store: Store
  readonly #index: RecordIndex
  readonly #now: () => number
  readonly #denials: Denials
  readonly #emit: (event: AuthEvent) => void

  constructor(
    store: Store,
    index: RecordIndex,
    now: () => number,
    emit: (event: AuthEvent) => void = () => {},
  ) {
    this.#store = store
    this.#denials = new Denials(store, now)
    this.#index = index
    this.#now = now
    this.#emit = emit
  }

  /** Where this call stands, without writing anything. */
  async look(action: Action, call: Call): Promise<Standing> {
    const row = await this.#read(action.owner, action.digest)
    const standing: Standing = row ? this.#standing(row.consent, call) : { kind: 'none' }
    return (standing.kind === 'none' && (await this.#refused(action))) || standing
  }

  /** Puts the question, or joins the call to the question that is open already. */
  async ask(action: Action, call: Call): Promise<Standing> {
    return compareAndSet(async () => {
      const row = await this.#read(action.owner, action.digest)
      const standing: Standing = row ? this.#standing(row.consent, call) : { kind: 'none' }
      if (standing.kind !== 'none' && standing.kind !== 'lost') return standing
      const refused = await this.#refused(action)
      if (refused) return refused
      if (row?.consent.state === 'asked' && row.consent.expiresAt > this.#now()) {
        const joined = { ...row.consent, calls: [...row.consent.calls, call] }
        await this.#pointAt(joined, call)
        await this.#write(action.owner, joined, row.revision)
        return { kind: 'asked', consent: joined }
      }
      const consent = await this.#begin(action, call, row)
      await this.#pointAt(consent, call)
      await this.#write(action.owner, consent, row?.revision ?? 0)
      return { kind: 'asked', consent }
    })
  }

  /** The question that stands open for a framework's call, whatever that call would do by now. */
  async asked(owner: Owner, call: Call): Promise<Consent | undefined> {
    const ref = await this.#index.find(await callKey(owner, call))
    const row = ref && (await this.#read(owner, ref.id))
    const standing = row && this.#standing(row.consent, call)
    const own = row?.consent.calls.some(({ callId }) => callId === call.callId)
    return own && standing?.kind === 'asked' ? standing.consent : undefined
  }

  /** The questions of an owner that a person may answer now, the oldest first. */
  async open(owner: Owner): Promise<readonly Consent[]> {
    const found: Consent[] = []
    const query = { kind: 'consent', owner: await ownerKey(owner) } as const
    for await (const { records } of pagesOf(this.#store, query)) {
      for (const { id, value } of records) {
        const consent = JSON.parse(value) as Consent
        // A row that was put aside has another id than its action's digest.
        const live = consent.state === 'asked' && id === consent.action.digest
        if (live && consent.expiresAt > this.#now()) found.push(consent)
      }
    }
    return found.sort((a, b) => a.askedAt - b.askedAt)
  }

  /** Records a decision. Deciding again the same is no error; deciding otherwise is refused. */
  async decide(owner: Owner | undefined, id: string, decision: Decision): Promise<Consent> {
    return compareAndSet(async () => {
      const row = await this.byId(id)
      const { consent } = row
      if (owner && (await ownerKey(owner)) !== (await ownerKey(consent.action.owner))) {
        throw new AuthError('not_found', `there is no consent ${id} of this owner`)
      }
      if (consent.state !== 'asked') {
        const before = consent.decision?.approved
        if (before === decision.approved) return consent
        throw new AuthError('invalid_input', `consent ${id} was decided before`)
      }
      if (consent.expiresAt <= this.#now()) {
        throw new AuthError('invalid_input', `consent ${id} has expired`)
      }
      const at = this.#now()
      const decided: Consent = {
        ...consent,
        state: decision.approved ? 'approved' : 'denied',
        decision: { ...decision, at },
      }
      await this.#write(consent.action.owner, decided, row.revision)
      this.#tellDecision(decided)
      if (!decision.approved) await this.#denials.add(consent.action, id, at)
      return decided
    })
  }

  /** Writes down what a person does themselves: it answers the open question, and no earlier no binds it. */
  async order(action: Action, call: Call, decision: Decision): Promise<void> {
    await compareAndSet(async () => {
      const row = await this.#read(action.owner, action.digest)
      const standing = row && this.#standing(row.consent, call).kind
      if (standing === 'open' || standing === 'done') return
      const now = this.#now()
      const isAsked = row?.consent.state === 'asked' && row.consent.expiresAt > now
      const asked = isAsked ? row.consent : await this.#begin(action, call, row)
      const calls = isAsked ? [...asked.calls, call] : asked.calls
      const ordered: Consent = {
        ...asked,
        calls,
        state: 'approved',
        decision: { ...decision, at: now },
      }
      await this.#write(action.owner, ordered, row?.revision ?? 0)
      this.#tellDecision(ordered)
    })
  }

  /**
   * Uses an open consent up for this call. Of two calls at once exactly one gets `open`; the caller
   * must then do the thing and `settle` it.
   */
  async redeem(action: Action, call: Call): Promise<Standing> {
    return compareAndSet(async () => {
      const row = await this.#read(action.owner, action.digest)
      if (row === undefined) return { kind: 'none' }
      const { consent } = row
      const standing = this.#standing(consent, call)
      if (standing.kind !== 'open') return standing
      const redeemed = usedUp(consent, call, this.#now())
      await this.#write(action.owner, redeemed, row.revision)
      this.#tellRedeemed(redeemed, call)
      return { kind: 'open', consent: redeemed }
    })
  }

  /**
   * Writes a policy's yes down and uses it up for this call. A person's word on this very action comes
   * first, and what this call did before; without an id a call is a new one each time.
   */
  async grant(action: Action, call: Call, approver: string): Promise<Standing> {
    return compareAndSet(async () => {
      const row = await this.#read(action.owner, action.digest)
      const standing: Standing = row ? this.#standing(row.consent, call) : { kind: 'none' }
      if (standing.kind === 'denied') return standing
      const own = standing.kind === 'done' || standing.kind === 'lost'
      if (own && call.callId !== undefined) return standing
      const now = this.#now()
      const granted: Consent =
        standing.kind === 'open'
          ? standing.consent
          : {
              ...(await this.#begin(action, call, row)),
              decision: { approved: true, approver, channel: 'policy', at: now },
            }
      const consent = usedUp(granted, call, now)
      await this.#write(action.owner, consent, row?.revision ?? 0)
      // A person's word was told when it was given.
      if (standing.kind !== 'open') this.#tellDecision(consent)
      this.#tellRedeemed(consent, call)
      return { kind: 'open', consent }
    })
  }

  /**
   * Writes down what came of it. `reopen`: the service refused before it committed, so the consent
   * stays open until it expires, for as many tries as are left.
   */
  async settle(used: Consent, outcome: Outcome, reopen: boolean): Promise<void> {
    const { owner } = used.action
    await compareAndSet(async () => {
      const row = await this.#used(used)
      if (row === undefined) return
      const { consent, revision, archived } = row
      const triesLeft = consent.triesLeft - 1
      const open = reopen && !archived && triesLeft > 0 && consent.expiresAt > this.#now()
      const { redeemedAt, ...rest } = consent
      const settled: Consent = open
        ? { ...rest, state: 'approved', triesLeft, outcome }
        : { ...consent, triesLeft, outcome }
      await this.#write(owner, settled, revision, archived)
      this.#emit({
        ...about(settled, this.#now()),
        type: 'settled',
        open,
        ending: endingOf(outcome),
      })
    })
  }

  #tellDecision(consent: Consent): void {
    const { decision, askedAt } = consent
    if (decision === undefined) return
    const { approved, channel, at } = decision
    this.#emit({ ...about(consent, at), type: 'decision', approved, channel, askedAt })
  }

  #tellRedeemed(consent: Consent, { channel }: Call): void {
    this.#emit({ ...about(consent, this.#now()), type: 'redeemed', channel })
  }

  /** The row of a used consent; archived when the question was put anew meanwhile. */
  async #used({ id, action, round }: Consent): Promise<(Row & { archived: boolean }) | undefined> {
    const live = await this.#read(action.owner, action.digest)
    if (live?.consent.id === id) return { ...live, archived: false }
    const before = await this.#read(action.owner, archiveId({ action, round }))
    return before && { ...before, archived: true }
  }

  /** The row of a consent's id. Throws `not_found`; an archived row has its own id. */
  async byId(id: string): Promise<Row> {
    const ref = await this.#index.find(id)
    const record = ref === undefined ? undefined : await this.#store.get(ref)
    if (record === undefined) throw new AuthError('not_found', `there is no consent ${id}`)
    const consent = JSON.parse(record.value) as Consent
    if (consent.id !== id) throw new AuthError('not_found', `consent ${id} is closed`)
    return { consent, revision: record.revision }
  }

  #standing(consent: Consent, call: Call): Standing {
    const now = this.#now()
    switch (consent.state) {
      case 'asked':
        return consent.expiresAt > now && hasCall(consent, call)
          ? { kind: 'asked', consent }
          : { kind: 'none' }
      case 'denied': {
        const until = (consent.decision?.at ?? consent.askedAt) + coolingOffMs
        return until > now ? { kind: 'denied', consent, until } : { kind: 'none' }
      }
      case 'approved':
        if (consent.expiresAt <= now || consent.triesLeft <= 0) return { kind: 'none' }
        if (!sameThread(consent, call)) return { kind: 'none' }
        // The call that has an outcome already gets it again; another call is another try.
        if (consent.outcome && call.callId !== undefined && consent.redeemedBy === call.callId) {
          return { kind: 'done', outcome: consent.outcome, consent }
        }
        return { kind: 'open', consent }
      case 'redeemed':
        if (call.callId !== consent.redeemedBy) return { kind: 'none' }
        if (!consent.outcome) return { kind: 'lost', consent }
        // All tries were refused: the next one is another question.
        if (consent.triesLeft <= 0 && call.callId === undefined) return { kind: 'none' }
        // Without a call id "the same call" is the same action, for as long as the consent lasts.
        return call.callId !== undefined || consent.expiresAt > now
          ? { kind: 'done', outcome: consent.outcome, consent }
          : { kind: 'none' }
    }
  }

  /** A no that was said to the same a short while ago. */
  async #refused(action: Action): Promise<Standing | undefined> {
    const met = await this.#denials.met(action)
    if (met === undefined) return undefined
    const { consent } = await this.byId(met.consent)
    return { kind: 'denied', consent, until: met.until }
  }

  async #read(owner: Owner, id: string): Promise<Row | undefined> {
    const key = await ownerKey(owner)
    const record = await this.#store.get({ kind: 'consent', owner: key, id })
    if (record === undefined) return undefined
    return { consent: JSON.parse(record.value) as Consent, revision: record.revision }
  }

  async #write(
    owner: Owner,
    consent: Consent,
    expected: number,
    archived: boolean = false,
  ): Promise<RecordRef> {
    const id = archived ? archiveId(consent) : consent.action.digest
    const ref = { kind: 'consent', owner: await ownerKey(owner), id } as const
    await this.#store.put({ ...ref, value: JSON.stringify(consent) }, expected)
    return ref
  }

  /** A new row for an action, found by its id; the one before it is put aside. */
  async #begin(action: Action, call: Call, before: Row | undefined): Promise<Consent> {
    if (before) await this.#archive(action.owner, before)
    const round = before ? before.consent.round + 1 : 0
    const id = `cns_${action.digest.slice(0, 16)}_${round}`
    const owner = await ownerKey(action.owner)
    await this.#index.add(id, { kind: 'consent', owner, id: action.digest })
    const askedAt = this.#now()
    const expiresAt = askedAt + lifetimeMs
    return {
      id,
      action,
      state: 'asked',
      triesLeft: tries,
      calls: [call],
      askedAt,
      expiresAt,
      round,
    }
  }

  async #pointAt({ action }: Consent, call: Call): Promise<void> {
    if (call.callId === undefined) return
    const { owner, digest: id } = action
    const ref = { kind: 'consent', owner: await ownerKey(owner), id } as const
    await this.#index.set(await callKey(owner, call), ref)
  }

  /** Puts a row aside for the record; safe to do again where a process was killed half-way. */
  async #archive(owner: Owner, { consent }: Row): Promise<void> {
    const known = await this.#read(owner, archiveId(consent))
    const ref = await this.#write(owner, consent, known?.revision ?? 0, true)
    await this.#index.set(consent.id, ref)
  }
}

/** What every event of a consent says. */
function about({ id, action, decision }: Consent, at: number) {
  return { at, consent: id, action, approver: decision?.approver ?? '' }
}

function archiveId({ action, round }: Pick<Consent, 'action' | 'round'>): string {
  return `${action.digest}-${round}`
}
