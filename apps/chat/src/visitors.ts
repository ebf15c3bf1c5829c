import { randomBytes } from 'node:crypto'
import type { AuthUIMessage } from '@authmd/ai-sdk'
import type { Owner } from '@authmd/core'

/** A browser that came here: whose credentials it uses, and its conversation. */
export interface Visitor {
  readonly owner: Owner
  /** The address that services are given. */
  readonly email: string
  messages: AuthUIMessage[]
}

/** Who is asking is known by a cookie of ours, never by what a page says. */
export class Visitors {
  readonly #name: string
  readonly #known = new Map<string, Visitor>()

  /** Cookies do not tell ports apart, so that the port is in the name. */
  constructor(url: string) {
    this.#name = `authmd_chat_${new URL(url).port}`
  }

  of(request: Request): Visitor | undefined {
    const cookies = request.headers.get('cookie')?.split('; ') ?? []
    const found = cookies.find((one) => one.startsWith(`${this.#name}=`))
    return this.#known.get(found?.slice(this.#name.length + 1) ?? '')
  }

  /** Lets a new one in: the value of the `set-cookie` header. */
  welcome(): string {
    const secret = randomBytes(32).toString('base64url')
    const user = randomBytes(4).toString('hex')
    const email = `agent-${user}@operator.test`
    this.#known.set(secret, { owner: { tenant: 'chat', user }, email, messages: [] })
    return `${this.#name}=${secret}; Path=/; HttpOnly; SameSite=Strict`
  }

  /** The address of an owner, for services that ask for one. */
  emailOf(owner: Owner): string | undefined {
    return [...this.#known.values()].find((one) => one.owner.user === owner.user)?.email
  }
}
