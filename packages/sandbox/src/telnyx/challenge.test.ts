import { expect, test } from 'vitest'
import { type Challenge, Challenges, type ChallengeType } from './challenge.ts'
import { numberWord } from './garble.ts'

/** A small generator of numbers that can be repeated (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function make(type: ChallengeType, seed: number, garble = false): Challenge {
  const clock = { now: () => 0 }
  return new Challenges(clock, { types: [type], garble, random: seeded(seed) }).create()
}

const seeds = Array.from({ length: 200 }, (_, i) => i)
const words = Array.from({ length: 100 }, (_, n) => numberWord(n))

/** Solves by the text alone, in whole numbers, apart from the code that made it. */
function solve(problem: string): number {
  const digits = problem.replace(/\b[a-z]+(-[a-z]+)?\b/gi, (word) => {
    const n = words.indexOf(word.toLowerCase())
    return n > 1 ? String(n) : word
  })
  const [a = 0, b = 0, c = 0] = (digits.match(/\d+/g) ?? []).map(Number)
  const unit = 10 ** Number(problem.match(/(\d) decimal places?\.$/)?.[1])
  let [top, bottom] = [a + c, b + 1]
  if (problem.includes('crates')) [top, bottom] = [a + b, c]
  if (problem.includes('kite')) [top, bottom] = [(a - b) * c, 1]
  return Math.floor((2 * top * unit + bottom) / (2 * bottom)) / unit
}

test('math answers are right, and every problem ends with its precision', () => {
  const kinds = new Set<string>()
  for (const seed of seeds) {
    const { problem, answer, precision } = make('math', seed)
    kinds.add(problem.slice(0, 6))
    expect(problem).toMatch(new RegExp(`Round the answer to ${precision} decimal places?\\.$`))
    expect(Number(answer)).toBe(solve(problem))
    expect(answer.split('.')[1]?.length ?? 0).toBe(precision)
  }
  expect(kinds.size).toBe(3)
})

const lookAlikes = Object.fromEntries(
  [...'асеіорхуАСЕНКМОТ'].map((letter, i) => [letter, 'aceiopxyACEHKMOT'[i] ?? '']),
)

test('garbled math reads the same without its signs, and the rounding is left alone', () => {
  for (const seed of seeds) {
    const [plain, garbled] = [make('math', seed), make('math', seed, true)]
    const [, text = '', rounding] = garbled.problem.match(/^(.*)(Round the answer .*)$/) ?? []
    expect(plain.problem.endsWith(rounding ?? '?')).toBe(true)
    const cleared = text
      .replace(/[\^~|{}[\]_\\]/g, '')
      .replace(/[\u0400-\u04ff]/g, (letter) => lookAlikes[letter] ?? letter)
    expect(cleared).not.toBe(plain.problem.slice(0, text.length))
    expect((cleared + rounding).toLowerCase()).toBe(plain.problem.toLowerCase())
    expect(text).toMatch(/[\u0400-\u04ff]/)
    expect(garbled.answer).toBe(plain.answer)
  }
})

test('string and binary answers are right', () => {
  for (const seed of seeds) {
    const { problem, answer, precision } = make('string', seed)
    const word = problem.match(/the word ([A-Z]+)/)?.[1] ?? ''
    expect(precision).toBeUndefined()
    if (problem.includes('backwards')) expect(answer).toBe([...word].reverse().join(''))
    else if (problem.includes('first two')) expect(answer + answer).toContain(word)
    else expect(answer).toBe(word.replace(/(.).?/g, '$1'))

    const binary = make('binary', seed)
    const [a = '', b = ''] = binary.problem.match(/[01]{8}/g) ?? []
    const byteOf = (bits: string) => Number.parseInt(bits, 2)
    if (b !== '') expect(byteOf(binary.answer)).toBe(byteOf(a) ^ byteOf(b))
    else if (binary.problem.includes('many ones')) {
      expect(binary.answer).toBe(String(a.split('1').length - 1))
    } else expect(binary.answer).toBe(String(byteOf(a)))
  }
})

test('an answer may be written in more than one way, but must be the right one', () => {
  const attempt = (type: ChallengeType, change: (right: string) => string) => {
    const clock = { now: () => 0 }
    const challenges = new Challenges(clock, { types: [type], garble: true, random: seeded(3) })
    const { nonce, answer } = challenges.create()
    return challenges.redeem(nonce, change(answer))
  }
  expect(attempt('math', (right) => ` ${right}\n`)).toBe(true)
  expect(attempt('math', (right) => `${right.includes('.') ? right : `${right}.`}0`)).toBe(true)
  expect(attempt('math', (right) => `${Number(right) + 1}`)).toBe(false)
  expect(attempt('math', (right) => `about ${right}`)).toBe(false)
  expect(attempt('math', () => '')).toBe(false)
  expect(attempt('string', (right) => right.toLowerCase())).toBe(true)
  expect(attempt('string', (right) => `${right}X`)).toBe(false)
  expect(attempt('binary', (right) => right)).toBe(true)
  expect(attempt('binary', () => '')).toBe(false)
})
