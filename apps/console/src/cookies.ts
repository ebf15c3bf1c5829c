/** A cookie of the console: for no script, and sent with no request that another site begins. */
export class Cookie {
  readonly #name: string
  readonly #attributes: string

  /**
   * Behind https the name begins with `__Host-`: no other host of the domain can set it. On loopback, where ports share
   * their cookies, the port is part of the name.
   *
   * @param sameSite `Lax` only for what must survive that a mail or a chat leads here
   */
  constructor(base: URL, name: string, sameSite: 'Strict' | 'Lax') {
    const secure = base.protocol === 'https:'
    this.#name = secure ? `__Host-${name}` : `${name}_${base.port || '80'}`
    this.#attributes = `Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`
  }

  /** The secret in it; undefined for what is none of ours. */
  read(request: Request): string | undefined {
    for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
      const [name, value = ''] = pair.trim().split('=', 2)
      if (name === this.#name && /^[\w-]{43}$/.test(value)) return value
    }
    return undefined
  }

  /** Until the browser is closed: how long it is good is kept here, not there. */
  set(secret: string): string {
    return `${this.#name}=${secret}; ${this.#attributes}`
  }

  clear(): string {
    return `${this.#name}=; Max-Age=0; ${this.#attributes}`
  }
}
