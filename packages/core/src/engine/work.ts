import { AuthError } from '../errors.ts'
import type { WorkEvent, WorkWish } from '../methods/method.ts'

/** How much a service may have computed. */
export interface WorkLimits {
  /** Leading zero bits that a hash may be asked to have; each one more doubles the work. 24 by default. */
  readonly maxBits?: number
  /** Milliseconds that one proof may take; 30000 by default. Keep it below the minute of a lease. */
  readonly maxMs?: number
}

/**
 * Finds the smallest whole number, in decimal, such that SHA-256 of `prefix` and it begins with so many zero
 * bits. Runs outside the event loop; rejects with the signal's reason when that is aborted.
 */
export type Worker = (wish: WorkWish, signal: AbortSignal) => Promise<string>

const defaultBits = 24
const defaultMs = 30_000

/** Proofs of work that services ask for: within limits, outside the event loop, and ended on demand. */
export class Works {
  readonly #worker: Worker | undefined
  readonly #limits: WorkLimits
  readonly #running = new Map<string, AbortController>()

  constructor(worker: Worker | undefined, limits: WorkLimits = {}) {
    this.#worker = worker
    this.#limits = limits
  }

  /** What became of it is for the method to say. Throws `method_failed` where the worker itself is broken. */
  async do(registration: string, wish: WorkWish): Promise<WorkEvent> {
    const { maxBits = defaultBits, maxMs = defaultMs } = this.#limits
    const { bits } = wish
    if (!(Number.isInteger(bits) && bits >= 0 && bits <= maxBits)) {
      return none('too-hard', `It asks for ${bits} zero bits; ${maxBits} is the limit.`)
    }
    if (this.#worker === undefined) {
      return none('unavailable', 'This runtime has no worker to compute it in.')
    }
    const cancel = new AbortController()
    this.#running.set(registration, cancel)
    const late = AbortSignal.timeout(maxMs)
    try {
      const solution = await this.#worker(wish, AbortSignal.any([cancel.signal, late]))
      return { type: 'work', solution }
    } catch (error) {
      if (cancel.signal.aborted) return none('cancelled', 'The registration was cancelled.')
      if (late.aborted) return none('too-hard', `It was not found within ${maxMs} ms.`)
      throw new AuthError('method_failed', 'the worker of a proof of work failed', { cause: error })
    } finally {
      this.#running.delete(registration)
    }
  }

  /** Ends what is computed for a registration in this process. */
  cancel(registration: string): void {
    this.#running.get(registration)?.abort()
  }
}

function none(why: Extract<WorkEvent, { none: string }>['none'], reason: string): WorkEvent {
  return { type: 'work', none: why, reason }
}
