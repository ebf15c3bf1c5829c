import { expect, test } from 'vitest'
import { Secret } from '../vault/secret.ts'
import { createRedactor, redactionText, redactUnseen } from './redactor.ts'
import { ordinaryAnswers } from './redactor-answers.fixture.ts'

const opened = (text: string) =>
  redactUnseen(text).secrets.map(({ field, secret }) => [field, Secret.open(secret)])

test(`${ordinaryAnswers.length} ordinary answers, all of them different, are unaltered`, () => {
  expect(ordinaryAnswers.length).toBeGreaterThanOrEqual(200)
  // Not the same answer with other letters and digits in it.
  const forms = new Set(ordinaryAnswers.map((text) => text.replace(/[A-Za-z0-9]+/g, 'x')))
  expect(forms.size).toBeGreaterThan(100)
  expect(new Set(ordinaryAnswers).size).toBe(ordinaryAnswers.length)
  for (const text of ordinaryAnswers) {
    expect(redactUnseen(text)).toEqual({ text, secrets: [] })
    expect(redactUnseen(JSON.stringify({ text })).secrets).toEqual([])
  }
})

test('ordinary answers are unaltered by what the owner holds, whole and as streams', async () => {
  const held = ['KEY0MADEUP_0123456789_abcdefghij', 'made-up+canary/7f3a9c0d==', 'passwords']
  const redactor = createRedactor(held.map((it) => new Secret(it)))
  for (const text of ordinaryAnswers) {
    expect(redactor.redact(text)).toEqual({ text, found: 0 })
    const source = new Response(text).body
    expect(await new Response(source?.pipeThrough(redactor.stream())).text()).toBe(text)
  }
})

test.each([
  'api_key',
  'apiKey',
  'API-Key',
  'access_token',
  'refresh_token',
  'client_secret',
  'password',
  'token',
  'registration_access_token',
  'secret_access_key',
  'privateKey',
])('a field called %s is taken out, and nothing around it changes', (field) => {
  const answer = (value: string) =>
    `{ "id" : "a-1",\n  "data": [{ "${field}" : ${value}, "n": 1e3, "s": "\\u00e9\\/" }] }`
  const { text, secrets } = redactUnseen(answer('"made\\/up-Value-1"'))
  expect(text).toBe(answer(`"${redactionText}"`))
  expect(secrets.map(({ field: name, secret }) => [name, Secret.open(secret)])).toEqual([
    [field, 'made/up-Value-1'],
  ])
  expect(JSON.stringify(secrets)).not.toContain('made')
})

const upper = 'ABCDEF0123456789'
const known: [string, string][] = [
  ['telnyx_key', `KEY0${upper}${upper}_MadeUpForTests0000`],
  ['stripe_key', `sk_live_${'madeUp00'.repeat(3)}`],
  ['github_token', `ghp_${'madeUp'.repeat(6)}`],
  ['aws_key', `AKIA${upper}`],
  ['slack_token', 'xoxb-000000-madeUpForTests'],
]

test.each(known)('a %s is known by its beginning, in text and in any field', (kind, key) => {
  expect(redactUnseen(`Your key: ${key}.`).text).toBe(`Your key: ${redactionText}.`)
  expect(opened(`<b>${key}</b>`)).toEqual([[kind, key]])
  expect(opened(`{"data":{"note": "${key}"}}`)).toEqual([['note', key]])
  expect(opened(`x${key}`)).toEqual([])
  expect(opened(`[${JSON.stringify(JSON.stringify({ api_key: key }))}]`)).toEqual([
    ['api_key', key],
  ])
})

test('a JWT is a token where its field says so', () => {
  const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWRlLXVwIn0.c2lnbmF0dXJl'
  expect(opened(`{"identity_assertion":"${jwt}"}`)).toEqual([['identity_assertion', jwt]])
  expect(opened(`{"authorization":"Bearer ${jwt}"}`)).toEqual([['authorization', jwt]])
  expect(opened(`{"next_page_token":"${jwt}","example":"${jwt}"}`)).toEqual([])
})

test('JSON within JSON strings is looked through', () => {
  let text = JSON.stringify({ api_key: 'made-up-1', other: 'é "x"' })
  for (let depth = 0; depth < 3; depth++) text = JSON.stringify({ log: text, n: depth })
  const found = redactUnseen(text)
  expect(found.secrets).toHaveLength(1)
  let value: Record<string, string> = JSON.parse(found.text)
  while (value.log !== undefined) value = JSON.parse(value.log)
  expect(value).toEqual({ api_key: redactionText, other: 'é "x"' })
})

test('a form answer is read too', () => {
  expect(redactUnseen('access_token=made%2Dup-1&scope=a&token_type=bearer').text).toBe(
    `access_token=${redactionText}&scope=a&token_type=bearer`,
  )
  expect(opened('access_token=made%2Dup-1')).toEqual([['access_token', 'made-up-1']])
})

test('a secret that the end of the answer cuts off is hidden, but not taken for the whole', () => {
  const { text, secrets } = redactUnseen('{"id":1,"api_key":"made-up-1234')
  expect(text).toBe(`{"id":1,"api_key":"${redactionText}`)
  expect(secrets).toEqual([])
  const nested = '{"log":"{\\"api_key\\":\\"made-up-1\\",\\"b\\":\\"x\\'
  expect(redactUnseen(nested).text).not.toContain('made-up')
})

test('a PEM private key is taken out of its field', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMADEUP\n-----END PRIVATE KEY-----\n'
  expect(opened(JSON.stringify({ private_key: pem }))).toEqual([['private_key', pem]])
})

test('hostile text takes time in proportion to its length', () => {
  for (const unit of ['"', '\\"', '"a":', '"token":"', '{"a":{"', '"\\\\', 'KEY0', 'a=&', '"a" ']) {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length))
    // Nothing is measured: were it the square of the length, the test would run into its time limit.
    expect(redactUnseen(text).text.length).toBeGreaterThan(0)
  }
})
