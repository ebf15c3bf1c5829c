import { z } from 'zod'
import type { Action } from '../consent/action.ts'
import type { Consent, ConsentLedger } from '../consent/ledger.ts'
import type { Engine } from '../engine/engine.ts'
import {
  decodeRegistration,
  encodeRegistration,
  type Loaded,
  type Registration,
} from '../engine/registration.ts'
import { AuthError } from '../errors.ts'
import { cleanSecret } from '../inputs.ts'
import type { PersonInput } from '../methods/method.ts'
import type { BesideKey, Outcome, PersonNeed } from '../outcome.ts'
import { type Owner, parseOwner } from '../owner.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import { Secret } from '../vault/secret.ts'
import type { Store } from '../vault/store.ts'
import { awaiting, readCallback } from './callback.ts'
import { createIntake, type Intake, type IntakeOptions } from './intake.ts'
import { approvalSubject } from './intake-approval.ts'
import { needOf, needSubject } from './intake-need.ts'
import type { Subject } from './intake-subject.ts'
import type { Notifier } from './notifier.ts'
import { pastedKey } from './pasted-key.ts'
import { typedCode } from './typed-code.ts'

/** What the application's hook is told when a person is needed. */
export type PersonRequest =
  | {
      readonly kind: 'consent'
      /** Answer with `auth.people.answer(id, { approve }, …)`. */
      readonly id: string
      readonly owner: Owner
      readonly action: Action
    }
  | {
      readonly kind: 'need'
      /** A registration's id: answer with what the need asks for; absent where nothing is handed over. */
      readonly id?: string
      readonly owner: Owner
      readonly service?: string
      readonly need: PersonNeed
      readonly notice?: string
      /**
       * With `paste-key`: the names that the service's documents give the environment variable of the key. For
       * the operator's eyes: a hostile document may name the variable of another service's key.
       */
      readonly variables?: readonly string[]
    }

/** What a person answers: yes or no to an action, or what a need asks for. */
export type PersonDecision =
  | { readonly approve: boolean }
  | { readonly link: string }
  | { readonly email: string }
  /** A key that the person made: cleaned, checked for its form, and kept by the vault alone. */
  | {
      readonly secret: string
      /** What the need lists beside it, by name. */
      readonly beside?: Readonly<Record<string, string>> | undefined
      /** It was refused with `details.doubt` and is right all the same. */
      readonly insist?: boolean | undefined
    }
  /** A code that a page of the service showed; spaces, dashes and a few words around it do no harm. */
  | { readonly code: string }
  /** What was to be done on a page of the service is done, a code was typed there. */
  | { readonly done: true }

const decisionSchema: z.ZodType<PersonDecision> = z.union([
  z.strictObject({ approve: z.boolean() }),
  z.strictObject({ link: z.string().min(1).max(4096) }),
  z.strictObject({ email: z.email().max(254) }),
  z.strictObject({
    secret: z.string().min(1).max(65_536),
    beside: z.record(z.string(), z.string().min(1).max(8_192)).optional(),
    insist: z.boolean().optional(),
  }),
  z.strictObject({ code: z.string().min(1).max(4096) }),
  z.strictObject({ done: z.literal(true) }),
])

/** Whether an answer is well formed but for its address, which a person may have mistyped. */
function isAddressWrong(decision: unknown): boolean {
  const { email, ...rest } = Object(decision) as { email?: unknown }
  return typeof email === 'string' && Object.keys(rest).length === 0
}

export type HandedOver = Exclude<PersonDecision, { readonly approve: boolean }>

/** Which need each answer is for. */
const answers: Readonly<Record<PersonNeed['kind'], string>> = {
  'give-email': 'email',
  'open-mail': 'link',
  'paste-key': 'secret',
  'open-link': 'done',
  'enter-code': 'done',
  'read-code': 'code',
}

const approverSchema = z.strictObject({ approver: z.string().min(1).max(200) })

/** Who fills in a form, and in whose name it asks. */
export interface FormFor {
  /** Who is signed in, as the application knows: what is another owner's is not found. */
  readonly owner: Owner
  /** The person, as they stand in the record of a decision. */
  readonly approver: string
  /** What is expected to be asked; where it is something else by now, there is no form. */
  readonly kind: PersonNeed['kind'] | 'consent'
  /** Who runs the agent, as the person knows them. */
  readonly name?: string
}

interface PeopleParts {
  readonly store: Store
  readonly index: RecordIndex
  readonly ledger: ConsentLedger
  readonly engine: Engine
  readonly now: () => number
  readonly perform: Notifier['perform']
}

/** The way back for people: what they decide or hand over reaches core here, outside any chat. */
export class People {
  readonly #parts: PeopleParts

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  /**
   * Takes a person's answer to what `onPersonNeeded` or an outcome asked, by its id: a consent's
   * (`cns_…`, answered `{ approve }`) or a registration's (`reg_…`, answered `{ link }`, `{ email }`,
   * `{ secret }`, `{ code }` or `{ done: true }`).
   *
   * @throws AuthError `not_found` for an id that is not open, `invalid_input` for an answer of another
   * form, `secret_refused` for a text that cannot be the key or the code
   * @example await auth.people.answer(request.id, { approve: true }, { approver: 'kim@operator.example' })
   */
  async answer(
    id: string,
    decision: PersonDecision,
    by: { readonly approver: string },
  ): Promise<Consent | Outcome> {
    const said = decisionSchema.safeParse(decision)
    const who = approverSchema.safeParse(by)
    if (!said.success || !who.success) {
      throw new AuthError(
        'invalid_input',
        !said.success && isAddressWrong(decision)
          ? 'that is no mail address'
          : 'an answer is { approve: true or false }, { link }, { email }, { secret }, { code } or { done: true }, with { approver }',
      )
    }
    if (id.startsWith('cns_')) {
      if (!('approve' in said.data)) {
        throw new AuthError(
          'invalid_input',
          'a consent is answered with { approve: true or false }',
        )
      }
      return this.#decide(id, said.data.approve, who.data.approver)
    }
    if ('approve' in said.data) {
      throw new AuthError('invalid_input', 'only a consent is answered with { approve }')
    }
    return this.#handOver(id, said.data)
  }

  /**
   * All that waits for a person of this owner, as `onPersonNeeded` was told of it or would have been: what is
   * to be decided, then what is to be handed over or done, each the oldest first. No network.
   *
   * @example for (const { id } of await auth.people.waiting(owner)) if (id) show((await intake.link(id)).url)
   */
  async waiting(owner: Owner): Promise<readonly PersonRequest[]> {
    const { ledger, engine } = this.#parts
    const of = parseOwner(owner)
    const consents = (await ledger.open(of)).map(({ id, action }) => {
      return { kind: 'consent', id, owner: of, action } as const
    })
    const needs = (await engine.list(of)).flatMap((registration) => {
      const { id, offer, wait, identity } = registration
      const need = needOf(registration)
      if (!wait || !need || (wait.for === 'mail' && identity.mailbox)) return []
      const notice = 'notice' in wait && wait.notice ? { notice: wait.notice } : {}
      return [{ kind: 'need', id, owner: of, service: offer.service, need, ...notice } as const]
    })
    return [...consents, ...needs.reverse()]
  }

  /**
   * The form for one thing that waits, for a page that knows who is signed in and looks after their session and
   * its forms itself, such as the console. `shown` is what stands on the page (`@authmd/core/pages` makes a document of
   * it), `take` reads what came back. Undefined where it is not waited for any more, or is another owner's.
   *
   * @throws AuthError `owner_invalid`, `invalid_input` without an approver
   */
  async form(id: string, given: FormFor): Promise<Subject | undefined> {
    const { ledger, engine, now } = this.#parts
    const { approver, kind, name } = given
    const owner = parseOwner(given.owner)
    const by = { approver }
    if (!approverSchema.safeParse(by).success) {
      throw new AuthError('invalid_input', 'a form is for somebody: { approver }')
    }
    const frame = { now: now(), alone: false, ...(name === undefined ? {} : { name }) }
    if (kind === 'consent') {
      const consent = (await ledger.open(owner)).find((one) => one.id === id)
      const decide = (approve: boolean) => this.answer(id, { approve }, by)
      return (
        consent && approvalSubject({ consent, decide }, { ...frame, expires: consent.expiresAt })
      )
    }
    const registration = async () => (await engine.load(owner, id))?.registration
    const first = await registration()
    const expires = (first && needOf(first)?.until) ?? Infinity
    const answer = async (_: string, said: HandedOver) =>
      (await this.answer(id, said, by)) as Outcome
    return needSubject({ registration, answer }, kind, { ...frame, expires })
  }

  /**
   * Takes the address by which a browser came back from an authorization server. `owner` is who is signed
   * in at the application with that browser: what another owner began is not gone on with.
   *
   * @throws AuthError `invalid_input` for what is no such address, `not_found` where nobody of this owner
   * waits for it (any more): the same answer a second time, a made-up one, one of somebody else
   * @see RFC 6749 §4.1.2, RFC 9207
   * @example
   * ```ts
   * app.get('/back', async (c) => {
   *   await auth.people.callback(c.req.url, { owner: ownerOf(c), approver: userOf(c).email })
   *   return c.text('You can close this page.')
   * })
   * ```
   */
  async callback(
    address: string | URL,
    by: { readonly owner: Owner; readonly approver: string },
  ): Promise<Outcome> {
    const { owner, ...who } = by
    if (!approverSchema.safeParse(who).success) {
      throw new AuthError('invalid_input', 'a callback is taken for { owner, approver }')
    }
    const { engine } = this.#parts
    const came = readCallback(address)
    const { id } = await awaiting(await engine.list(parseOwner(owner)), came)
    const loaded = await engine.load(owner, id)
    if (loaded === undefined) throw new AuthError('not_found', 'there is no such registration')
    return this.#go(loaded, { callback: came.callback })
  }

  /** Goes on with what a person gave. */
  #go(loaded: Loaded, input: PersonInput): Promise<Outcome> {
    const { engine, perform } = this.#parts
    const call = { channel: 'people' }
    return perform(loaded.registration.owner, 'claim', call, () =>
      engine.run(loaded, { type: 'person', input }, 'claim', call),
    )
  }

  #decide(id: string, approved: boolean, approver: string): Promise<Consent> {
    return this.#parts.ledger.decide(undefined, id, { approved, approver, channel: 'people' })
  }

  /**
   * The page on which a person hands over what a registration waits for (a key, a mail's link, an
   * address) or says yes or no to an action. A web-standard handler, to be mounted at `baseUrl`, and the one-time links to it.
   *
   * @throws AuthError `invalid_input` for a base URL that is neither https nor loopback
   * @example
   * ```ts
   * const intake = auth.people.intake({ baseUrl: 'https://agents.operator.example/hand-over' })
   * app.all('/hand-over/*', (c) => intake.handle(c.req.raw))
   * const { url } = await intake.link(request.id) // for the person alone
   * ```
   */
  intake(options: IntakeOptions): Intake {
    const { store, index, ledger, now } = this.#parts
    const by = { approver: 'intake page' }
    const answer = async (id: string, said: HandedOver) =>
      (await this.answer(id, said, by)) as Outcome
    const decide = (id: string, approve: boolean) => this.answer(id, { approve }, by)
    return createIntake({ store, index, ledger, now, answer, decide }, options)
  }

  async #handOver(id: string, said: HandedOver): Promise<Outcome> {
    const ref = await this.#parts.index.find(id)
    const record = ref?.kind === 'registration' ? await this.#parts.store.get(ref) : undefined
    if (record === undefined) throw new AuthError('not_found', 'there is no such registration')
    const registration = decodeRegistration(record.value)
    const input = wantedInput(registration, said)
    const identity =
      'email' in input
        ? { email: input.email, emailFrom: 'person' as const, mailbox: false }
        : registration.identity
    const loaded = { registration: { ...registration, identity }, stored: record.revision }
    return this.#go(loaded, input)
  }
}

/** What was handed over beside a key: all that is asked for, and nothing else. */
function besideOf(
  wanted: readonly BesideKey[],
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string | Secret>> {
  const names = wanted.map(({ name }) => name)
  const other = Object.keys(given).some((name) => !names.includes(name))
  if (other || names.some((name) => !Object.hasOwn(given, name))) {
    throw new AuthError('invalid_input', `beside the key: ${names.join(', ') || 'nothing'}`)
  }
  return Object.fromEntries(
    wanted.map(({ name, label, secret }) => {
      const text = (given[name] ?? '').trim()
      if (secret) return [name, new Secret(cleanSecret(text, ''))]
      if (!/^[\x21-\x7e]{1,500}$/.test(text) || (name === 'user' && text.includes(':'))) {
        throw new AuthError('secret_refused', `this cannot be the ${label}`)
      }
      return [name, text]
    }),
  )
}

/** What the registration waits for, as its method takes it; throws for anything else. */
export function wantedInput(registration: Registration, said: HandedOver): PersonInput {
  const { id, wait, inFlight } = registration
  if (!inFlight && wait === undefined) {
    throw new AuthError('not_found', `registration ${id} has ended`, { details: { moved: true } })
  }
  const need = wait?.for === 'person' || wait?.for === 'mail' ? wait.need : undefined
  if (need && answers[need.kind] in said) {
    const form = wait?.for === 'person' ? wait.code : undefined
    if ('code' in said && form) return { code: typedCode(said.code, form) }
    if (!('secret' in said)) return said
    const shown = encodeRegistration({ ...registration, secrets: {} })
    const { prefix = '', form: looks = undefined } = wait?.for === 'person' ? wait : {}
    const page = need.url ?? registration.offer.service
    const wanted = { page, prefix, shown, form: looks, insists: said.insist }
    const secret = new Secret(pastedKey(said.secret, wanted))
    const beside = besideOf(need.beside ?? [], said.beside ?? {})
    return Object.keys(beside).length === 0 ? { secret } : { secret, beside }
  }
  const waits = need?.kind ?? (inFlight ? 'an answer of the service' : wait?.for)
  throw new AuthError('invalid_input', `registration ${id} waits for something else: ${waits}`, {
    details: { moved: true },
  })
}
