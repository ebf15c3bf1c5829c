import { toBase64Url } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import { Secret } from '../vault/secret.ts'
import { decode, plainView, readEscape } from './redactor-decode.ts'
import { buildSearch, joined, type Pattern, type Range, type Search } from './redactor-search.ts'
import { redactionText } from './redactor-unseen.ts'

export { hiddenText, redactionText, redactUnseen, type UnseenSecret } from './redactor-unseen.ts'

/** Secrets with fewer characters cannot be told from ordinary text. */
const shortestSecret = 8

/** Whether a secret is long enough to be redacted. */
export function canRedact(secret: Secret): boolean {
  return Secret.open(secret).length >= shortestSecret
}

/** Layers of encoding that are looked through. */
const layers = 3

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** One character a byte, so that places in the text are places in the bytes. */
const byteDecoder = new TextDecoder('latin1')

/** A secret, with the name that an error about it may use. */
export interface LabelledSecret {
  readonly label: string
  readonly secret: Secret
}

/** Removes known secrets from text. */
export interface Redactor {
  /** The text without them, and how many places were replaced. */
  redact(text: string): { text: string; found: number }
  /**
   * The same for a stream of UTF-8 text, however it is cut into chunks. Only what may be the beginning
   * of a secret is held back.
   */
  stream(): TransformStream<Uint8Array, Uint8Array>
}

/** A base64 digit holds six bits: what surrounds a value decides which of three ways it is written. */
function base64Forms(value: Uint8Array): Pattern[] {
  return [0, 1, 2].flatMap((offset) => {
    const padded = new Uint8Array(offset + value.length)
    padded.set(value, offset)
    const bits = 8 * padded.length
    const url = toBase64Url(padded).slice(Math.ceil((8 * offset) / 6), Math.floor(bits / 6))
    const edges = { before: offset > 0, after: bits % 6 > 0 }
    const plain = url.replaceAll('-', '+').replaceAll('_', '/')
    return [url, plain].map((form) => ({ bytes: encoder.encode(form), ...edges }))
  })
}

function formsOf(text: string): Pattern[] {
  const value = encoder.encode(text)
  const hex = Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const forms: Pattern[] = [value, encoder.encode(hex), encoder.encode(hex.toUpperCase())].map(
    (bytes) => ({ bytes }),
  )
  if (text.includes(' ')) forms.push({ bytes: encoder.encode(text.replaceAll(' ', '+')) })
  // A secret that itself looks escaped in places is also met with those places decoded.
  let view = plainView(value, 0)
  for (let layer = 0; layer < layers; layer++) {
    view = decode(view, true)
    if (view.changed && view.bytes.length >= shortestSecret) {
      forms.push({ bytes: view.bytes.slice() })
    }
  }
  return [...forms, ...base64Forms(value)]
}

/** Ranges that hold a secret, and from where on more text could change the answer. */
function scan(
  search: Search,
  bytes: Uint8Array,
  final: boolean,
): { ranges: Range[]; open: number } {
  const direct = search.find(bytes, final)
  const ranges = direct.ranges
  let open = direct.open
  if (search.longest === 0) return { ranges, open }
  // An escape, escaped again, reaches so much further than the secret.
  const margin = search.longest + 40

  function lookThrough(start: number, end: number): void {
    const whole = final || end < bytes.length
    let view = plainView(bytes.subarray(start, end), start)
    for (let layer = 0; layer < layers; layer++) {
      view = decode(view, whole)
      if (!view.changed && !view.cut) break
      const hidden = search.find(view.bytes, whole)
      for (const it of hidden.ranges) {
        ranges.push({ start: view.originOf(it.start), end: view.originOf(it.end) })
      }
      if (!whole) open = Math.min(open, view.originOf(hidden.open))
      if (view.settled) break
    }
    // The rest is looked at again from there: never from within an escape.
    if (!whole && open > start) open = view.originOf(view.lastAt(open))
  }

  // Only around escapes does decoded text differ from the text as it stands.
  let start = -1
  let end = -1
  // An engine searches a text for a few characters many times faster than a loop looks at each byte.
  const special = /[%&\\]/g
  const text = byteDecoder.decode(bytes)
  while (special.test(text)) {
    const at = special.lastIndex - 1
    const span = readEscape(bytes, at)
    if (span === 0 || (span < 0 && final)) continue
    if (start < 0 || at - margin > end) {
      if (start >= 0) lookThrough(start, end)
      start = Math.max(0, at - margin)
    }
    end = span < 0 ? bytes.length : Math.min(bytes.length, at + span + margin)
    if (span > 0) special.lastIndex = at + span
  }
  if (start >= 0) lookThrough(start, end)
  return { ranges: joined(ranges), open }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, it) => sum + it.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function streamOf(
  search: Search,
  replacement: Uint8Array,
): TransformStream<Uint8Array, Uint8Array> {
  let held: Uint8Array = new Uint8Array()
  /** So many bytes of `held` belong to a replacement that went out already. */
  let covered = 0
  let waiting: Uint8Array[] = []
  let waitingBytes = 0

  function advance(final: boolean): Uint8Array {
    const bytes = concat([held, ...waiting])
    waiting = []
    waitingBytes = 0
    const scanned = scan(search, bytes, final)
    const open = final ? bytes.length : scanned.open
    if (open === 0) {
      held = bytes
      return held.subarray(0, 0)
    }
    const ranges = covered > 0 ? [{ start: 0, end: covered }, ...scanned.ranges] : scanned.ranges
    const out: Uint8Array[] = []
    let at = 0
    let isNew = covered === 0
    covered = 0
    for (const range of joined(ranges)) {
      if (range.start >= open) break
      out.push(bytes.subarray(at, range.start))
      if (isNew) out.push(replacement)
      isNew = true
      at = Math.min(range.end, open)
      covered = range.end - at
    }
    out.push(bytes.subarray(at, open))
    held = bytes.slice(open)
    return concat(out)
  }

  return new TransformStream({
    transform(chunk, controller) {
      waiting.push(chunk)
      waitingBytes += chunk.length
      // Held bytes are looked at again: wait for a share of new ones, or many small chunks cost the square.
      if (held.length > 256 && waitingBytes * 8 < held.length) return
      const out = advance(false)
      if (out.length > 0) controller.enqueue(out)
    },
    flush(controller) {
      const out = advance(true)
      if (out.length > 0) controller.enqueue(out)
    },
  })
}

/**
 * Replaces every occurrence of each secret by `shown`: as it is, in percent-encoding,
 * JSON string escapes and HTML character references (any letter case, also where only some characters
 * are encoded, up to three layers of them), in hex, and in base64 and base64url at any offset, also
 * within a longer blob. In base64 the neighbouring digits that hold some of its bits go with it.
 *
 * It takes time proportional to the text, whatever the text. Throws `AuthError` `secret_refused` for a
 * secret of fewer than 8 characters, which could not be told from ordinary text.
 *
 * @example
 * ```ts
 * const { text, found } = createRedactor([apiKey]).redact(await response.text())
 * ```
 */
export function createRedactor(
  secrets: Iterable<Secret | LabelledSecret>,
  shown: string = redactionText,
): Redactor {
  const patterns = new Map<string, Pattern>()
  for (const item of secrets) {
    const { label, secret } = item instanceof Secret ? { label: 'a secret', secret: item } : item
    const text = Secret.open(secret)
    if (text.length < shortestSecret) {
      const why = `has fewer than ${shortestSecret} characters and cannot be redacted`
      throw new AuthError('secret_refused', `${label} ${why}`)
    }
    for (const form of formsOf(text)) {
      const key = form.bytes.join()
      const known = patterns.get(key)
      patterns.set(key, {
        bytes: form.bytes,
        before: form.before === true || known?.before === true,
        after: form.after === true || known?.after === true,
      })
    }
  }
  const search = buildSearch([...patterns.values()])

  return {
    redact(text) {
      const bytes = encoder.encode(text)
      const { ranges } = scan(search, bytes, true)
      if (ranges.length === 0) return { text, found: 0 }
      let out = ''
      let at = 0
      for (const { start, end } of ranges) {
        out += decoder.decode(bytes.subarray(at, start)) + shown
        at = end
      }
      return { text: out + decoder.decode(bytes.subarray(at)), found: ranges.length }
    },
    stream: () => streamOf(search, encoder.encode(shown)),
  }
}
