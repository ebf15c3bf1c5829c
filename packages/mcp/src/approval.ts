import { randomUUID } from 'node:crypto'
import {
  AuthError,
  type Call,
  type Outcome,
  type PersonNeed,
  type Session,
  type Verb,
} from '@authmd/core'
import type { Client } from './client.ts'
import type { AuthServerOptions } from './server.ts'

export const channel = 'mcp'

/** How long a page may wait to be opened, and how long it is not shown again. */
const pageMs = 10 * 60_000
const approve = { type: 'boolean', title: 'Approve', description: 'Do exactly this, once' } as const
const requestedSchema = { type: 'object' as const, properties: { approve }, required: ['approve'] }

/** Puts core's questions to the person at a client, where the client can ask anybody. */
export class Approvals {
  readonly #session: Session
  readonly #options: AuthServerOptions
  readonly #shown = new Map<string, number>()

  constructor(session: Session, options: AuthServerOptions) {
    this.#session = session
    this.#options = options
  }

  /**
   * Asks for what a call would do, if it binds somebody and is not agreed to already, and writes the
   * answer down. Without an answer nothing is written, and core by itself does not go on.
   */
  async ask(verb: Verb, input: unknown, call: Call, client: Client): Promise<void> {
    const asks = client.can('form') && !this.#session.outOfBand
    const action = asks ? await this.#session.preview(verb, input) : undefined
    const standing = action && (await this.#session.ask(action, call))
    if (action === undefined || standing?.kind !== 'asked') return
    const { id, askedAt, expiresAt } = standing.consent
    const form = { mode: 'form', message: action.summary, requestedSchema } as const
    const answer = await client.ask(form, expiresAt - askedAt)
    if (client.signal.aborted) throw new AuthError('aborted', 'aborted; nothing was done')
    if (answer === undefined) return
    // Falsy is an answer, and so is a closed window: both mean no.
    const approved = answer.action === 'accept' && answer.content?.approve === true
    const { approver = `unknown via ${channel}` } = this.#options
    await this.#session.decide(id, { approved, approver, channel })
  }

  /** Whether a person hands something over, and not in the chat. */
  #goesOutside({ kind }: PersonNeed): boolean {
    if (kind === 'read-code') return !this.#session.codesThroughModel
    return kind !== 'open-link' && kind !== 'enter-code'
  }

  /** Opens the page for what no chat may see, now and then. Returns what to tell the model. */
  async handOver(outcome: Outcome | undefined, client: Client): Promise<string> {
    if (outcome?.status !== 'needs_person' && outcome?.status !== 'uncertain') return ''
    const { registration, need } = outcome
    if (registration === undefined || need === undefined || !this.#goesOutside(need)) return ''
    const note = (said: string) => `${said} Never ask for a link, a key or a code here.`
    const { intakeUrl } = this.#options
    if (intakeUrl === undefined || !client.can('url')) {
      return note('It is handed over to the operator of this agent, outside this chat.')
    }
    const key = JSON.stringify([registration, need])
    if (Date.now() - (this.#shown.get(key) ?? 0) < pageMs) {
      return note('The person was shown the page where to hand it over.')
    }
    this.#shown.set(key, Date.now())
    try {
      const url = await intakeUrl(registration)
      const page = { mode: 'url', message: need.text, elicitationId: randomUUID(), url } as const
      const opened = (await client.ask(page, pageMs))?.action === 'accept'
      const did = opened ? 'opened' : 'did not open'
      return note(`The person ${did} the page where to hand it over.`)
    } catch {
      // What the verb did is to be told all the same.
      return note('The page where to hand it over could not be made.')
    }
  }
}
