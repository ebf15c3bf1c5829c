import { expect, test } from 'vitest'
import { encodings, samples, streamed, utf8 } from '../../test/encodings.ts'
import { Secret } from '../vault/secret.ts'
import { createRedactor, redactionText } from './redactor.ts'

/** The stream's output for every place at which the text can be torn in two. */
async function tornEverywhere(values: readonly string[], text: string): Promise<Set<string>> {
  const redactor = createRedactor(values.map((it) => new Secret(it)))
  const bytes = utf8(text)
  const seen = new Set<string>()
  for (let at = 0; at <= bytes.length; at++) {
    seen.add(await streamed(redactor, [bytes.subarray(0, at), bytes.subarray(at)]))
  }
  seen.add(
    await streamed(
      redactor,
      [...bytes].map((_, at) => bytes.subarray(at, at + 1)),
    ),
  )
  return seen
}

test.each(encodings)('%s, torn at every place, also within a character', async (_, encode) => {
  for (const value of samples) {
    const text = `{"é":"${encode(value)}","n":"𝒳"}`
    const whole = createRedactor([new Secret(value)]).redact(text)
    expect(whole.found).toBe(1)
    expect(await tornEverywhere([value], text)).toEqual(new Set([whole.text]))
  }
})

test.each(['base64', 'base64url'] as const)(
  '%s at its three offsets, torn at every place',
  async (form) => {
    const [value = ''] = samples
    for (const offset of [0, 1, 2]) {
      const blob = Buffer.from(`${'b'.repeat(offset)}${value}aaaa`).toString(form)
      const whole = createRedactor([new Secret(value)]).redact(`x ${blob} y`)
      expect(whole.found).toBe(1)
      expect(await tornEverywhere([value], `x ${blob} y`)).toEqual(new Set([whole.text]))
    }
  },
)

test('of two secrets of which one begins the other both are taken out, torn anywhere', async () => {
  const values = ['made-up-key-1', 'made-up-key-1-and-é-more']
  const text = `${values[1]} ${values[0]} made-up-key-1-and- ${values[0]}`
  expect(await tornEverywhere(values, text)).toEqual(
    new Set([`${redactionText} ${redactionText} ${redactionText}-and- ${redactionText}`]),
  )
})

test('server-sent events go out one by one, without the secret in any field', async () => {
  const value = 'made-up-key-1'
  const redactor = createRedactor([new Secret(value)])
  const events = [
    `id: ${value}\nevent: a\ndata: {"k":"${value}"}\n\n`,
    `: ${Buffer.from(value).toString('base64')}\n\n`,
    `data: plain\n\n`,
  ]
  const { readable, writable } = redactor.stream()
  const writer = writable.getWriter()
  const reader = readable.getReader()
  for (const event of events) {
    void writer.write(utf8(event))
    const { value: chunk } = await reader.read()
    expect(new TextDecoder().decode(chunk)).toBe(redactor.redact(event).text)
  }
  await writer.close()
})

test('what stands in the place of a secret resembles no value', () => {
  expect(redactionText).toBe('[secret held by the vault]')
})
