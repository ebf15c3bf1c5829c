import fc from 'fast-check'
import { createRedactor, redactionText } from '../src/use/redactor.ts'
import { Secret } from '../src/vault/secret.ts'
import { check, target } from './target.ts'

const bytesOf = (text: string) => [...new TextEncoder().encode(text)]
const hex = (byte: number) => byte.toString(16).padStart(2, '0')
const json = (text: string) => JSON.stringify(text).slice(1, -1)

const asItIs = (text: string) => text

/** The encodings that the redactor promises to know. */
const encodings: readonly ((text: string) => string)[] = [
  asItIs,
  encodeURIComponent,
  (text) =>
    bytesOf(text)
      .map((byte) => `%${hex(byte)}`)
      .join(''),
  (text) => new URLSearchParams({ v: text }).toString().slice(2),
  json,
  (text) =>
    text
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  (text) => Array.from(text, (char) => `&#${char.codePointAt(0)};`).join(''),
  (text) => Array.from(text, (char) => `&#x${char.codePointAt(0)?.toString(16)};`).join(''),
  (text) => Buffer.from(text).toString('hex'),
  (text) => Buffer.from(text).toString('hex').toUpperCase(),
  (text) => Buffer.from(text).toString('base64').replaceAll('=', ''),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => encodeURIComponent(encodeURIComponent(text)),
  (text) => json(json(text)),
  (text) => encodeURIComponent(json(text)),
]

// No character of it can be part of a secret, of an encoding of one, or of an escape.
const filler = fc.string({ unit: fc.constantFrom('~', '|', '\n'), minLength: 1, maxLength: 12 })
const unit = fc.constantFrom(...'abAB01+/=-_.:%&;#\\"u4x{}<', 'é', '𝒳', '%41', '&amp;', '\\u0041')
const secret = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit, minLength: 8, maxLength: 30 }) },
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 40 }),
  fc.nat({ max: 1e6 }).map((n) => `KEY0MADEUP${n}`.padEnd(24, 'Q')),
)
/** Its own escapes cannot be told from those of an encoding: such a secret is promised as it is alone. */
const looksEscaped = (text: string) => /[\\&]|%[\da-f]{2}/i.test(text)
const promised = (text: string) => (looksEscaped(text) ? [asItIs] : encodings)

const piece = fc.oneof(
  { weight: 2, arbitrary: fc.record({ secret: fc.nat({ max: 2 }), encoding: fc.nat(), filler }) },
  fc.record({ noise: fc.string({ unit, maxLength: 12 }) }),
)

async function streamed(
  redactor: ReturnType<typeof createRedactor>,
  text: string,
  sizes: readonly number[],
): Promise<string> {
  const bytes = new TextEncoder().encode(text)
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        controller.enqueue(bytes.slice(at, at + size))
        at += size
      }
      controller.close()
    },
  })
  return new Response(source.pipeThrough(redactor.stream())).text()
}

/** Whatever the secret, its encoding and the chunks: it is gone, and what is around it is as it was. */
export const redactorTarget = target({
  name: 'redactor',
  runsInTest: 60,
  arbitrary: fc.record({
    secrets: fc.array(secret, { minLength: 1, maxLength: 3 }),
    pieces: fc.array(piece, { maxLength: 8 }),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  }),
  async property({ secrets, pieces, sizes }) {
    const redactor = createRedactor(secrets.map((one) => new Secret(one)))
    let clean = '~'
    let wanted = '~'
    let mixed = ''
    for (const one of pieces) {
      if ('noise' in one) {
        mixed += one.noise
        continue
      }
      const value = secrets[one.secret % secrets.length] ?? ''
      const known = promised(value)
      const encoded = known[one.encoding % known.length]?.(value) ?? ''
      clean += encoded + one.filler
      wanted += redactionText + one.filler
      mixed += encoded
    }
    const { text } = redactor.redact(clean)
    // Of a secret that looks escaped, a backslash before it may stay.
    const exact = !secrets.some(looksEscaped)
    if (exact) check(text === wanted, 'the text is another than without the secret:', clean, text)
    const whole = redactor.redact(mixed).text
    for (const value of secrets) {
      for (const encode of promised(value)) {
        const left = text.split(redactionText).join('\n').includes(encode(value))
        check(!left, 'it is left in an encoding:', clean, text)
      }
      check(!whole.split(redactionText).join('\n').includes(value), 'it is left:', mixed, whole)
    }
    for (const [before, after] of [
      [clean, text],
      [mixed, whole],
    ] as const) {
      const same = (await streamed(redactor, before, sizes)) === after
      check(same, 'the chunks made another text:', before, after)
    }
  },
})
