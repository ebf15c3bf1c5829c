import type { Clock } from './clock.ts'

/** At most `max` in any `windowMs`, counted for each key on its own. */
export class RateLimit {
  readonly #taken = new Map<string, number[]>()
  readonly #clock: Clock
  readonly #max: number
  readonly #windowMs: number

  constructor(clock: Clock, max: number, windowMs: number) {
    this.#clock = clock
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts one. Over the limit it counts nothing and says after how many seconds to come back. */
  take(key: string): number | undefined {
    const now = this.#clock.now()
    const recent = (this.#taken.get(key) ?? []).filter((at) => at > now - this.#windowMs)
    this.#taken.set(key, recent)
    if (recent.length >= this.#max) {
      return Math.max(1, Math.ceil(((recent[0] ?? now) + this.#windowMs - now) / 1000))
    }
    recent.push(now)
    return undefined
  }
}
