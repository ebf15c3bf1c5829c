import { type EraseReport, erase } from './erase.ts'
import { AuthError } from './errors.ts'
import type { CredentialView, Outcome } from './outcome.ts'
import { type Owner, parseOwner } from './owner.ts'
import { type OrderParts, revokeAll, revokeFor } from './revoke-all.ts'
import type { Session } from './session.ts'
import type { Secret } from './vault/secret.ts'

interface AdminParts extends OrderParts {
  /** A session that the agent's policy does not bind. */
  readonly session: (owner: Owner) => Session
}

/** What an operator may do for any owner. */
export class Admin {
  readonly #parts: AdminParts

  constructor(parts: AdminParts) {
    this.#parts = parts
  }

  /** The credentials of an owner. */
  async list(owner: Owner): Promise<readonly CredentialView[]> {
    return this.#session(owner).list()
  }

  /**
   * The secret of a credential, closed, for a person who must see it. No tool and no session leads here.
   *
   * @throws AuthError `not_found`, also where the secret is deleted already or there never was one
   */
  async secret(owner: Owner, handle: string): Promise<Secret> {
    const { secret, shared } = await this.#parts.credentials.get(parseOwner(owner), handle)
    if (secret && !shared) return secret
    throw new AuthError('not_found', `the vault holds no secret of ${handle.slice(0, 80)}`)
  }

  /**
   * Takes one credential of an owner out of use, as `approver` has decided, whatever was said to an agent that
   * asked for it; again, to have a service that did
   * not say that it is ended asked once more. What is another owner's and was shared is given back: then
   * there is no outcome.
   *
   * @throws AuthError `not_found`
   * @example await auth.admin.revoke(owner, handle, { approver: 'kim@operator.example' })
   */
  async revoke(
    owner: Owner,
    handle: string,
    by: { readonly approver: string },
  ): Promise<Outcome | undefined> {
    const { shared } = await this.#parts.credentials.get(parseOwner(owner), handle)
    return revokeFor(this.#session(owner), this.#parts, { handle, shared: !!shared }, by)
  }

  /**
   * Takes all credentials of an owner out of use; the outcomes say what a person must still do. What is
   * another owner's and was shared is given back, and works on for its owner.
   */
  async revokeAll(owner: Owner, by: { readonly approver: string }): Promise<readonly Outcome[]> {
    return revokeAll(this.#session(owner), this.#parts, by)
  }

  /**
   * Deletes every record of an owner. What was not revoked before may still work at its service. What
   * cannot be read stays, since it may have been moved there from another owner: `damaged` names it,
   * for the operator to look at and remove.
   */
  async erase(owner: Owner): Promise<EraseReport> {
    const { store, emit, now } = this.#parts
    const parsed = parseOwner(owner)
    const report = await erase(store, parsed)
    const { records, damaged } = report
    emit({ type: 'erased', at: now(), owner: parsed, records, damaged: damaged.length })
    return report
  }

  #session(owner: Owner): Session {
    return this.#parts.session(parseOwner(owner))
  }
}
