import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Secret } from '../vault/secret.ts'
import { createRedactor, redactionText } from './redactor.ts'

const secret = 'canary/K3y+with=odd&chars"%é'
const utf8 = (text: string) => new TextEncoder().encode(text)
const base64 = (text: string) => Buffer.from(text).toString('base64')
const chars = (text: string, form: (char: string) => string) => Array.from(text, form).join('')
const percent = (char: string) =>
  Array.from(utf8(char), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const unicode = (char: string) =>
  char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
const named: Record<string, string> = {
  '&': '&amp;',
  '"': '&quot;',
  '+': '&plus;',
  '=': '&equals;',
}

async function streamed(
  redactor: ReturnType<typeof createRedactor>,
  chunks: readonly Uint8Array[],
): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  return new Response(source.pipeThrough(redactor.stream())).text()
}

const encodings: [string, (text: string) => string][] = [
  ['as it is', (text) => text],
  ['percent-encoding as the URL standard has it', encodeURIComponent],
  ['percent-encoding in lower case', (text) => encodeURIComponent(text).replace(/%../g, lower)],
  ['percent-encoding of every byte', (text) => chars(text, percent)],
  ['percent-encoding of every other character', (text) => alternate(text, percent)],
  ['percent-encoding twice', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['a form', (text) => new URLSearchParams({ v: text }).toString().slice(2)],
  ['JSON', (text) => JSON.stringify(text).slice(1, -1)],
  ['JSON with slashes escaped', (text) => JSON.stringify(text).slice(1, -1).replace('/', '\\/')],
  ['JSON within JSON', (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
  ['JSON with every character escaped', (text) => chars(text, unicode)],
  ['JSON with some escaped in upper case', (text) => alternate(text, (c) => upper(unicode(c)))],
  ['HTML, named', (text) => chars(text, (char) => named[char] ?? char)],
  ['HTML, decimal', (text) => chars(text, (char) => `&#${char.codePointAt(0)};`)],
  ['HTML, decimal with zeros', (text) => alternate(text, (c) => `&#000${c.codePointAt(0)};`)],
  ['HTML, hex', (text) => chars(text, (char) => `&#x${char.codePointAt(0)?.toString(16)};`)],
  ['HTML, hex in upper case', (text) => alternate(text, (c) => `&#X${hexOf(c)};`)],
  ['HTML in JSON', (text) => JSON.stringify(chars(text, (c) => named[c] ?? c)).slice(1, -1)],
  ['JSON in a URL', (text) => encodeURIComponent(JSON.stringify(text).slice(1, -1))],
  ['hex', (text) => Buffer.from(text).toString('hex')],
  ['hex in upper case', (text) => upper(Buffer.from(text).toString('hex'))],
  ['base64', base64],
  ['base64url', (text) => Buffer.from(text).toString('base64url')],
  ['base64 in a URL', (text) => encodeURIComponent(base64(text))],
  ['base64 with slashes escaped', (text) => base64(text).replaceAll('/', '\\/')],
]

function lower(text: string): string {
  return text.toLowerCase()
}

function upper(text: string): string {
  return text.replace(/[a-f]/g, (char) => char.toUpperCase())
}

function hexOf(char: string): string {
  return char.codePointAt(0)!.toString(16).toUpperCase()
}

function alternate(text: string, form: (char: string) => string): string {
  const bare = (char: string, i: number) => i % 2 === 0 && !'\\%&'.includes(char)
  return Array.from(text, (char, i) => (bare(char, i) ? char : form(char))).join('')
}

const samples = [secret, 'plainSecretValue0123', 'päss wörd 𝒳 with spaces', 'a\\b\\\\c"d/e\\u0041']

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
