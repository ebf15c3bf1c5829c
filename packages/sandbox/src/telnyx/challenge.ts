import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { garble, numberWord } from './garble.ts'

export type ChallengeType = 'math' | 'string' | 'binary'

export interface Challenge {
  nonce: string
  type: ChallengeType
  problem: string
  /** Decimal places, for math. */
  precision?: number
  answer: string
  expiresAt: number
}

export interface ChallengeOptions {
  types: readonly ChallengeType[]
  garble: boolean
  random: () => number
}

const ttlMs = 10 * 60_000

/** The puzzles given out, each good for one answer within ten minutes. */
export class Challenges {
  readonly #open = new Map<string, Challenge>()
  readonly #answers = new Map<string, string>()
  readonly #clock: Clock
  readonly #options: ChallengeOptions

  constructor(clock: Clock, options: ChallengeOptions) {
    this.#clock = clock
    this.#options = options
  }

  create(): Challenge {
    const { types, random } = this.#options
    const type = pick(types, random)
    const challenge: Challenge = {
      nonce: randomUUID(),
      type,
      expiresAt: this.#clock.now() + ttlMs,
      ...makers[type](this.#options),
    }
    this.#open.set(challenge.nonce, challenge)
    this.#answers.set(challenge.nonce, challenge.answer)
    this.#answers.set(challenge.problem, challenge.answer)
    return challenge
  }

  /** Uses the nonce up, whatever comes of it. */
  redeem(nonce: string, answer: string): boolean {
    const challenge = this.#open.get(nonce)
    this.#open.delete(nonce)
    if (!challenge || this.#clock.now() >= challenge.expiresAt) return false
    return isRight(challenge, answer.trim())
  }

  answerTo(nonceOrProblem: string): string | undefined {
    return this.#answers.get(nonceOrProblem)
  }
}

/** Math is compared as a number that has been rounded, so that 7 is as good as 7.00. */
function isRight(challenge: Challenge, answer: string): boolean {
  if (challenge.type !== 'math') return answer.toUpperCase() === challenge.answer
  return /^-?\d+(\.\d+)?$/.test(answer) && Number(answer) === Number(challenge.answer)
}

type Made = Pick<Challenge, 'problem' | 'answer' | 'precision'>

const makers: Record<ChallengeType, (options: ChallengeOptions) => Made> = {
  math({ random, garble: garbled }) {
    const a = between(21, 99, random)
    const b = between(2, 20, random)
    const c = between(3, 19, random)
    const word = (n: number) => (random() < 0.5 ? numberWord(n) : String(n))
    const [A, B, C] = [word(a), word(b), word(c)]
    const [text, value] = pick(
      [
        [
          `A depot holds ${A} crates, ${B} more arrive, and all of them are shared equally among ${C} lorries. How many crates does one lorry carry?`,
          (a + b) / c,
        ],
        [
          `A kite climbs to ${A} metres, sinks by ${B} metres, and then rises to ${C} times the height it has left. How high is it in metres?`,
          (a - b) * c,
        ],
        [
          `A swimmer covers ${A} metres in ${B} seconds and then ${C} metres in one second more. What is the mean speed over the whole way in metres per second?`,
          (a + c) / (b + 1),
        ],
      ] as const,
      random,
    )
    const precision = between(0, 3, random)
    const places = precision === 1 ? '1 decimal place' : `${precision} decimal places`
    const rounding = `Round the answer to ${places}.`
    return {
      problem: `${garbled ? garble(text, random) : text} ${rounding}`,
      precision,
      answer: round(value, precision),
    }
  },

  string({ random }) {
    const word = pick(words, random)
    return pick(
      [
        { problem: `Write the word ${word} backwards.`, answer: [...word].reverse().join('') },
        {
          problem: `Take the word ${word} and write only its first, third, fifth letter and so on.`,
          answer: [...word].filter((_, i) => i % 2 === 0).join(''),
        },
        {
          problem: `Move the first two letters of the word ${word} to its end.`,
          answer: word.slice(2) + word.slice(0, 2),
        },
      ],
      random,
    )
  },

  binary({ random }) {
    const [a, b] = [between(128, 255, random), between(128, 255, random)]
    const bits = (n: number) => n.toString(2).padStart(8, '0')
    return pick(
      [
        { problem: `Which decimal number is ${bits(a)} in binary?`, answer: String(a) },
        {
          problem: `What is ${bits(a)} XOR ${bits(b)}, bit by bit? Answer with all 8 bits.`,
          answer: bits(a ^ b),
        },
        {
          problem: `How many ones does the binary number ${bits(a)} have? Answer in decimal.`,
          answer: String(bits(a).replaceAll('0', '').length),
        },
      ],
      random,
    )
  },
}

const words = ['LANTERN', 'HARBOUR', 'ORCHARD', 'PELICAN', 'THUNDER', 'VIOLETS', 'QUARTZ', 'MEADOW']

/** Halves go up. The smallest nudge keeps 0.575 from falling short of itself in binary. */
function round(value: number, places: number): string {
  const factor = 10 ** places
  return (Math.round(value * factor + 1e-9) / factor).toFixed(places)
}

function between(low: number, high: number, random: () => number): number {
  return low + Math.floor(random() * (high - low + 1))
}

function pick<T>(from: readonly T[], random: () => number): T {
  const item = from[Math.floor(random() * from.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}
