import { z } from 'zod'
import type { Consent, ConsentLedger } from '../consent/ledger.ts'
import { decodeRegistration, type Registration } from '../engine/registration.ts'
import { AuthError } from '../errors.ts'
import { parse } from '../inputs.ts'
import { isLoopbackHost } from '../net/url.ts'
import type { Outcome } from '../outcome.ts'
import { ownerKey } from '../owner.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import type { Store } from '../vault/store.ts'
import { approvalSubject } from './intake-approval.ts'
import { type IntakeLink, IntakeLinks } from './intake-links.ts'
import { needOf, needSubject } from './intake-need.ts'
import { plainPage } from './intake-pages.ts'
import { crossSite, formToken, hostAsked, isForm, readForm, sessionOf } from './intake-request.ts'
import type { Subject, Taken } from './intake-subject.ts'
import { documentOf } from './page.ts'
import type { HandedOver } from './people.ts'

/** Where the intake page is, and in whose name it asks. */
export interface IntakeOptions {
  /** Where the handler is mounted, as browsers see it: https, or http on loopback. */
  readonly baseUrl: string
  /** Who runs the agent, as the person knows them; shown beside the owner. */
  readonly name?: string
  /** How long a link is good, in milliseconds: a minute to a day, 30 minutes by default. */
  readonly ttlMs?: number
}

/** A one-time link. Whoever holds it can answer in the person's place: it is for them alone. */
export interface IntakeUrl {
  readonly url: string
  /** Epoch milliseconds after which it is of no use any more. */
  readonly expires: number
}

/** The page on which a person hands something over, or says yes or no, outside any chat. */
export interface Intake {
  /**
   * Answers every request below `baseUrl`. A request for another host, of another origin, or with
   * a link that is not good gets a page that says so, with 421, 403, 404 or 410.
   */
  handle(request: Request): Promise<Response>
  /**
   * Makes a one-time link for what a registration (`reg_…`) waits for, or to decide a consent (`cns_…`).
   * It dies after success, when it expires, and after 10 wrong answers or guesses. Never put it before a
   * model.
   *
   * @throws AuthError `not_found`, or `invalid_input` where nothing is waited for from a person
   */
  link(id: string): Promise<IntakeUrl>
}

interface IntakeParts {
  readonly store: Store
  readonly index: RecordIndex
  readonly now: () => number
  readonly ledger: ConsentLedger
  readonly answer: (registration: string, said: HandedOver) => Promise<Outcome>
  readonly decide: (consent: string, approve: boolean) => Promise<unknown>
}

const minute = 60_000
const optionsSchema: z.ZodType<IntakeOptions> = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).max(1024),
  name: z.string().min(1).max(80).optional(),
  ttlMs: z
    .int()
    .min(minute)
    .max(24 * 60 * minute)
    .optional(),
}) as z.ZodType<IntakeOptions>

export function createIntake(parts: IntakeParts, options: IntakeOptions): Intake {
  const { baseUrl, name, ttlMs = 30 * minute } = parse(optionsSchema, options)
  const base = new URL(baseUrl)
  if (base.search || base.hash || base.username || base.password) {
    throw new AuthError('invalid_input', 'baseUrl: without query, fragment and user')
  }
  if (base.protocol !== 'https:' && !isLoopbackHost(base.hostname)) {
    throw new AuthError('invalid_input', 'baseUrl: https, or http on loopback')
  }
  const root = base.pathname.replace(/\/+$/, '')
  const links = new IntakeLinks(parts)

  async function registrationOf(owner: string, id: string): Promise<Registration | undefined> {
    const record = await parts.store.get({ kind: 'registration', owner, id })
    return record === undefined ? undefined : decodeRegistration(record.value)
  }

  /** The question of this id, while it is open. */
  async function questionOf(id: string): Promise<Consent | undefined> {
    const { consent } = await parts.ledger.byId(id)
    return consent.state === 'asked' ? consent : undefined
  }

  /** What a link leads to; undefined where it is of no use any more. */
  async function subjectOf(link: IntakeLink): Promise<Subject | undefined> {
    if (!links.isGood(link)) return undefined
    const { owner, about, kind, expires } = link
    const named = name === undefined ? {} : { name }
    const frame = { now: parts.now(), expires, alone: true, ...named }
    if (kind !== 'consent') {
      const registration = () => registrationOf(owner, about)
      return needSubject({ registration, answer: parts.answer }, kind, frame)
    }
    const consent = await questionOf(about)
    const decide = (approve: boolean) => parts.decide(about, approve)
    return consent && approvalSubject({ consent, decide }, frame)
  }

  /** The link that was opened, exchanged for a cookie: its secret leaves the address bar. */
  async function enter(id: string, secret: string): Promise<Response> {
    const link = await links.open(id, secret)
    if (link === undefined) return plainPage('unknown')
    if ((await subjectOf(link)) === undefined) return plainPage('gone')
    const path = `${root}/${id}`
    const age = Math.max(1, Math.floor((link.expires - parts.now()) / 1000))
    const secure = base.protocol === 'https:' ? '; Secure' : ''
    return plainPage('moved', {
      location: path,
      'set-cookie': `${cookie}=${secret}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`,
    })
  }

  async function show(request: Request, id: string): Promise<Response> {
    const secret = sessionOf(request, cookie)
    if (secret === undefined) return plainPage('closed')
    const link = await links.open(id, secret)
    if (link === undefined) return plainPage('unknown')
    const subject = await subjectOf(link)
    return subject === undefined ? plainPage('gone') : shownForm(link, secret, subject)
  }

  async function take(request: Request, id: string): Promise<Response> {
    if (crossSite(request, base.origin)) return plainPage('foreign')
    if (!isForm(request)) return plainPage('not-a-form')
    const secret = sessionOf(request, cookie)
    if (secret === undefined) return plainPage('closed')
    const link = await links.open(id, secret)
    if (link === undefined) return plainPage('unknown')
    const subject = await subjectOf(link)
    if (subject === undefined) return plainPage('gone')
    const fields = await readForm(request)
    if (fields === 'too-long') {
      return shownForm(link, secret, subject, 413, 'That is far too long to be what is asked for')
    }
    if (!(await formToken(secret)).matches(fields.get('form') ?? '')) return plainPage('foreign')
    const taken = await subject.take(fields)
    if ('fault' in taken) return again(link, secret, taken)
    await links.end(link)
    const path = `${root}/${link.id}`
    return documentOf(taken.last, {
      'set-cookie': `${cookie}=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`,
    })
  }

  /** The form once more, with what was wrong and never with what was given. */
  async function again(
    link: IntakeLink,
    secret: string,
    { fault, counts, doubt }: Extract<Taken, { readonly fault: string }>,
  ): Promise<Response> {
    const left = counts ? await links.miss(link) : Infinity
    const subject = left === 0 ? undefined : await subjectOf(link)
    if (subject === undefined) return plainPage('gone')
    const warning = left > 3 ? '' : ` (${left} ${left === 1 ? 'try' : 'tries'} left)`
    return shownForm(link, secret, subject, 422, `${fault.replace(/\.$/, '')}${warning}`, doubt)
  }

  async function shownForm(
    { id }: IntakeLink,
    secret: string,
    subject: Subject,
    status = 200,
    fault?: string,
    doubt?: boolean,
  ): Promise<Response> {
    const { token } = await formToken(secret)
    const action = `${root}/${id}/hand-over`
    return documentOf(subject.shown({ token, action, status, fault, doubt }))
  }

  async function route(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (hostAsked(request) !== base.host) return plainPage('misdirected')
    const path = url.pathname.startsWith(`${root}/`) ? url.pathname.slice(root.length + 1) : ''
    const [id = '', rest, more] = path.split('/')
    if (!/^ntk_[\w-]{22}$/.test(id) || more !== undefined) return plainPage('unknown')
    if (rest === 'hand-over') {
      if (request.method === 'POST') return take(request, id)
      return plainPage('wrong-method', { allow: 'POST' }, `${root}/${id}`)
    }
    if (rest !== undefined && !/^[\w-]{43}$/.test(rest)) return plainPage('unknown')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return plainPage('wrong-method', { allow: 'GET, HEAD' })
    }
    return rest === undefined ? show(request, id) : enter(id, rest)
  }

  return {
    async handle(request) {
      const response = await route(request)
      return request.method === 'HEAD' ? new Response(null, response) : response
    },

    async link(id) {
      const wanted = id.startsWith('cns_') ? await decidable(id) : await awaited(id)
      const expires = Math.min(parts.now() + ttlMs, wanted.until)
      if (expires <= parts.now()) throw nothing(id)
      const { owner, kind } = wanted
      const link = await links.make(owner, { about: id, kind, expires })
      return { url: `${base.origin}${root}/${link.id}/${link.secret}`, expires }
    },
  }

  async function decidable(id: string) {
    const consent = await questionOf(id)
    if (consent === undefined) throw nothing(id)
    const owner = await ownerKey(consent.action.owner)
    return { owner, kind: 'consent', until: consent.expiresAt } as const
  }

  async function awaited(id: string) {
    const ref = await parts.index.find(id)
    const registration =
      ref?.kind === 'registration' ? await registrationOf(ref.owner, id) : undefined
    if (ref === undefined || registration === undefined) {
      throw new AuthError('not_found', 'there is no such registration')
    }
    const need = needOf(registration)
    if (need === undefined) throw nothing(id)
    return { owner: ref.owner, kind: need.kind, until: need.until ?? Infinity }
  }
}

function nothing(id: string): AuthError {
  return new AuthError('invalid_input', `${id} waits for nothing from a person`)
}

const cookie = 'authmd_intake'
