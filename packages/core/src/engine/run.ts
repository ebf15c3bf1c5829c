import type { Action, Verb } from '../consent/action.ts'
import type { Consents, Passage } from '../consent/consents.ts'
import type { Call, Consent } from '../consent/ledger.ts'
import { AuthError } from '../errors.ts'
import type { Assertions, Obtained } from '../identity/assertion.ts'
import type {
  Failure,
  Json,
  Method,
  PlanAnswer,
  RequestPlan,
  Transition,
  WorkEvent,
} from '../methods/method.ts'
import type { GuardedFetch } from '../net/transport.ts'
import type { Outcome } from '../outcome.ts'
import { createRedactor } from '../use/redactor.ts'
import type { Credentials } from '../vault/credentials.ts'
import { Secret } from '../vault/secret.ts'
import { surely } from '../vault/surely.ts'
import { keepClaimed, keepIssued, keepUnclaimed } from './issued.ts'
import { needsConsent, outcomeOf, unreachable } from './outcome-of.ts'
import type { Recipes } from './recipes.ts'
import {
  encodeRegistration,
  type JournalEntry,
  type Loaded,
  type Registration,
} from './registration.ts'
import { type Sent, sendPlan } from './send.ts'
import { accepts, actionFor, type Push, step } from './step.ts'
import type { Works } from './work.ts'

const maxSteps = 20
const againMs = 30_000

interface RunParts {
  readonly consents: Consents
  readonly credentials: Credentials
  readonly recipes: Recipes
  readonly fetch: GuardedFetch
  readonly now: () => number
  readonly method: Method
  readonly write: (next: Registration, expected: number, sure: boolean) => Promise<number>
  readonly verb: Verb
  readonly call: Call
  readonly assertions: Assertions
  readonly works: Works
}

/** One run of one registration, under its lease. */
export class Run {
  readonly #parts: RunParts
  #registration: Registration
  #stored: number
  #redeemed: Consent | undefined
  #reopen = false
  /** What was sent under a consent is sent again because nobody read its answer. */
  #repeats = false
  /** An answer was read that is not written down yet. */
  #unwritten = false

  constructor(parts: RunParts, loaded: Loaded) {
    this.#parts = parts
    this.#registration = loaded.registration
    this.#stored = loaded.stored
  }

  async go(push: Push): Promise<Outcome> {
    if (this.#registration.inFlight) {
      // An answer that a process before us never read comes first; what was pushed was said to
      // another state, so that only what is true in any state may still follow.
      const outcome = await this.#recover(this.#registration.inFlight)
      if (!['tick', 'mail', 'person'].includes(push.type)) return outcome
      if (this.#registration.wait?.for === 'consent') return outcome
    }
    if (!accepts(this.#registration, push)) return this.#outcome()
    return this.#advance(await this.#step(push), push)
  }

  #step(push: Push): Promise<Transition<Json>> {
    return step(this.#parts.method, this.#registration, push, this.#parts.now())
  }

  async #recover(inFlight: NonNullable<Registration['inFlight']>): Promise<Outcome> {
    const { plans, unsent } = inFlight
    // What it waits for is to send these again, which is nothing to go back to if they fail once more.
    if (unsent) this.#registration = omit(this.#registration, 'wait')
    if (unsent || plans.every((plan) => plan.ifLost === 'repeat')) {
      this.#repeats = !unsent
      return this.#advance({ state: this.#registration.state, next: { send: plans } })
    }
    return this.#advance(await this.#lost(plans))
  }

  /** Takes transition after transition until one waits, ends or needs a consent that is not there. */
  async #advance(first: Transition<Json>, push?: Push): Promise<Outcome> {
    let transition = first
    let from: Push['type'] | undefined = push?.type
    for (let steps = 0; steps < maxSteps; steps++) {
      if (transition.refusedBeforeCommit) this.#reopen = true
      const { next } = transition
      const before = await this.#before(next)
      if ('event' in before) {
        this.#registration = omit(this.#changed(transition), 'wait', 'failed')
        transition = await this.#step(before.event)
        from = 'answer'
        continue
      }
      if (!('send' in next)) {
        await this.#rest(transition)
        return this.#settle(await this.#outcome())
      }
      const missing = await this.#consent(next.send)
      if (missing) return this.#settle(await this.#without(missing, transition, from))
      await this.#depart(transition, next.send, before.secrets)
      const sent = await this.#send(next.send)
      if (typeof sent === 'string') return this.#settle(await this.#back(next.send, sent))
      transition = sent
      from = 'answer'
    }
    throw new AuthError('method_failed', `${this.#parts.method.id} does not come to rest`)
  }

  /** What a method must be told, and what goes along, before anything is sent. */
  async #before(next: Transition<Json>['next']): Promise<Obtained | { event: WorkEvent }> {
    const { assertions, works } = this.#parts
    if (!('work' in next)) return assertions.before(next)
    return { event: await works.do(this.#registration.id, next.work) }
  }

  /** Writes down that these requests are about to be sent. */
  async #depart(transition: Transition<Json>, plans: Plans, obtained: Secrets): Promise<void> {
    const before = this.#registration
    this.#registration = { ...before, secrets: { ...before.secrets, ...obtained } }
    const consent = this.#redeemed?.id
    const entries = plans.map(({ name, effect }): JournalEntry => {
      return { name, effect, sentAt: this.#parts.now(), ...(consent ? { consent } : {}) }
    })
    await this.#write({
      ...omit(this.#changed(transition), 'wait', 'failed'),
      status: 'running',
      consents: consent ? [...new Set([...before.consents, consent])] : before.consents,
      journal: [...before.journal, ...entries],
      inFlight: {
        plans,
        before: {
          state: before.state,
          secrets: Object.keys(before.secrets),
          ...(before.wait ? { wait: before.wait } : {}),
        },
      },
    })
  }

  /** Writes down where it came to rest. */
  async #rest(transition: Transition<Json>): Promise<void> {
    const { next } = transition
    const rest = omit(this.#changed(transition), 'inFlight', 'wait', 'failed')
    if ('wait' in next) return this.#write({ ...rest, status: 'waiting', wait: next.wait })
    const { credentials, recipes, now } = this.#parts
    if ('failed' in next) {
      const failed = withoutSecrets(next.failed, Object.values(rest.secrets))
      if (rest.credential === undefined) {
        return this.#write({ ...rest, status: 'failed', failed, secrets: {} })
      }
      const claimed = (await keepUnclaimed(credentials, rest)) === 'claimed'
      const said = claimed ? {} : { failed }
      return this.#write({ ...rest, ...said, status: 'ready', secrets: {} })
    }
    if (!('done' in next)) return
    // The credential before anything else: a kill between these two writes loses nothing.
    const claimed = rest.credential !== undefined
    const keep = claimed ? keepClaimed : keepIssued
    const handle = await surely(() => keep(credentials, rest, next.done, now()))
    await this.#write({ ...rest, status: 'ready', credential: handle, secrets: {} })
    const { owner, offer } = rest
    if (next.done.recipe !== undefined) {
      await recipes.keep(owner, offer.service, offer.method, next.done.recipe)
    }
  }

  #changed(transition: Transition<Json>): Registration {
    const held = this.#registration
    const secrets: Record<string, Secret> = { ...held.secrets }
    for (const [name, secret] of Object.entries(transition.secrets ?? {})) {
      if (secret === null) delete secrets[name]
      else secrets[name] = secret
    }
    // A consent that was used up for good makes the next step a new action.
    const goesOn =
      'send' in transition.next || 'identify' in transition.next || 'work' in transition.next
    const used = this.#redeemed !== undefined && !this.#reopen && !goesOn
    return {
      ...held,
      state: transition.state,
      secrets,
      orphans: transition.orphan ? [...held.orphans, transition.orphan] : held.orphans,
      revision: used ? held.revision + 1 : held.revision,
    }
  }

  async #send(plans: Plans): Promise<Transition<Json> | 'unsent' | 'unknown'> {
    const { secrets, start } = this.#registration
    const attempt = (plan: RequestPlan, resent: number) =>
      sendPlan(plan, secrets, start, this.#parts.fetch, resent)
    const unread = new Set(plans.filter((plan) => this.#wasUnread(plan)))
    const sent = await Promise.all(
      plans.map(async (plan): Promise<Sent> => {
        const first = await attempt(plan, 0)
        // An identity assertion is sent once.
        const again = plan.ifLost === 'repeat' && plan.asserts === undefined
        if (typeof first !== 'string' || !again) return first
        if (first === 'unknown') unread.add(plan)
        return attempt(plan, 1)
      }),
    )
    const [only] = sent
    if (plans.length === 1 && typeof only === 'object' && 'refused' in only) {
      this.#note(plans, (entry) => ({ ...entry, lost: 'unsent' }))
      this.#reopen = true
      const reason = `${plans[0].name} was not sent: ${only.refused}`
      return {
        state: this.#registration.state,
        next: { failed: { code: 'request_refused', reason } },
      }
    }
    if (plans.length === 1 && typeof only === 'string') {
      if (only === 'unsent' || plans[0].ifLost === 'repeat') return only
      return this.#lost(plans)
    }
    this.#unwritten = true
    const answers: Record<string, PlanAnswer | 'lost'> = {}
    for (const [at, plan] of plans.entries()) {
      const answer = sent[at]
      const read = typeof answer === 'object' && 'status' in answer
      const repeated = unread.has(plan) ? { repeated: true as const } : {}
      answers[plan.name] = read ? { ...answer, ...repeated } : 'lost'
    }
    this.#note(plans, (entry) => {
      const answer = answers[entry.name]
      if (answer === undefined || answer === 'lost') return { ...entry, lost: 'unknown' }
      return { ...entry, answeredAt: this.#parts.now(), status: answer.status }
    })
    return this.#step({ type: 'answer', answers })
  }

  /** Whether the request of this name was sent before the last time, and its answer never read. */
  #wasUnread({ name }: RequestPlan): boolean {
    const before = this.#registration.journal.filter((entry) => entry.name === name).at(-2)
    return before !== undefined && before.status === undefined && before.lost !== 'unsent'
  }

  /** Tells the method that an answer will never come. */
  #lost(plans: Plans): Promise<Transition<Json>> {
    this.#note(plans, (entry) => ({ ...entry, lost: 'unknown' }))
    this.#registration = omit(this.#registration, 'inFlight')
    const lost = plans.find((plan) => plan.ifLost !== 'repeat') ?? plans[0]
    return this.#step({ type: 'lost', name: lost.name })
  }

  /** The service was not reached: stand where we stood before, the consent open again. */
  async #back(plans: Plans, lost: 'unsent' | 'unknown'): Promise<Outcome> {
    const before = this.#registration.inFlight?.before
    this.#reopen = true
    this.#note(plans, (entry) => ({ ...entry, lost }))
    if (before?.wait) {
      const { state, wait, secrets: held = Object.keys(this.#registration.secrets) } = before
      const kept = Object.entries(this.#registration.secrets).filter(([name]) =>
        held.includes(name),
      )
      const rest = { ...omit(this.#registration, 'inFlight'), secrets: Object.fromEntries(kept) }
      await this.#write({ ...rest, state, wait, status: 'waiting' })
    } else if (this.#registration.credential !== undefined) {
      const rest = omit(this.#registration, 'inFlight')
      await this.#write({ ...rest, status: 'ready', secrets: {} })
    } else {
      // Nothing to go back to: the requests stay in flight, known not to have been sent.
      const wait = { for: 'time', at: this.#parts.now() + againMs, reason: 'unreachable' } as const
      const inFlight = { plans, unsent: true, before: { state: this.#registration.state } } as const
      await this.#write({ ...this.#registration, inFlight, wait, status: 'waiting' })
    }
    return unreachable(this.#registration, plans[0].name, this.#parts.now() + againMs)
  }

  /** The consent that these requests need; what is missing of it, or undefined when they may go. */
  async #consent(plans: Plans): Promise<Missing | undefined> {
    const effects = plans.flatMap((plan) => plan.binds ?? [])
    const repeats = this.#repeats
    this.#repeats = false
    if (repeats) return undefined
    if (effects.length === 0) {
      const bare = plans.find((plan) => plan.effect === 'creates' && !this.#covered(plan))
      if (bare === undefined) return undefined
      throw new AuthError('method_failed', `${bare.name} would be sent without a consent`)
    }
    const action = await actionFor(this.#registration, this.#parts.verb, effects)
    // Refused before anything was done: the same again is still what was agreed to.
    if (this.#reopen && this.#redeemed?.action.digest === action.digest) {
      this.#reopen = false
      return undefined
    }
    const standing = await this.#parts.consents.redeem(action, this.#parts.call)
    if (standing.kind !== 'open') return { standing, action }
    this.#redeemed = standing.consent
    this.#reopen = false
    return undefined
  }

  /** Without a consent: what an answer led to must not be lost, what a call said can be said again. */
  async #without(
    { standing, action }: Missing,
    transition: Transition<Json>,
    from: Push['type'] | undefined,
  ): Promise<Outcome> {
    const sayable = ['model', 'retry', 'claim'].includes(from ?? '')
    const stays = this.#registration.wait?.for === 'consent' || sayable
    if ('send' in transition.next && !stays) {
      const wait = { for: 'consent', plans: transition.next.send } as const
      const rest = omit(this.#changed(transition), 'inFlight', 'failed')
      await this.#write({ ...rest, status: 'waiting', wait })
    }
    return needsConsent(standing, action, this.#parts.consents)
  }

  /** An earlier consent covers a creating request that is sent for the first time. */
  #covered(plan: RequestPlan): boolean {
    const { consents, journal } = this.#registration
    const sentBefore = journal.some(
      ({ name, lost, status }) =>
        name === plan.name && lost !== 'unsent' && !(status && status >= 400 && status < 500),
    )
    return consents.length > 0 && !sentBefore
  }

  /** Changes the journal entries of the latest plans. */
  #note(plans: Plans, change: (entry: JournalEntry) => JournalEntry): void {
    const { journal } = this.#registration
    const from = journal.length - plans.length
    const changed = journal.map((entry, at) => (at < from ? entry : change(entry)))
    this.#registration = { ...this.#registration, journal: changed }
  }

  #outcome(): Promise<Outcome> {
    return outcomeOf(this.#registration, this.#parts.credentials, this.#parts.now())
  }

  async #settle(outcome: Outcome): Promise<Outcome> {
    if (this.#redeemed) {
      await this.#parts.consents.ledger.settle(this.#redeemed, outcome, this.#reopen)
    }
    return outcome
  }

  async #write(next: Registration): Promise<void> {
    refuseSecretsInState(next)
    this.#stored = await this.#parts.write(next, this.#stored, this.#unwritten)
    this.#unwritten = false
    this.#registration = next
  }
}

type Secrets = Registration['secrets']
type Plans = readonly [RequestPlan, ...RequestPlan[]]
type Missing = { readonly standing: Passage; readonly action: Action }

/** A method that copies a secret into its state would leak it into outcomes: a fault of the method. */
function refuseSecretsInState(registration: Registration): void {
  const shown = encodeRegistration({ ...registration, secrets: {} })
  for (const [name, secret] of Object.entries(registration.secrets)) {
    if (shown.includes(JSON.stringify(Secret.open(secret)).slice(1, -1))) {
      throw new AuthError(
        'method_failed',
        `${registration.offer.method} keeps ${name} in its state`,
      )
    }
  }
}

/** A service may echo in its errors what it was sent. */
function withoutSecrets(failed: Failure, secrets: readonly Secret[]): Failure {
  if (failed.errors === undefined || secrets.length === 0) return failed
  const redactor = createRedactor(secrets)
  const errors = failed.errors.map((error) =>
    Object.fromEntries(
      Object.entries(error).map(([name, text]) => [name, redactor.redact(text).text]),
    ),
  )
  return { ...failed, errors }
}

function omit<K extends keyof Registration>(
  registration: Registration,
  ...keys: K[]
): Registration {
  const copy: Record<string, unknown> = { ...registration }
  for (const key of keys) delete copy[key]
  return copy as unknown as Registration
}
