import { AuthError } from '../errors.ts'
import { ownerKey } from '../owner.ts'
import { covers } from '../use/audience.ts'
import type { Choice } from '../use/authorised-fetch.ts'
import { unusable } from '../use/use.ts'
import type { Credential } from '../vault/credentials.ts'
import type { McpParts } from './access.ts'
import { Connection, rpcFailure } from './connection.ts'
import type { Definition, Listing } from './definition.ts'
import { HttpFailure } from './wire.ts'

/** Milliseconds without a call after which a connection is closed, and that it lasts at most. */
const idleMs = 60_000
const lifeMs = 5 * 60_000
const maxOwners = 100

/** What came of a call. `sent`: the server may have got it. */
export type Called =
  | { readonly kind: 'answer'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly kind: 'changed' }
  | { readonly kind: 'failure'; readonly error: unknown; readonly sent: boolean }

interface Held {
  readonly handle: string
  readonly openedAt: number
  readonly connection: Promise<Connection>
  /** The same, once it is open. */
  opened?: Connection
  /** Calls that are under way. */
  calls: number
  /** Takes no more calls, and is closed after the last. */
  retired: boolean
  idle?: ReturnType<typeof setTimeout>
}

/** The connections to one MCP server: one an owner, and for as long as the credential is the same. */
export class Connections {
  readonly #url: URL
  readonly #held = new Map<string, Held>()

  constructor(url: URL) {
    this.#url = url
  }

  /** What the server lists for a credential. The connection is closed again. */
  async list(parts: McpParts, credential: Credential): Promise<Listing> {
    const connection = await this.#open(parts, credential)
    await connection.close()
    return connection.listing
  }

  /**
   * Calls a tool, if it is still what it was when it was mounted. A session that the server has
   * forgotten was no call: it is begun anew, once.
   */
  async call(
    parts: McpParts,
    credential: Credential,
    { name, hash }: Definition,
    args: unknown,
  ): Promise<Called> {
    for (let again = false; ; again = true) {
      const { held, fresh } = await this.#take(parts, credential)
      let sent = false
      try {
        const connection = await held.connection
        if (connection.listing.tools.get(name)?.hash !== hash) return { kind: 'changed' }
        sent = true
        return { kind: 'answer', result: await connection.call(name, args) }
      } catch (error) {
        if (!sent || rpcFailure(error) === undefined) this.#retire(held)
        const forgotten = error instanceof HttpFailure && error.clean.status === 404
        if (forgotten && !fresh && !again) continue
        const surelyNot = AuthError.isInstance(error) && error.details.sent === false
        return { kind: 'failure', error, sent: sent && !surelyNot }
      } finally {
        this.#release(held)
      }
    }
  }

  /** Closes what is open for an owner who has no credential any more. */
  async drop({ owner }: McpParts): Promise<void> {
    const held = this.#held.get(await ownerKey(owner))
    if (held) this.#retire(held)
  }

  async #take(parts: McpParts, credential: Credential): Promise<{ held: Held; fresh: boolean }> {
    const key = await ownerKey(parts.owner)
    const known = this.#held.get(key)
    if (known && isGood(known, credential.handle, parts.now())) {
      known.calls++
      clearTimeout(known.idle)
      return { held: known, fresh: false }
    }
    if (known) this.#retire(known)
    const { handle } = credential
    const connection = this.#open(parts, credential)
    const held: Held = { handle, openedAt: parts.now(), connection, calls: 1, retired: false }
    this.#held.set(key, held)
    connection.then(
      (one) => {
        held.opened = one
      },
      () => {},
    )
    const [oldest] = this.#held.values()
    if (this.#held.size > maxOwners && oldest) this.#retire(oldest)
    return { held, fresh: true }
  }

  #release(held: Held): void {
    held.calls--
    if (held.calls > 0) return
    if (held.retired) {
      close(held)
      return
    }
    held.idle = setTimeout(() => this.#retire(held), idleMs)
    // Where that is known (Node): a process may end with a connection open.
    const timer: { unref?: () => void } = Object(held.idle)
    timer.unref?.()
  }

  #retire(held: Held): void {
    if (held.retired) return
    held.retired = true
    clearTimeout(held.idle)
    for (const [key, one] of this.#held) if (one === held) this.#held.delete(key)
    if (held.calls === 0) close(held)
  }

  /** The credential is looked up for each request, so that one that was given up is sent no more. */
  #open(parts: McpParts, { handle }: Credential): Promise<Connection> {
    const choose: Choice = async (url) => {
      const one = await parts.credentials.getForUse(parts.owner, handle)
      const gone = unusable(one) !== undefined
      if (!gone && covers(one.audience, url)) return one
      const why = gone ? `is ${one.state}` : 'may not go to the MCP server'
      throw new AuthError(
        gone ? 'not_found' : 'outside_audience',
        `the credential ${handle} ${why}`,
        {
          details: { sent: false },
        },
      )
    }
    return Connection.open(parts, this.#url, choose)
  }
}

function isGood({ opened, ...held }: Held, handle: string, now: number): boolean {
  if (held.retired || opened?.stale) return false
  return held.handle === handle && now < held.openedAt + lifeMs
}

function close({ connection }: Held): void {
  void connection.then((one) => one.close()).catch(() => {})
}
