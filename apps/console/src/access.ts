import { type AgentAuth, AuthError } from '@authmd/core'
import { crossSite, equalTexts, isForm, readForm, sha256 } from '@authmd/core/pages'
import { Cookie } from './cookies.ts'
import { type ConsolePerson, checkPerson } from './person.ts'
import type { Plain } from './sign-in-pages.ts'
import { newSecret, SignIns } from './sign-ins.ts'

/** Says who sends a request; undefined for nobody who may use the console. */
export type Identify = (
  request: Request,
) => ConsolePerson | undefined | Promise<ConsolePerson | undefined>

/** Somebody who is let in, and the secret that their forms are bound to. */
export interface Visit {
  readonly person: ConsolePerson
  readonly secret: string
  /** A cookie that goes with the answer. */
  readonly cookie?: string
}

interface AccessParts {
  readonly auth: Pick<AgentAuth, 'as'>
  readonly base: URL
  readonly now: () => number
  readonly identify: Identify | undefined
}

/** Who is let in, and which forms are theirs. */
export class Access {
  readonly #parts: AccessParts
  readonly #signIns: SignIns
  readonly #session: Cookie
  /** Between a link and the page that asks whether to sign in. It must survive that a mail or a chat leads here. */
  readonly #opened: Cookie

  constructor(parts: AccessParts) {
    this.#parts = parts
    this.#signIns = new SignIns(parts.now)
    // With identify it lets nobody in, and must be there when a link elsewhere leads here: forms are bound to it.
    const site = parts.identify === undefined ? 'Strict' : 'Lax'
    this.#session = new Cookie(parts.base, 'authmd_console', site)
    this.#opened = new Cookie(parts.base, 'authmd_link', 'Lax')
  }

  /** A one-time link for a person. */
  async link(person: ConsolePerson, at: string): Promise<{ secret: string; expires: number }> {
    if (this.#parts.identify !== undefined) {
      throw new AuthError('invalid_input', 'with identify there are no sign-in links')
    }
    return this.#signIns.link(person, at)
  }

  /** Who sends this. `byPerson`: they did it, and not their browser on its own. */
  async visit(request: Request, byPerson: boolean): Promise<Visit | Plain> {
    const { auth, identify } = this.#parts
    const secret = this.#session.read(request)
    if (identify === undefined) {
      const person = secret && (await this.#signIns.person(secret, byPerson))
      return secret && person ? { person, secret } : 'out'
    }
    const identified = await identify(request)
    if (identified === undefined) return 'stranger'
    const person = checkPerson(auth, identified)
    if (secret !== undefined) return { person, secret }
    const made = newSecret()
    return { person, secret: made, cookie: this.#session.set(made) }
  }

  /** What a form of this target must carry to have come from a page of this visit. */
  token({ secret, person }: Pick<Visit, 'secret' | 'person'>, target: string): Promise<string> {
    return sha256(JSON.stringify(['authmd console form', secret, person.approver, target]))
  }

  /** What was filled in, or why it is not taken. Nothing is read of what did not come from our own page. */
  async fields(
    request: Request,
    visit: Pick<Visit, 'secret' | 'person'>,
    target: string,
  ): Promise<URLSearchParams | Plain> {
    if (crossSite(request, this.#parts.base.origin)) return 'foreign'
    if (!isForm(request)) return 'not-a-form'
    const fields = await readForm(request)
    if (fields === 'too-long') return 'too-long'
    const token = await this.token(visit, target)
    return equalTexts(fields.get('form') ?? '', token) ? fields : 'foreign'
  }

  /** A link was opened: its secret leaves the address bar for a cookie. */
  opened(secret: string): string {
    return this.#opened.set(secret)
  }

  /** The link that this browser has opened. */
  async linked(request: Request): Promise<(Visit & { readonly at: string }) | undefined> {
    const secret = this.#opened.read(request)
    const link = secret && (await this.#signIns.linked(secret))
    return secret && link ? { person: link.person, secret, at: link.at } : undefined
  }

  /** Uses the link up: where it leads, and the cookies of a session that nobody knew before. */
  async signIn(
    request: Request,
    link: string,
  ): Promise<{ readonly at: string; readonly cookies: readonly string[] } | undefined> {
    const session = await this.#signIns.open(link)
    if (session === undefined) return undefined
    const before = this.#session.read(request)
    if (before !== undefined) await this.#signIns.end(before)
    return { at: session.at, cookies: [this.#session.set(session.secret), this.#opened.clear()] }
  }

  /** Lets a link go that is not needed: the cookie that says so. */
  async leave(link: string): Promise<string> {
    await this.#signIns.drop(link)
    return this.#opened.clear()
  }

  /** Ends the session: the cookies that say so. */
  async signOut({ secret }: Visit): Promise<readonly string[]> {
    await this.#signIns.end(secret)
    return [this.#session.clear(), this.#opened.clear()]
  }
}
