import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { Clock } from './clock.ts'
import type { SandboxEnv } from './server.ts'

export interface Mail {
  id: string
  from: string
  to: string
  subject: string
  html: string
  text: string
  /** ms by the sandbox's clock. */
  receivedAt: number
}

/** All mail that the services sent, as its recipients would find it. Addresses ignore case. */
export interface Mailbox {
  /** Oldest first; of one address or of all. */
  list(to?: string): readonly Mail[]
  /**
   * The newest mail to an address, or the next one if there is none. With `after`, the first one
   * that came after the mail with that id.
   * @throws Error when none came within `timeoutMs` (real time, 5000 if absent)
   */
  waitFor(to: string, options?: { after?: string; timeoutMs?: number }): Promise<Mail>
}

export class MailServer implements Mailbox {
  readonly #mails: Mail[] = []
  readonly #arrivals = new EventTarget()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  deliver(mail: Omit<Mail, 'id' | 'receivedAt'>): Mail {
    const delivered = { id: randomUUID(), ...mail, receivedAt: this.#clock.now() }
    this.#mails.push(delivered)
    this.#arrivals.dispatchEvent(new Event('mail'))
    return delivered
  }

  list(to?: string): readonly Mail[] {
    const address = to?.toLowerCase()
    return this.#mails.filter((mail) => address === undefined || mail.to.toLowerCase() === address)
  }

  async waitFor(to: string, options: { after?: string; timeoutMs?: number } = {}): Promise<Mail> {
    const { after, timeoutMs = 5000 } = options
    const find = () => {
      const mails = this.list(to)
      if (after === undefined) return mails.at(-1)
      return mails[mails.findIndex((mail) => mail.id === after) + 1]
    }
    const there = find()
    if (there) return there
    return new Promise((resolve, reject) => {
      const look = () => {
        const mail = find()
        if (mail) done(() => resolve(mail))
      }
      const timer = setTimeout(
        () => done(() => reject(new Error(`no mail to ${to} within ${timeoutMs} ms`))),
        timeoutMs,
      )
      const done = (settle: () => void) => {
        clearTimeout(timer)
        this.#arrivals.removeEventListener('mail', look)
        settle()
      }
      this.#arrivals.addEventListener('mail', look)
    })
  }
}

/** The mailbox over HTTP: `GET /messages?to=…` and `GET /messages/{id}`. */
export function mailApp(mailbox: Mailbox): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>()
  app.get('/messages', (c) => c.json({ data: mailbox.list(c.req.query('to')).map(wire) }))
  app.get('/messages/:id', (c) => {
    const mail = mailbox.list().find(({ id }) => id === c.req.param('id'))
    return mail ? c.json({ data: wire(mail) }) : c.json({ error: 'no such message' }, 404)
  })
  return app
}

function wire({ receivedAt, ...mail }: Mail) {
  return { ...mail, received_at: new Date(receivedAt).toISOString() }
}
