/** One byte string to look for. */
export interface Pattern {
  readonly bytes: Uint8Array
  /** The base64 digit before (after) it still carries some of the secret's bits. */
  readonly before?: boolean
  readonly after?: boolean
}

/** A stretch of bytes, `end` exclusive. */
export interface Range {
  start: number
  end: number
}

/** Looks for all patterns at once. */
export interface Search {
  /** Length of the longest pattern; 0 when there is none. */
  readonly longest: number
  /** Ranges that are covered by a pattern, in order, overlapping ones joined. */
  find(bytes: Uint8Array, final: boolean): { ranges: Range[]; open: number }
}

/** Appends a range whose end is not before the ends of the others, joining what overlaps. */
function append(ranges: Range[], range: Range): void {
  for (let last = ranges.at(-1); last !== undefined && last.end > range.start; ) {
    range.start = Math.min(range.start, last.start)
    range.end = Math.max(range.end, last.end)
    ranges.pop()
    last = ranges.at(-1)
  }
  ranges.push(range)
}

/** Sorts ranges of several searches and joins those that overlap; adjacent ones stay apart. */
export function joined(ranges: Range[]): Range[] {
  const out: Range[] = []
  for (const { start, end } of ranges.sort((a, b) => a.start - b.start)) {
    const last = out.at(-1)
    if (last !== undefined && last.end > start) last.end = Math.max(last.end, end)
    else out.push({ start, end })
  }
  return out
}

const base64Digit = new Uint8Array(256)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') {
  base64Digit[char.charCodeAt(0)] = 1
}

function blockOf(bytes: Uint8Array, at: number): number {
  return (bytes[at]! * 3329 + bytes[at + 1]! * 57 + bytes[at + 2]!) & 0xffff
}

/**
 * An Aho-Corasick automaton over bytes, its edges in one hash table since most states have one child.
 * Worst case linear, whatever the text and the patterns.
 */
function buildAutomaton(patterns: readonly Pattern[]) {
  const most = patterns.reduce((sum, it) => sum + it.bytes.length, 1)
  const bits = Math.max(4, Math.ceil(Math.log2(most * 2)))
  const mask = 2 ** bits - 1
  const keys = new Int32Array(mask + 1).fill(-1)
  const targets = new Int32Array(mask + 1)
  const root = new Int32Array(256)
  const parent = new Int32Array(most)
  const label = new Uint8Array(most)
  const depth = new Int32Array(most)
  const fail = new Int32Array(most)
  const matched = new Int32Array(most)
  const before = new Uint8Array(most)
  const after = new Uint8Array(most)
  let count = 1

  function slotOf(key: number): number {
    let slot = Math.imul(key, 0x9e3779b1) >>> (32 - bits)
    while (keys[slot] !== -1 && keys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  function step(from: number, byte: number): number {
    for (let state = from; state !== 0; state = fail[state]!) {
      const slot = slotOf(state * 256 + byte)
      if (keys[slot] !== -1) return targets[slot]!
    }
    return root[byte]!
  }

  for (const pattern of patterns) {
    let state = 0
    for (const byte of pattern.bytes) {
      const slot = slotOf(state * 256 + byte)
      if (keys[slot] === -1) {
        keys[slot] = state * 256 + byte
        targets[slot] = count
        if (state === 0) root[byte] = count
        parent[count] = state
        label[count] = byte
        depth[count] = depth[state]! + 1
        count++
      }
      state = targets[slot]!
    }
    matched[state] = pattern.bytes.length
    if (pattern.before) before[state] = 1
    if (pattern.after) after[state] = 1
  }

  // A state's failure is shorter than the state: go by depth.
  const order = Array.from({ length: count - 1 }, (_, i) => i + 1)
  for (const state of order.sort((a, b) => depth[a]! - depth[b]!)) {
    const to = parent[state] === 0 ? 0 : step(fail[parent[state]!]!, label[state]!)
    fail[state] = to
    if (matched[state] === 0) {
      matched[state] = matched[to]!
      before[state] = before[to]!
    }
    after[state] = after[state]! | after[to]!
  }
  return { step, depth, matched, before, after }
}

/** Builds the search. Patterns have at least 3 bytes. */
export function buildSearch(patterns: readonly Pattern[]): Search {
  if (patterns.length === 0) {
    return { longest: 0, find: (bytes) => ({ ranges: [], open: bytes.length }) }
  }
  const lengths = patterns.map((it) => it.bytes.length)
  const longest = lengths.reduce((a, b) => Math.max(a, b))
  const window = Math.min(200, ...lengths)
  const { step, depth, matched, before, after } = buildAutomaton(patterns)

  // How far the window may move when it ends in this block (Wu and Manber), and how patterns begin.
  const shifts = new Uint8Array(0x10000).fill(window - 2)
  const starts = new Uint8Array(0x10000)
  for (const { bytes } of patterns) {
    starts[blockOf(bytes, 0)] = 1
    for (let at = 0; at + 3 <= window; at++) {
      const block = blockOf(bytes, at)
      shifts[block] = Math.min(shifts[block]!, window - 3 - at)
    }
  }
  const anyBefore = patterns.some((it) => it.before)

  function find(bytes: Uint8Array, final: boolean): { ranges: Range[]; open: number } {
    const ranges: Range[] = []
    const length = bytes.length

    function report(state: number, end: number): void {
      let start = end - matched[state]!
      if (before[state] && start > 0 && base64Digit[bytes[start - 1]!]) start--
      const more = after[state] === 1
      append(ranges, {
        start,
        end: more && end < length && base64Digit[bytes[end]!] ? end + 1 : end,
      })
    }

    let at = 0
    let deep = 0
    let next = 0
    while (at + window <= length) {
      const shift = shifts[blockOf(bytes, at + window - 3)]!
      if (shift > 0) {
        at += shift
      } else if (starts[blockOf(bytes, at)] === 0) {
        at++
      } else {
        let state = 0
        next = at
        // Stay in the automaton while it follows something; each round moves `at` forward.
        do {
          state = step(state, bytes[next++]!)
          deep = depth[state]!
          if (matched[state]! > 0) report(state, next)
        } while (next < length && (deep > 2 || next - deep === at))
        at = next - deep
        if (next === length) break
      }
    }
    if (next < length) {
      let state = 0
      for (let i = at; i < length; i++) state = step(state, bytes[i]!)
      deep = depth[state]!
    }
    // A match that ends here is open too: its last digit may be still to come.
    let from = length - deep
    if (anyBefore && from > 0 && base64Digit[bytes[from - 1]!]) from--
    return { ranges, open: final ? length : from }
  }

  return { longest, find }
}
