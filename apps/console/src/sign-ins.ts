import { sha256, toBase64Url } from '@authmd/core/pages'
import type { ConsolePerson } from './person.ts'

const minute = 60_000
const linkMs = 10 * minute
/** A session ends when nothing was asked for so long, by the person and not by their browser. */
const idleMs = 15 * minute
/** And after this in any case. */
const longestMs = 8 * 60 * minute
/** More at once are a fault, or an attack: the oldest are dropped. */
const maxKept = 1_000

interface Link {
  readonly person: ConsolePerson
  /** Where it leads, below the console's own address. */
  readonly at: string
  readonly expires: number
}

interface Session {
  readonly person: ConsolePerson
  readonly ends: number
  readonly usedAt: number
}

/**
 * One-time links and the sessions that come of them, in the memory of this process. Neither secret is kept: each is
 * found by its hash, so that how long it takes tells nothing about the secret.
 */
export class SignIns {
  readonly #links = new Map<string, Link>()
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** A new link; its secret is told here and never again. */
  async link(person: ConsolePerson, at: string): Promise<{ secret: string; expires: number }> {
    const expires = this.#now() + linkMs
    this.#sweep()
    return { secret: await keep(this.#links, { person, at, expires }), expires }
  }

  /** Whom a link is for, without using it up. */
  async linked(secret: string): Promise<Link | undefined> {
    const link = this.#links.get(await sha256(secret))
    return link !== undefined && link.expires > this.#now() ? link : undefined
  }

  /** Uses a link up: the secret of a new session, whatever session there was. */
  async open(linkSecret: string): Promise<{ secret: string; at: string } | undefined> {
    const hash = await sha256(linkSecret)
    const link = this.#links.get(hash)
    // Two at once: the first one has deleted it.
    if (link === undefined || !this.#links.delete(hash) || link.expires <= this.#now()) {
      return undefined
    }
    const now = this.#now()
    const session = { person: link.person, ends: now + longestMs, usedAt: now }
    return { secret: await keep(this.#sessions, session), at: link.at }
  }

  /** A link that is not needed any more. */
  async drop(linkSecret: string): Promise<void> {
    this.#links.delete(await sha256(linkSecret))
  }

  /** Who has this session. `byPerson`: they did something, and it goes on for the usual time. */
  async person(secret: string, byPerson: boolean): Promise<ConsolePerson | undefined> {
    const hash = await sha256(secret)
    const session = this.#sessions.get(hash)
    if (session === undefined) return undefined
    const now = this.#now()
    if (!this.#isOpen(session)) {
      this.#sessions.delete(hash)
      return undefined
    }
    if (byPerson) this.#sessions.set(hash, { ...session, usedAt: now })
    return session.person
  }

  async end(secret: string): Promise<void> {
    this.#sessions.delete(await sha256(secret))
  }

  #isOpen({ ends, usedAt }: Session): boolean {
    const now = this.#now()
    return ends > now && usedAt + idleMs > now
  }

  #sweep(): void {
    const now = this.#now()
    for (const [hash, { expires }] of this.#links) if (expires <= now) this.#links.delete(hash)
    for (const [hash, one] of this.#sessions) if (!this.#isOpen(one)) this.#sessions.delete(hash)
  }
}

/** 256 random bits, which no cookie and no address has had before. */
export function newSecret(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

async function keep<T>(kept: Map<string, T>, value: T): Promise<string> {
  const secret = newSecret()
  kept.set(await sha256(secret), value)
  const [oldest] = kept.keys()
  if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest)
  return secret
}
