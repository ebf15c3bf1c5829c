import { AuthError } from '../errors.ts'
import type { Lease, Store } from './store.ts'

/** Takes leases and gives them back, also where the store cannot be asked just when one is to be given back. */
export class Leases {
  readonly #store: Store
  /** Those that are still ours as far as the store knows, by name: else nobody had them until they end. */
  readonly #left = new Map<string, Lease>()

  constructor(store: Store) {
    this.#store = store
  }

  async take(name: string, ms: number): Promise<Lease | undefined> {
    const left = this.#left.get(name)
    if (left) {
      await left.release()
      this.#left.delete(name)
    }
    return this.#store.lease(name, ms)
  }

  /** Throws nothing that the store throws: what was done under the lease is done. */
  async giveBack(name: string, lease: Lease): Promise<void> {
    try {
      await lease.release()
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
      for (const [one, { expires }] of this.#left) if (expires < Date.now()) this.#left.delete(one)
      this.#left.set(name, lease)
    }
  }
}
