import { z } from 'zod'
import { decodeRegistration, type Registration } from '../engine/registration.ts'
import { AuthError } from '../errors.ts'
import { parse } from '../inputs.ts'
import { isLoopbackHost } from '../net/url.ts'
import type { Outcome, PersonNeed } from '../outcome.ts'
import type { RecordIndex } from '../vault/index-record.ts'
import type { Store } from '../vault/store.ts'
import { type IntakeLink, IntakeLinks } from './intake-links.ts'
import { answered, type Facts, form, plainPage } from './intake-pages.ts'
import { crossSite, formToken, isForm, readForm, refusedBy, sessionOf } from './intake-request.ts'
import type { PersonDecision } from './people.ts'

/** Where the intake page is, and in whose name it asks. */
export interface IntakeOptions {
  /** Where the handler is mounted, as browsers see it: https, or http on loopback. */
  readonly baseUrl: string
  /** Who runs the agent, as the person knows them; shown beside the owner. */
  readonly name?: string
  /** How long a link is good, in milliseconds: a minute to a day, 30 minutes by default. */
  readonly ttlMs?: number
}

/** A one-time link. Whoever holds it can hand something over in the person's place: it is for them alone. */
export interface IntakeUrl {
  readonly url: string
  /** Epoch milliseconds after which it is of no use any more. */
  readonly expires: number
}

/** The page on which a person hands something over, outside any chat. */
export interface Intake {
  /**
   * Answers every request below `baseUrl`. A request for another host, of another origin, or with
   * a link that is not good gets a page that says so, with 421, 403, 404 or 410.
   */
  handle(request: Request): Promise<Response>
  /**
   * Makes a one-time link for what a registration waits for. It dies after success, when it expires, and
   * after 10 wrong answers or guesses. Never put it before a model.
   *
   * @throws AuthError `not_found`, or `invalid_input` where nothing is waited for that a person hands over
   */
  link(registration: string): Promise<IntakeUrl>
}

interface IntakeParts {
  readonly store: Store
  readonly index: RecordIndex
  readonly now: () => number
  readonly answer: (registration: string, said: HandedOver) => Promise<Outcome>
}

type HandedOver = Exclude<PersonDecision, { readonly approve: boolean }>

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

  /** What the page of a link shows; undefined where the link is of no use any more. */
  async function factsOf(link: IntakeLink): Promise<Facts | undefined> {
    const registration = await registrationOf(link.owner, link.registration)
    const need = registration && needOf(registration)
    if (registration === undefined || need?.kind !== link.kind || !links.isGood(link)) {
      return undefined
    }
    const { owner, offer, wait } = registration
    const notice = wait?.for === 'person' || wait?.for === 'mail' ? wait.notice : undefined
    return {
      need,
      service: offer.service,
      owner,
      now: parts.now(),
      expires: link.expires,
      ...(name === undefined ? {} : { name }),
      ...(notice === undefined ? {} : { notice }),
    }
  }

  /** The link that was opened, exchanged for a cookie: its secret leaves the address bar. */
  async function enter(id: string, secret: string): Promise<Response> {
    const link = await links.open(id, secret)
    if (link === undefined) return plainPage('unknown')
    if ((await factsOf(link)) === undefined) return plainPage('gone')
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
    const facts = await factsOf(link)
    return facts === undefined ? plainPage('gone') : shownForm(link, secret, facts)
  }

  async function take(request: Request, id: string): Promise<Response> {
    if (crossSite(request, base.origin)) return plainPage('foreign')
    if (!isForm(request)) return plainPage('not-a-form')
    const secret = sessionOf(request, cookie)
    if (secret === undefined) return plainPage('closed')
    const link = await links.open(id, secret)
    if (link === undefined) return plainPage('unknown')
    const facts = await factsOf(link)
    if (facts === undefined) return plainPage('gone')
    const fields = await readForm(request)
    if (fields === 'too-long') {
      return shownForm(link, secret, facts, 413, 'That is far too long to be what is asked for')
    }
    if (!(await formToken(secret)).matches(fields.get('form') ?? '')) return plainPage('foreign')
    const given = fields.get('given') ?? ''
    if (facts.need.kind !== 'open-link' && given.trim() === '') {
      return shownForm(link, secret, facts, 422, 'The field was empty')
    }
    return handOver(link, secret, facts, given)
  }

  async function handOver(
    link: IntakeLink,
    secret: string,
    facts: Facts,
    given: string,
  ): Promise<Response> {
    let outcome: Outcome
    try {
      outcome = await parts.answer(link.registration, decisionOf(link.kind, given))
    } catch (error) {
      const fault = refusedBy(error, link.kind)
      if (fault === undefined) throw error
      return again(link, secret, facts, fault, true)
    }
    const now = await factsOf(link)
    if (now !== undefined) {
      const { notice } = now
      const reason = outcome.status === 'refused' ? outcome.reason : undefined
      const busy = 'Something else was at work on this just now. Please send it once more'
      return again(link, secret, now, notice ?? reason ?? busy, notice !== undefined)
    }
    await links.end(link)
    const path = `${root}/${link.id}`
    return answered(outcome, facts, {
      'set-cookie': `${cookie}=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`,
    })
  }

  /** The form once more, with what was wrong and never with what was given. */
  async function again(
    link: IntakeLink,
    secret: string,
    facts: Facts,
    fault: string,
    counts: boolean,
  ): Promise<Response> {
    const left = counts ? await links.miss(link) : Infinity
    if (left === 0) return plainPage('gone')
    const warning = left > 3 ? '' : ` (${left} ${left === 1 ? 'try' : 'tries'} left)`
    return shownForm(link, secret, facts, 422, `${fault.replace(/\.$/, '')}${warning}`)
  }

  async function shownForm(
    { id }: IntakeLink,
    secret: string,
    facts: Facts,
    status = 200,
    fault?: string,
  ): Promise<Response> {
    const { token } = await formToken(secret)
    return form({ facts, token, action: `${root}/${id}/hand-over`, status, fault })
  }

  async function route(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const host = request.headers.get('host')
    if (url.host !== base.host || (host !== null && host.toLowerCase() !== base.host)) {
      return plainPage('misdirected')
    }
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
      const ref = await parts.index.find(id)
      const registration =
        ref?.kind === 'registration' ? await registrationOf(ref.owner, id) : undefined
      if (ref === undefined || registration === undefined) {
        throw new AuthError('not_found', 'there is no such registration')
      }
      const need = needOf(registration)
      const now = parts.now()
      const expires = Math.min(now + ttlMs, need?.until ?? Infinity)
      if (need === undefined || expires <= now) {
        throw new AuthError('invalid_input', `registration ${id} waits for nothing from a person`)
      }
      const link = await links.make(ref.owner, { registration: id, kind: need.kind, expires })
      return { url: `${base.origin}${root}/${link.id}/${link.secret}`, expires }
    },
  }
}

const cookie = 'authmd_intake'

function needOf({ wait }: Registration): PersonNeed | undefined {
  return wait?.for === 'person' || wait?.for === 'mail' ? wait.need : undefined
}

function decisionOf(kind: PersonNeed['kind'], given: string): HandedOver {
  switch (kind) {
    case 'paste-key':
      return { secret: given }
    case 'open-mail':
      return { link: given.trim() }
    case 'give-email':
      return { email: given.trim() }
    case 'open-link':
      return { done: true }
  }
}
