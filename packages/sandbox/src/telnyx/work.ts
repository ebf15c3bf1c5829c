import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'

export interface Work {
  id: string
  /** What is hashed before the answer. */
  text: string
  bits: number
  expiresAt: number
}

const ttlMs = 10 * 60_000

/** Proofs of work that were asked for, each good for one right answer within ten minutes. */
export class Works {
  readonly #open = new Map<string, Work>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  create(bits: number, id?: string): Work {
    const text = randomBytes(16).toString('hex')
    const work = { id: id ?? text, text, bits, expiresAt: this.#clock.now() + ttlMs }
    this.#open.set(work.id, work)
    return work
  }

  /** Whether SHA-256 of text, `between` and answer begins with as many zero bits as were asked for. */
  isDone(id: string, between: string, answer: string): boolean {
    const work = this.#open.get(id)
    if (!work || this.#clock.now() >= work.expiresAt) return false
    const hash = createHash('sha256').update(`${work.text}${between}${answer}`).digest()
    return zeroBits(hash) >= work.bits
  }

  /** Uses the work up, whatever comes of it. */
  redeem(id: string, answer: string): boolean {
    const done = this.isDone(id, '', answer)
    this.spend(id)
    return done
  }

  /** It is good for nothing any more. */
  spend(id: string): void {
    this.#open.delete(id)
  }
}

export function zeroBits(hash: Uint8Array): number {
  let bits = 0
  for (const byte of hash) {
    bits += Math.clz32(byte) - 24
    if (byte !== 0) break
  }
  return bits
}
