import type { Redactor } from '../src/use/redactor.ts'

const secret = 'canary/K3y+with=odd&chars"%é'
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
export const base64 = (text: string): string => Buffer.from(text).toString('base64')
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

/** What a stream makes of a text in these chunks. */
export async function streamed(redactor: Redactor, chunks: readonly Uint8Array[]): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  return new Response(source.pipeThrough(redactor.stream())).text()
}

/** Each way in which a service may write a secret down. */
export const encodings: [string, (text: string) => string][] = [
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

/** Secrets that encodings treat differently. */
export const samples: readonly string[] = [
  secret,
  'plainSecretValue0123',
  // Holds + and / in base64 at each offset.
  '>>>???~~~>>>???~~~',
  'päss wörd 𝒳 with spaces',
  'a\\b\\\\c"d/e\\u0041',
]
