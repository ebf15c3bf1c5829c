import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DescribedRequest } from '../../profile.ts'
import { readDocument } from '../read.ts'

const url = 'https://api.dora.example/auth.md'

function requestsOf(text: string): DescribedRequest[] {
  return readDocument(text, { url }).facts.flatMap(({ request }) => (request ? [request] : []))
}

function only(text: string): DescribedRequest {
  const [request, ...others] = requestsOf(text)
  expect(others).toEqual([])
  return request as DescribedRequest
}

describe('a page that tells how to sign up', () => {
  const text = readFileSync(new URL('../../__fixtures__/signup.md', import.meta.url), 'utf8')
  const requests = requestsOf(text)
  const find = (tail: string) => requests.find((one) => one.url.endsWith(tail))

  it('gives the whole request: headers, fields from table and example, answer', () => {
    expect(find('/v1/agents')).toEqual({
      method: 'POST',
      url: 'https://api.dora.example/v1/agents',
      headers: [
        { name: 'Content-Type', value: 'application/json' },
        { name: 'X-Client', value: 'made-up' },
      ],
      body: 'json',
      fields: [
        {
          name: 'email',
          line: 9,
          type: 'string',
          example: 'you@example.com',
          placeholder: true,
          required: true,
          note: 'string — The address of your operator.',
        },
        {
          name: 'password',
          line: 10,
          type: 'string',
          example: '<password>',
          placeholder: true,
          secret: true,
          required: true,
          note: 'string — At least 12 characters.',
        },
        { name: 'label', line: 11, required: false, note: 'string — What people see.' },
        { name: 'plan', line: 20, type: 'string', example: 'free' },
      ],
      answer: {
        status: 201,
        fields: ['agent.id', 'agent.api_key', 'confirm_url'],
        credential: 'agent.api_key',
        shownOnce: true,
        line: 27,
      },
    })
  })

  it('reads a form behind a request line, and leaves the next section out', () => {
    expect(find('/confirm')).toEqual({
      method: 'POST',
      url: 'https://api.dora.example/v1/agents/a1/confirm',
      headers: [{ name: 'Authorization', value: 'Bearer dora_…' }],
      body: 'form',
      fields: [
        { name: 'code', line: 42, type: 'string', example: '123456', secret: true },
        { name: 'locale', line: 43, type: 'string', example: 'en' },
      ],
      answer: { fields: ['confirmed_at'], line: 46 },
    })
  })

  it('reads fields of a sentence', () => {
    expect(find('/v1/tokens')).toEqual({
      method: 'POST',
      url: 'https://api.dora.example/v1/tokens',
      fields: [
        { name: 'login', line: 50 },
        { name: 'secret_word', line: 50, required: false },
      ],
      answer: { fields: ['access_token'], credential: 'access_token', line: 54 },
    })
  })

  it('reads a call in code, with its comments', () => {
    expect(find('/v1/boxes')?.fields).toEqual([
      { name: 'name', line: 61, type: 'string', example: 'one', required: true, note: 'required' },
      { name: 'size', line: 62, type: 'number', example: '3', required: false, note: 'optional' },
    ])
  })

  it('knows the line of each request', () => {
    const lines = readDocument(text, { url }).facts.flatMap(({ request, source }) =>
      request ? [[request.url.split('/v1/')[1], source.line]] : [],
    )
    expect(lines).toEqual([
      ['agents', 14],
      ['agents/a1/confirm', 38],
      ['boxes', 60],
      ['tokens', 50],
    ])
  })
})

describe('the body', () => {
  it.each([
    ['POST /a\n\n{ "a": { "b": "c" } }', ['a.b']],
    ['POST /a\nContent-Type: application/json\n\n{\n  "a": <your name>,\n  "b": …\n}', ['a', 'b']],
    ['POST /a\nBody: { "a": 1 }\nResponse: { "key": "k" }', ['a']],
    ['1. POST /a\n   Body: {"a": true}\n2. GET /b', ['a']],
    ['curl https://api.dora.example/a -d a=1 -d b=2', ['a', 'b']],
    ['curl --url https://api.dora.example/a --json \'{"a":null}\'', ['a']],
    ['curl -F "a=@x" https://api.dora.example/a', ['a']],
    ['POST /a\n\n{ "list": [ { "no": 1 } ], "b": 2 }', ['list', 'b']],
  ])('%j', (code, names) => {
    const [request] = requestsOf(`\`\`\`\n${code}\n\`\`\``).filter(
      ({ method }) => method === 'POST',
    )
    expect(request?.fields?.map(({ name }) => name)).toEqual(names)
  })

  it('is the block that follows, unless words call it an answer', () => {
    const block = '```json\n{ "name": "x" }\n```'
    expect(only(`\`POST /a\`\n\n${block}`).fields).toHaveLength(1)
    expect(only(`\`POST /a\`. Response:\n\n${block}`)).toMatchObject({
      answer: { fields: ['name'] },
    })
    expect(only(`### \`POST /a\`\n\n#### Response\n\n${block}`)).toMatchObject({
      answer: { fields: ['name'] },
    })
    expect(
      only(`\`POST /a\` with \`{ "name": "x" }\` returns \`{ "token": "y" }\`.`),
    ).toMatchObject({
      fields: [{ name: 'name' }],
      answer: { fields: ['token'], credential: 'token' },
    })
  })

  it('ends with its section', () => {
    const other = '## Errors\n\n```json\n{ "error": "x" }\n```'
    expect(only(`## Join\n\n\`POST /a\`\n\n${other}`)).toEqual({
      method: 'POST',
      url: 'https://api.dora.example/a',
    })
  })
})

describe('fields in lists', () => {
  it.each([
    ['- `a` (required): x', { name: 'a', required: true }],
    ['- **a** — optional, x', { name: 'a', required: false }],
    ['- `a`: x', { name: 'a', note: 'x' }],
  ])('%j', (item, field) => {
    const { fields } = only(`\`POST /a\` takes these fields:\n\n${item}`)
    expect(fields).toMatchObject([field])
  })

  it.each([
    ['Required: `a`. Optional: `b`.', [true, false]],
    ['`a` is required, `b` is optional.', [true, false]],
  ])('%j', (text, required) => {
    const { fields } = only(`\`POST /a\`\n\n${text}`)
    expect(fields?.map((field) => field.required)).toEqual(required)
  })
})

describe('the credential', () => {
  it.each([
    ['{ "token_type": "x", "access_token": "y" }', 'access_token'],
    ['{ "claim_token": "x", "apiKey": "y" }', 'apiKey'],
    ['{ "data": { "key": "y" } }', 'data.key'],
    ['{ "client_id": "x", "client_secret": "y" }', 'client_secret'],
    ['{ "claim_token": "x", "refresh_token": "y" }', undefined],
  ])('%j', (answer, credential) => {
    const text = `\`\`\`\nPOST /a\n\nHTTP/1.1 200 OK\n\n${answer}\n\`\`\``
    expect(only(text).answer?.credential).toBe(credential)
  })

  it.each([
    ['The key is shown only once.', true],
    ['It cannot be retrieved again.', true],
    ['Save your API key immediately, you will not see it again.', true],
    ['Your private key is returned once. Store it securely.', true],
    ['You can read it at any time.', undefined],
  ])('%j', (words, once) => {
    const text = `\`\`\`\nPOST /a\nResponse: {"key":"x"}\n\`\`\`\n\n${words}`
    expect(only(text).answer?.shownOnce).toBe(once)
  })
})

describe('an answer in words', () => {
  it('is a list behind "responds with a payload containing"', () => {
    const text =
      '`POST /a`\n\nThe server responds with a payload containing:\n\n1. `api_key`\n2. `claim_url`'
    expect(only(text).answer).toMatchObject({
      fields: ['api_key', 'claim_url'],
      credential: 'api_key',
    })
  })

  it('does not hold what it is said not to hold', () => {
    const text = '`POST /a`\n\nIt returns `client_id`. It does not return a `client_secret`.'
    expect(only(text).answer?.fields).toEqual(['client_id'])
  })
})
