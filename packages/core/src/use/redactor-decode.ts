/** Bytes that were decoded from others, and the way back. */
export interface View {
  readonly bytes: Uint8Array
  /** Something was decoded. */
  readonly changed: boolean
  /** The source ends within an escape; the bytes stop before it. */
  readonly cut: boolean
  /** No byte may begin an escape: to decode it again would change nothing. */
  readonly settled: boolean
  /** Where in the first source byte `at` begins (or, for the length, where the bytes end). */
  originOf(at: number): number
  /** The last byte that begins at or before a place in the first source. */
  lastAt(origin: number): number
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  plus: '+',
  sol: '/',
  bsol: '\\',
  equals: '=',
  lowbar: '_',
  dash: '-',
  hyphen: '-',
  period: '.',
  comma: ',',
  colon: ':',
  semi: ';',
  excl: '!',
  quest: '?',
  num: '#',
  dollar: '$',
  percnt: '%',
  ast: '*',
  lpar: '(',
  rpar: ')',
  lsqb: '[',
  lbrack: '[',
  rsqb: ']',
  rbrack: ']',
  lcub: '{',
  lbrace: '{',
  rcub: '}',
  rbrace: '}',
  verbar: '|',
  vert: '|',
  commat: '@',
  Hat: '^',
  grave: '`',
  Tab: '\t',
  NewLine: '\n',
}

/** What stands for a character after a backslash; 0 where nothing does. */
const jsonEscapes = new Uint8Array(256)
for (const [i, letter] of Array.from('"\\/bfnrt').entries()) {
  jsonEscapes[letter.charCodeAt(0)] = '"\\/\b\f\n\r\t'.charCodeAt(i)
}

/** No entity of ours has a longer name, no number that means a character more digits. */
const longestReference = 8

const hexDigit = new Int8Array(256).fill(-1)
for (let i = 0; i < 16; i++) {
  hexDigit[i.toString(16).charCodeAt(0)] = i
  hexDigit[i.toString(16).toUpperCase().charCodeAt(0)] = i
}

/** What `readEscape` found: a byte as it is, or a code point to be written as UTF-8. */
const found = { value: 0, isByte: false }

function yields(value: number, length: number, isByte: boolean): number {
  found.value = value
  found.isByte = isByte
  return length
}

/** The code unit in four hex digits; -1 none, -2 the text ends within them. */
function fourHex(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = at; i < at + 4; i++) {
    if (i >= bytes.length) return -2
    const digit = hexDigit[bytes[i]!]!
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function readJson(bytes: Uint8Array, at: number): number {
  if (at + 1 >= bytes.length) return -1
  const kind = bytes[at + 1]!
  if (kind !== 0x75) {
    const plain = jsonEscapes[kind]!
    return plain === 0 ? 0 : yields(plain, 2, true)
  }
  const unit = fourHex(bytes, at + 2)
  if (unit < 0) return unit === -2 ? -1 : 0
  if (unit < 0xd800 || unit > 0xdfff) return yields(unit, 6, false)
  if (unit < 0xdc00) {
    const follows = [0x5c, 0x75].every((it, i) => (bytes[at + 6 + i] ?? it) === it)
    const low = follows ? fourHex(bytes, at + 8) : -1
    if (low === -2) return -1
    if (low >= 0xdc00 && low <= 0xdfff) {
      return yields(0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00), 12, false)
    }
  }
  return yields(0xfffd, 6, false)
}

function readNumber(bytes: Uint8Array, at: number): number {
  const isHex = ((bytes[at + 2] ?? 0) | 0x20) === 0x78
  const base = isHex ? 16 : 10
  const first = at + (isHex ? 3 : 2)
  let value = 0
  let i = first
  for (; i < bytes.length && i - first <= longestReference; i++) {
    const digit = hexDigit[bytes[i]!]!
    if (digit < 0 || digit >= base) break
    value = value * base + digit
  }
  if (i - first > longestReference) return 0
  if (i === bytes.length) return -1
  if (i === first || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0
  return yields(value, i - at + (bytes[i] === 0x3b ? 1 : 0), false)
}

function readEntity(bytes: Uint8Array, at: number): number {
  if (at + 1 >= bytes.length) return -1
  if (bytes[at + 1] === 0x23) return readNumber(bytes, at)
  let name = ''
  for (let i = at + 1; i <= at + 1 + longestReference; i++) {
    const byte = bytes[i]
    if (byte === undefined) return -1
    if (byte === 0x3b) {
      const char = Object.hasOwn(entities, name) ? entities[name]! : undefined
      return char === undefined ? 0 : yields(char.charCodeAt(0), i + 1 - at, true)
    }
    const letter = byte | 0x20
    if (letter < 0x61 || letter > 0x7a) return 0
    name += String.fromCharCode(byte)
  }
  return 0
}

function readPercent(bytes: Uint8Array, at: number): number {
  const high = at + 1 < bytes.length ? hexDigit[bytes[at + 1]!]! : -2
  if (high < 0) return high === -2 ? -1 : 0
  const low = at + 2 < bytes.length ? hexDigit[bytes[at + 2]!]! : -2
  if (low < 0) return low === -2 ? -1 : 0
  return yields(high * 16 + low, 3, true)
}

/** Length of the escape at `at`; 0 when there is none, -1 when the bytes end within one. */
export function readEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === 0x25) return readPercent(bytes, at)
  if (byte === 0x26) return readEntity(bytes, at)
  if (byte === 0x5c) return readJson(bytes, at)
  return 0
}

function writeUtf8(out: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code
    return 1
  }
  const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3
  out[at] = ((0xff00 >> (more + 1)) & 0xff) | (code >> (6 * more))
  for (let i = 1; i <= more; i++) out[at + i] = 0x80 | ((code >> (6 * (more - i))) & 0x3f)
  return more + 1
}

/** Bytes as a view of themselves, `from` being where they begin. */
export function plainView(bytes: Uint8Array, from: number): View {
  return {
    bytes,
    changed: false,
    cut: false,
    settled: false,
    originOf: (at) => from + at,
    lastAt: (origin) => Math.min(bytes.length, origin - from),
  }
}

/** Index of the last of `places`, which ascend from 0, that is not after `place`. */
function indexIn(places: readonly number[], place: number): number {
  let low = 0
  let high = places.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (places[middle]! <= place) low = middle
    else high = middle - 1
  }
  return low
}

/** Where plain stretches (even) and escapes (odd) begin, in the source and in what it became. */
interface Marks {
  readonly before: number[]
  readonly after: number[]
}

/** 1 for the bytes that may begin an escape: `%`, `&` and a backslash. */
const special = new Uint8Array(256)
for (const byte of [0x25, 0x26, 0x5c]) special[byte] = 1

/** Index of the next byte from `at` on that may begin an escape. */
function nextSpecial(bytes: Uint8Array, at: number): number {
  const { length } = bytes
  let i = at
  while (i < length && special[bytes[i]!] === 0) i++
  return i
}

function copy(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): void {
  if (to - from > 40) out.set(bytes.subarray(from, to), at)
  else for (let i = from, j = at; i < to; i++, j++) out[j] = bytes[i]!
}

/** Decodes into `out`; returns how much that is, and how the view is. */
function decodeInto(out: Uint8Array, bytes: Uint8Array, final: boolean, marks?: Marks) {
  let length = 0
  let plain = 0
  let settled = true
  let at = nextSpecial(bytes, 0)
  for (; at < bytes.length; at = nextSpecial(bytes, at)) {
    const span = readEscape(bytes, at)
    if (span < 0 && !final) break
    if (span <= 0) {
      settled = false
      at++
      continue
    }
    if (special[found.value] === 1) settled = false
    copy(bytes, plain, at, out, length)
    length += at - plain
    marks?.before.push(at, at + span)
    marks?.after.push(length)
    if (found.isByte) out[length++] = found.value
    else length += writeUtf8(out, length, found.value)
    marks?.after.push(length)
    at += span
    plain = at
  }
  copy(bytes, plain, at, out, length)
  length += at - plain
  const cut = at < bytes.length
  return { length, changed: length < at, cut, settled: settled && !cut }
}

/**
 * Takes one layer of percent-encoding, JSON escapes and HTML character references away. With `final` an
 * escape that the end cuts off is taken literally.
 */
export function decode(source: View, final: boolean): View {
  const { bytes } = source
  const out = new Uint8Array(bytes.length)
  const { length, changed, cut, settled } = decodeInto(out, bytes, final)
  let marks: Marks | undefined

  // The way back is seldom asked for: only where a secret was found, and at a chunk's end.
  function wayBack(): Marks {
    if (marks === undefined) {
      marks = { before: [0], after: [0] }
      decodeInto(out, bytes, final, marks)
    }
    return marks
  }

  return {
    bytes: out.subarray(0, length),
    changed,
    cut,
    settled,
    originOf(place) {
      const { before, after } = wayBack()
      const i = indexIn(after, place)
      return source.originOf(before[i]! + (i % 2 === 0 ? place - after[i]! : 0))
    },
    lastAt(origin) {
      const { before, after } = wayBack()
      const place = source.lastAt(origin)
      const i = indexIn(before, place)
      return Math.min(length, after[i]! + (i % 2 === 0 ? place - before[i]! : 0))
    },
  }
}
