import {
  type AgentAuth,
  type AuditRecord,
  AuthError,
  type Owner,
  type PersonRequest,
} from '@authmd/core'
import { html, type Page, sha256 } from '@authmd/core/pages'
import { credentialsPage, type Held } from './credentials-page.ts'
import { find, wantedOf } from './history.ts'
import { historyPage } from './history-page.ts'
import type { WidePage } from './layout.ts'
import { type ConsolePerson, type Whose, whoseOf } from './person.ts'
import { revokedPage, revokePage } from './revoke-page.ts'
import type { Plain } from './sign-in-pages.ts'
import { type Waiting, waitingPage } from './waiting-page.ts'

/** Reads what happened to these owners, the newest first: `readAudit`, or a query of one's own. */
export type ReadHistory = (owners: readonly Owner[]) => AsyncIterable<AuditRecord>

interface RoomsParts {
  readonly auth: AgentAuth
  readonly root: string
  /** Who runs the agents. */
  readonly name: string | undefined
  readonly now: () => number
  readonly history: ReadHistory | undefined
}

/** A form that was sent, or undefined while it is to be shown. */
export interface Sent {
  readonly action: string
  readonly token: string
  readonly fields: URLSearchParams | undefined
}

export type Answer = Page | WidePage | Plain

/** The pages of the console, each for one person: what is not theirs is as if it did not exist. */
export class Rooms {
  readonly #parts: RoomsParts

  constructor(parts: RoomsParts) {
    this.#parts = parts
  }

  async waiting(person: ConsolePerson): Promise<Answer> {
    const { root } = this.#parts
    // Read before: a page may be newer than it says, and is then asked for once more, but never older.
    const live = await this.#live(person)
    return waitingPage(await this.#waiting(person), root, person.owners.length, live)
  }

  /** Where a thing that waits is decided or handed over; the page of all where it does not wait. */
  async pathOf(person: ConsolePerson, about: string | undefined): Promise<string> {
    const { root } = this.#parts
    const found =
      about === undefined
        ? undefined
        : (await this.#waiting(person)).find(({ request }) => request.id === about)
    if (found === undefined) return `${root}/`
    const { whose, request } = found
    return `${root}/waiting/${whose.tag}/${about}/${kindOf(request)}`
  }

  /** The form for one thing, and what comes of it. */
  async decide(
    person: ConsolePerson,
    [tag = '', id = '', kind = '']: readonly string[],
    { action, token, fields }: Sent,
  ): Promise<Answer> {
    const { auth, name } = this.#parts
    const whose = await this.#whose(person, tag)
    if (whose === undefined || !isKind(kind)) return 'unknown'
    const { owner } = whose
    const by = { owner, approver: person.approver, kind, ...(name === undefined ? {} : { name }) }
    const form = await auth.people.form(id, by)
    if (form === undefined) return 'gone'
    if (fields === undefined) return form.shown({ token, action, status: 200, fault: undefined })
    const taken = await form.take(fields)
    if ('last' in taken) {
      const on = html`<p><a href="${this.#parts.root}/">To what waits for you</a></p>`
      return { ...taken.last, main: html`${taken.last.main}${on}` }
    }
    const { fault, doubt } = taken
    return form.shown({ token, action, status: 422, fault: fault.replace(/\.$/, ''), doubt })
  }

  async credentials(person: ConsolePerson): Promise<Answer> {
    const { root, now } = this.#parts
    const live = await this.#live(person)
    return credentialsPage(await this.#held(person), root, now(), live)
  }

  async revoke(
    person: ConsolePerson,
    [tag = '', handle = '', what]: readonly string[],
    { action, token, fields }: Sent,
  ): Promise<Answer> {
    const { auth, root, now } = this.#parts
    const whose = await this.#whose(person, tag)
    if (whose === undefined || what !== 'revoke') return 'unknown'
    const { owner } = whose
    const one = (await auth.admin.list(owner)).find((each) => each.handle === handle)
    if (one === undefined) return 'unknown'
    const parts = { form: { action, token }, now: now(), back: `${root}/credentials` }
    if (fields === undefined) {
      const preview = one.shared
        ? undefined
        : await auth.as(owner).preview('revoke', { credential: handle })
      return revokePage(one, preview, parts)
    }
    try {
      const outcome = await auth.admin.revoke(owner, handle, { approver: person.approver })
      return revokedPage(one, outcome, parts)
    } catch (error) {
      // Somebody else has given it back or erased it meanwhile.
      if (AuthError.isInstance(error) && error.code === 'not_found') return 'gone'
      throw error
    }
  }

  async history({ owners }: ConsolePerson, query: URLSearchParams): Promise<Answer> {
    const { history, root } = this.#parts
    if (history === undefined) return 'unknown'
    const wanted = wantedOf(query)
    const found = await find(history(owners), owners, wanted)
    return historyPage(found, wanted, `${root}/history`, owners.length > 1)
  }

  /** Another one for each state of what waits and of what is held. */
  async version(person: ConsolePerson): Promise<string> {
    const waiting = await this.#waiting(person)
    const seen = [waiting.map(({ request }) => request), await this.#held(person)]
    return (await sha256(JSON.stringify(seen))).slice(0, 22)
  }

  async #live(person: ConsolePerson) {
    return { version: await this.version(person), from: `${this.#parts.root}/live` }
  }

  async #waiting(person: ConsolePerson): Promise<readonly Waiting[]> {
    const all: Waiting[] = []
    for (const whose of await whoseOf(person)) {
      const requests = await this.#parts.auth.people.waiting(whose.owner)
      all.push(...requests.map((request) => ({ whose, request })))
    }
    return all
  }

  async #held(person: ConsolePerson): Promise<readonly Held[]> {
    const held: Held[] = []
    for (const whose of await whoseOf(person)) {
      held.push({ whose, credentials: await this.#parts.auth.admin.list(whose.owner) })
    }
    return held
  }

  async #whose(person: ConsolePerson, tag: string): Promise<Whose | undefined> {
    return (await whoseOf(person)).find((one) => one.tag === tag)
  }
}

const kinds = [
  'consent',
  'give-email',
  'open-mail',
  'open-link',
  'paste-key',
  'enter-code',
  'read-code',
] as const
type Kind = (typeof kinds)[number]

function isKind(text: string): text is Kind {
  return (kinds as readonly string[]).includes(text)
}

function kindOf(request: PersonRequest): Kind {
  return request.kind === 'consent' ? 'consent' : request.need.kind
}
