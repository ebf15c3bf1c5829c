import fc from 'fast-check'
import { Consents } from '../src/consent/consents.ts'
import { ConsentLedger } from '../src/consent/ledger.ts'
import { Rules } from '../src/consent/policy.ts'
import { Engine } from '../src/engine/engine.ts'
import { Recipes } from '../src/engine/recipes.ts'
import { decodeRegistration, type Loaded } from '../src/engine/registration.ts'
import { accepts, type Push } from '../src/engine/step.ts'
import { Waiters } from '../src/engine/waiters.ts'
import { Works } from '../src/engine/work.ts'
import { AuthError } from '../src/errors.ts'
import { manual } from '../src/methods/manual/index.ts'
import type { Identity, Json, Offer } from '../src/methods/method.ts'
import { telnyxSignup } from '../src/methods/telnyx-signup/index.ts'
import type { GuardedAnswer, GuardedRequest } from '../src/net/transport.ts'
import type { Outcome, OutcomeOf } from '../src/outcome.ts'
import { ownerKey } from '../src/owner.ts'
import { Credentials } from '../src/vault/credentials.ts'
import { RecordIndex } from '../src/vault/index-record.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { OwnerCache } from '../src/vault/owner-cache.ts'
import { Secret } from '../src/vault/secret.ts'
import { check, target } from './target.ts'

const api = 'https://api.svc.example/v2'
const portal = 'https://portal.svc.example/keys'
const owner = { tenant: 'acme' }
const sources = [{ url: 'https://svc.example/auth.md', kind: 'text' as const }]
const offers: readonly Offer[] = [
  {
    method: 'telnyx-signup',
    service: api,
    summary: '',
    needs: ['model', 'email', 'person'],
    sources,
    plan: {
      challenge: `${api}/bot_challenge`,
      signup: `${api}/bot_signup`,
      resend: `${api}/bot_signup/resend_magic_link`,
      sessions: `${api}/bot_sessions`,
      keys: `${api}/api_keys`,
      base: api,
      portal,
    },
  },
  {
    method: 'manual',
    service: api,
    summary: '',
    needs: ['person'],
    sources,
    plan: {
      page: portal,
      bases: [api],
      presentation: { header: 'authorization', prefix: 'Bearer ' },
      probe: `${api}/balance`,
      revocation: portal,
    },
  },
]

const event = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('go', 'answer', 'approve', 'tick', 'mail', 'link') },
  fc.constantFrom('deny', 'email', 'done', 'paste', 'bad-link', 'old-mail', 'retry', 'cancel'),
  fc.integer({ min: 1, max: 40 }).map((minutes) => minutes * 60_000),
)
const weird = fc.oneof(
  fc.constantFrom('', '{', 'null', '[]', '"x"', '<!doctype html><p>hm', '{"data":null}'),
  fc.constantFrom('{"errors":[{"detail":"ECHO is not allowed"}]}', 'no to ECHO'),
  fc.constantFrom('{"data":{"api_key":1}}', '{"data":{"api_v2_token":""}}', '{"errors":[1]}'),
  fc.json({ maxDepth: 2 }),
)
const reply = fc.oneof(
  { weight: 6, arbitrary: fc.constant('good' as const) },
  fc.constantFrom('lost' as const, 'unsent' as const, 'refused' as const),
  fc.record({
    status: fc.constantFrom(200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503),
    body: fc.option(weird, { nil: undefined }),
    retryAfter: fc.option(fc.constantFrom('5', '3600', 'x'), { nil: undefined }),
  }),
)

type Event = 'go' | 'approve' | string | number
type Reply = 'good' | 'lost' | 'unsent' | 'refused' | Odd
interface Odd {
  readonly status: number
  readonly body?: string | undefined
  readonly retryAfter?: string | undefined
}

/** Whatever happens in whatever order: a known outcome, nothing twice, nothing lost, nothing shown. */
export const methodsTarget = target({
  name: 'methods',
  runsInTest: 40,
  arbitrary: fc.record({
    method: fc.nat({ max: offers.length - 1 }),
    identity: fc.constantFrom<Identity>(
      { mailbox: false },
      { email: 'agents@operator.example', emailFrom: 'session', mailbox: false },
      { email: 'agents@operator.example', emailFrom: 'mailbox', mailbox: true },
    ),
    events: fc.array(event, { maxLength: 30 }),
    replies: fc.array(reply, { maxLength: 20 }),
  }),
  async property({ method, identity, events, replies }) {
    const world = new World(offers[method] as Offer, identity, replies)
    for (const one of events) await world.happens(one)
    await world.ends()
  },
})

class World {
  readonly #store = memoryStore({ clock: () => this.#now })
  readonly #ledger: ConsentLedger
  readonly #credentials = new Credentials(this.#store)
  readonly #engine: Engine
  readonly #offer: Offer
  readonly #identity: Identity
  readonly #replies: Reply[]
  readonly #issued: string[] = []
  readonly #secrets = new Set<string>()
  /** How often a request may have been done; how often somebody agreed to what it does. */
  readonly #done: Record<string, number> = { bot_signup: 0, api_keys: 0 }
  readonly #agreed: Record<string, number> = { bot_signup: 0, api_keys: 0 }
  #lostKeys = 0
  #now = 1_700_000_000_000
  #counter = 0
  #outcome: Outcome | undefined
  /** The latest question. */
  #asked: OutcomeOf<'needs_consent'> | undefined
  #id = ''
  #ended: string | undefined

  constructor(offer: Offer, identity: Identity, replies: readonly Reply[]) {
    this.#offer = offer
    this.#identity = identity
    this.#replies = [...replies]
    const index = new RecordIndex(this.#store)
    this.#ledger = new ConsentLedger(this.#store, index, () => this.#now)
    this.#engine = new Engine({
      store: this.#store,
      index,
      consents: new Consents(this.#ledger, new Rules()),
      credentials: this.#credentials,
      recipes: new Recipes(this.#store),
      methods: [telnyxSignup, manual],
      fetch: (request) => this.#fetch(request),
      now: () => this.#now,
      works: new Works(undefined),
      ceremony: new OwnerCache(),
      waiters: new Waiters(this.#store, () => this.#now),
      emit: () => {},
    })
  }

  async happens(one: Event): Promise<void> {
    this.#now += 1_000
    if (typeof one === 'number') this.#now += one
    else if (one === 'approve' || one === 'deny') await this.#decide(one === 'approve')
    else if (one === 'cancel') {
      const loaded = await this.#load()
      if (loaded) this.#outcome = await this.#engine.cancel(loaded)
    } else await this.#push(one)
    await this.#look()
  }

  /** From wherever it stands, patient people bring it to an end, whatever is still answered to them. */
  async ends(): Promise<void> {
    for (let steps = 0; steps < 60 && this.#ended === undefined; steps++) {
      for (const one of ['answer', 'approve', 'go', 'email', 'link', 'paste', 61_000, 'tick']) {
        await this.happens(one)
      }
    }
    check(this.#ended !== undefined, 'it never ends:', this.#outcome)
  }

  async #push(name: string): Promise<void> {
    const loaded = (await this.#load()) ?? (await this.#fresh())
    const { registration } = loaded
    const push = this.#pushOf(name, registration.wait?.for, registration.status === 'running')
    if (!registration.inFlight && !accepts(registration, push)) return
    const given =
      push.type === 'person' && 'email' in push.input
        ? { ...registration, identity: { email: push.input.email, mailbox: false } as Identity }
        : registration
    this.#id = registration.id
    const call = { channel: 'code' }
    const next = { ...loaded, registration: given }
    await this.#engine.preview(given, push, 'register')
    this.#outcome = await this.#engine.run(next, push, 'register', call)
    if (this.#outcome.status === 'needs_consent') this.#asked = this.#outcome
  }

  #pushOf(name: string, waits: string | undefined, running: boolean): Push {
    const mail = (at: number) => {
      const html = `<a href="${this.#made(`${api}/bot_sessions?token=made-up-link`)}">`
      return { id: 'm', from: '', subject: '', receivedAt: at, html }
    }
    switch (name) {
      case 'answer':
        return { type: 'model', answer: '42' }
      case 'link':
        return {
          type: 'person',
          input: { link: this.#made(`${api}/bot_sessions?token=made-up-link`) },
        }
      case 'bad-link':
        return { type: 'person', input: { link: 'https://portal.svc.example/#/login' } }
      case 'email':
        return { type: 'person', input: { email: 'kim@operator.example' } }
      case 'done':
        return { type: 'person', input: { done: true } }
      case 'paste':
        return { type: 'person', input: { secret: new Secret(this.#made('KEY0PASTED')) } }
      case 'mail':
        return { type: 'mail', messages: [mail(this.#now), mail(0)] }
      case 'old-mail':
        return { type: 'mail', messages: [mail(0)] }
      case 'retry':
        return { type: 'retry' }
      case 'tick':
        return { type: 'tick' }
      default:
        if (running || waits === 'consent') return { type: 'begin' }
        return { type: waits === 'retry' ? 'retry' : 'tick' }
    }
  }

  #made(prefix: string): string {
    this.#counter += 1
    const secret = `${prefix}${String(this.#counter).padStart(6, '0')}Q`
    this.#secrets.add(secret)
    return secret
  }

  async #decide(approved: boolean): Promise<void> {
    const said = this.#asked
    if (said === undefined) return
    try {
      const { consent } = await this.#ledger.byId(said.consent)
      await this.#ledger.decide(owner, said.consent, {
        approved,
        approver: 'kim',
        channel: 'people',
      })
      if (!approved || consent.state !== 'asked') return
      for (const { kind } of said.action.effects) {
        if (kind === 'accept-terms') this.#agreed.bot_signup = (this.#agreed.bot_signup ?? 0) + 1
        if (kind === 'create-credential') this.#agreed.api_keys = (this.#agreed.api_keys ?? 0) + 1
      }
    } catch (error) {
      // It has expired, or was asked anew since.
      const late = AuthError.isInstance(error) && /expired|closed|before/.test(error.message)
      if (!late) throw error
    }
  }

  async #fetch(request: GuardedRequest): Promise<GuardedAnswer> {
    const { url, method } = request
    const name = new URL(url).pathname.split('/').at(-1) ?? ''
    const posted = method === 'POST' ? name : ''
    const next = this.#replies.shift() ?? 'good'
    if (next === 'unsent' || next === 'refused') {
      const code = next === 'refused' ? 'address_refused' : 'network_failed'
      throw new AuthError(code, 'not sent', { details: { sent: false } })
    }
    const status = typeof next === 'object' ? next.status : 200
    const commits = next === 'lost' || status < 400 || status >= 500
    if (commits && posted in this.#done) this.#done[posted] = (this.#done[posted] ?? 0) + 1
    for (const one of Object.keys(this.#done)) {
      const [done = 0, agreed = 0] = [this.#done[one], this.#agreed[one]]
      check(done <= agreed, `${one} was sent without a consent:`, done, agreed)
    }
    if (next === 'lost') {
      if (posted === 'api_keys') this.#lostKeys += 1
      throw new AuthError('network_failed', 'cut', { details: { sent: true } })
    }
    const body = typeof next === 'object' ? next.body : undefined
    const sent = JSON.stringify(request)
    const echo = [...this.#secrets].find((one) => sent.includes(one)) ?? ''
    const text = body?.replaceAll('ECHO', echo) ?? JSON.stringify(this.#body(name))
    if (posted === 'api_keys' && commits && !this.#given(text, status)) this.#lostKeys += 1
    const headers = new Headers()
    const after = typeof next === 'object' ? next.retryAfter : undefined
    if (after !== undefined) headers.set('retry-after', after)
    return { url, status, headers, mediaType: 'application/json', text, hops: [] }
  }

  #body(name: string): Json {
    switch (name) {
      case 'bot_challenge':
        return {
          data: {
            nonce: `nonce-${this.#now}`,
            challenge_type: 'math',
            problem: '6 * 7',
            terms_and_conditions_url: 'https://svc.example/terms',
            privacy_policy_url: 'https://svc.example/privacy',
          },
        }
      case 'bot_sessions':
        return { data: { api_v2_token: this.#made('SESSION0MADEUP') } }
      case 'api_keys':
        return { data: { api_key: this.#made('KEY0MADEUP'), id: 'k1' } }
      default:
        return { success: true }
    }
  }

  #given(text: string, status: number): boolean {
    const key = /"api_key":"(KEY0MADEUP\w+)"/.exec(text)?.[1]
    if (key === undefined || status < 200 || status >= 300) return false
    this.#issued.push(key)
    return true
  }

  async #look(): Promise<void> {
    const loaded = await this.#load()
    if (loaded === undefined) return
    const { registration, stored } = loaded
    const { secrets, ...shown } = registration
    const text = JSON.stringify([shown, this.#outcome])
    for (const one of this.#secrets) check(!text.includes(one), 'a secret is shown:', one, text)
    const held = await this.#credentials.list(owner)
    for (const key of this.#issued) {
      const kept = held.some(({ secret }) => secret && Secret.open(secret) === key)
      check(kept, 'an issued key is lost:', key, registration)
    }
    const orphans = registration.orphans.filter(({ request }) => request === 'api_keys').length
    check(orphans >= this.#lostKeys, 'what may lie at the service is not listed:', registration)
    if (this.#ended !== undefined) {
      const same = this.#ended === `${registration.status} ${stored}`
      check(same, 'what had ended went on:', this.#ended, registration)
    }
    if (['ready', 'failed', 'cancelled'].includes(registration.status)) {
      this.#ended = `${registration.status} ${stored}`
      check(Object.keys(secrets).length === 0, 'an ended one keeps secrets:', registration)
    } else {
      const waits = registration.status === 'waiting' && registration.wait !== undefined
      check(waits, 'it neither waits nor has ended:', registration)
    }
  }

  async #load(): Promise<Loaded | undefined> {
    const ref = { kind: 'registration', owner: await ownerKey(owner), id: this.#id } as const
    const record = this.#id === '' ? undefined : await this.#store.get(ref)
    if (record === undefined) return undefined
    return { registration: decodeRegistration(record.value), stored: record.revision }
  }

  async #fresh(): Promise<Loaded> {
    const registration = await this.#engine.draft(owner, api, this.#offer, this.#identity, 0)
    return { registration, stored: 0 }
  }
}
