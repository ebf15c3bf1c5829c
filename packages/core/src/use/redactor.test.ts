import fc from 'fast-check'
import { expect, test } from 'vitest'
import { base64, encodings, samples, streamed, utf8 } from '../../test/encodings.ts'
import { Secret } from '../vault/secret.ts'
import { createRedactor, redactionText } from './redactor.ts'

test.each(encodings)('%s is replaced, wherever it stands', async (_, encode) => {
  for (const value of samples) {
    const redactor = createRedactor([new Secret('another-secret'), new Secret(value)])
    const hidden = encode(value)
    for (const [before, after] of [
      ['', ''],
      ['{"a":"', '"}'],
      ['x%20&amp;\\n', '&lt;%0A\\"'],
      [' '.repeat(500), '%41'.repeat(50)],
    ]) {
      const { text, found } = redactor.redact(`${before}${hidden}${after}`)
      const shown = text.replaceAll('=', '').replaceAll('%3D', '')
      expect(shown, `${value} as ${hidden}`).toBe(
        `${before}${redactionText}${after}`.replaceAll('=', ''),
      )
      expect(found).toBe(1)
      expect(await streamed(redactor, [utf8(`${before}${hidden}${after}`)])).toBe(text)
    }
  }
})

test('base64 of a longer text loses every digit that holds a bit of the secret', () => {
  for (const value of samples) {
    const redactor = createRedactor([new Secret(value)])
    for (let offset = 0; offset < 9; offset++) {
      for (const form of ['base64', 'base64url'] as const) {
        const blob = Buffer.from(`${'b'.repeat(offset)}${value}aaaaaaa`).toString(form)
        const { text, found } = redactor.redact(`token=${blob}`)
        expect(found).toBe(1)
        const [left = '', right = ''] = text.slice('token='.length).split(redactionText)
        expect(blob.startsWith(left) && blob.endsWith(right)).toBe(true)
        expect(left.length * 6).toBeLessThanOrEqual(offset * 8)
        const bitsAfter = 8 * (7 - 1) + 8
        expect(right.replaceAll('=', '').length * 6).toBeLessThanOrEqual(bitsAfter + 4)
      }
    }
  }
})

test('a JWT whose claim holds the secret does not keep it', () => {
  const value = 'KEYx0000MadeUpForTests'
  const claims = Buffer.from(JSON.stringify({ sub: 'a', key: value })).toString('base64url')
  const { text, found } = createRedactor([new Secret(value)]).redact(
    `eyJhbGciOiJub25lIn0.${claims}.`,
  )
  expect(found).toBe(1)
  const left = text
    .split('.')[1]!
    .split(redactionText)
    .map((it) => Buffer.from(it, 'base64url'))
  expect(left.join()).not.toContain('MadeUp')
})

test('what holds no secret is returned as it is, lone surrogates too', () => {
  const redactor = createRedactor([new Secret('some-secret-1')])
  for (const text of [
    '',
    'x',
    'some-secret-',
    '%',
    '&#',
    '\\u00',
    '\ud800 \ufeff',
    'é'.repeat(99),
  ]) {
    expect(redactor.redact(text)).toEqual({ text, found: 0 })
  }
  expect(createRedactor([]).redact('a%41&amp;')).toEqual({ text: 'a%41&amp;', found: 0 })
  expect(createRedactor([new Secret('some-secret-1')]).redact('\ufeffsome-secret-1').text).toBe(
    `\ufeff${redactionText}`,
  )
})

test('secrets that overlap or contain each other leave nothing of any of them', () => {
  const of = (...values: string[]) => createRedactor(values.map((it) => new Secret(it)))
  expect(of('abcdefgh', 'efghijkl').redact('1abcdefghijkl2')).toEqual({
    text: `1${redactionText}2`,
    found: 1,
  })
  expect(of('abcdefgh', 'abcdefghijkl', 'cdefghij').redact('abcdefghijklm').text).toBe(
    `${redactionText}m`,
  )
  expect(of('abcdefgh').redact('abcdefghabcdefgh').found).toBe(2)
  expect(of('aaaaaaaa').redact('a'.repeat(100)).text).toBe(redactionText)
})

test('a secret that is too short is refused by its label, without its value', () => {
  const make = () => createRedactor([{ label: 'the PIN', secret: new Secret('canary7') }])
  expect(make).toThrow(expect.objectContaining({ code: 'secret_refused' }))
  expect(make).toThrow(/^the PIN has fewer than 8 characters/)
})

// Pieces from which secrets, halves of secrets and broken escapes arise often.
const values = ['1bcd1bce', 'u0041bc\\%z', 'aaaaaaaab', '%41%42%43%44', 'sécret&amp;x']
const pieces = ['1bcd', '1bce', 'aaaa', 'b', '%', '4', '1', '%41', '%25', '\\', '\\\\', 'u00', '&']
pieces.push(
  'u0041',
  'bc\\',
  '%z',
  '#',
  'x41',
  ';',
  'amp',
  '&amp;',
  '%2541',
  '\\u0025',
  '&#x31;',
  'MWJj',
)
pieces.push('sé', 'cret', 'c3a9', '%31bcd', '1bcd1bc', '=', ' ', '\n')

test('however the text is cut into chunks, the stream gives what redact gives', async () => {
  const part = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...pieces) },
    fc.tuple(fc.constantFrom(...values), fc.constantFrom(...encodings)).map(([it, [, f]]) => f(it)),
    fc
      .tuple(fc.string({ maxLength: 4 }), fc.constantFrom(...values))
      .map((it) => base64(`${it.join('')}${it[0]}`)),
  )
  const redactor = createRedactor(values.map((it) => new Secret(it)))
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      async (parts, sizes) => {
        const bytes = utf8(parts.join(''))
        const chunks: Uint8Array[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(await streamed(redactor, chunks)).toBe(redactor.redact(parts.join('')).text)
      },
    ),
    { numRuns: 3000 },
  )
})

// Apart by a space: what ends in half an escape can swallow the first character of what follows.
test('no text that was redacted holds a secret, plain or encoded', () => {
  const redactor = createRedactor(values.map((it) => new Secret(it)))
  const part = fc.oneof(
    fc.constantFrom(...pieces),
    fc.tuple(fc.constantFrom(...values), fc.constantFrom(...encodings)).map(([it, [, f]]) => f(it)),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const { text } = redactor.redact(parts.join(' '))
      for (const value of values) expect(text).not.toContain(value)
      for (const [, encode] of encodings) {
        for (const value of values) expect(text).not.toContain(encode(value).replace(/=+$/, ''))
      }
    }),
    { numRuns: 1000 },
  )
})

test('a stream gives out what cannot be part of a secret at once', async () => {
  const { readable, writable } = createRedactor([new Secret('some-secret-1')]).stream()
  const writer = writable.getWriter()
  const reader = readable.getReader()
  const text = async () => new TextDecoder().decode((await reader.read()).value)
  void writer.write(utf8('data: one\n\n'))
  expect(await text()).toBe('data: one\n\n')
  void writer.write(utf8('data: some-sec'))
  expect(await text()).toBe('data: ')
  void writer.write(utf8('tion\n\n'))
  expect(await text()).toBe('some-section\n\n')
  void writer.close()
  expect((await reader.read()).done).toBe(true)
})

test('hostile texts take time in proportion to their length', async () => {
  const values = [
    'a'.repeat(2000),
    'ab'.repeat(1000),
    `${'a'.repeat(3000)}b`,
    `${'%'.repeat(900)}x`,
  ]
  const redactor = createRedactor(values.map((it) => new Secret(it)))
  for (const unit of ['a', 'ab', '%', '%25', '\\', '&', '&#0', '\\u', `${'a'.repeat(1999)}c`]) {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length))
    // Nothing is measured: were it the square of the length, the test would run into its time limit.
    const { text: whole } = redactor.redact(text)
    const bytes = utf8(text)
    const chunks = Array.from({ length: 2000 }, (_, i) => bytes.subarray(i * 50, i * 50 + 50))
    const [first = ''] = whole.split(redactionText)
    expect((await streamed(redactor, chunks)).startsWith(first.slice(0, 50))).toBe(true)
  }
})
