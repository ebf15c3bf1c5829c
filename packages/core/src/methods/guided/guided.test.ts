import { describe, expect, test } from 'vitest'
import { readDocument } from '../../discovery/markdown/read.ts'
import type { ServiceProfile } from '../../discovery/profile.ts'
import { bodyOf, credentialIn, readValues } from './form.ts'
import { guided } from './index.ts'
import type { Plan } from './state.ts'

const service = 'https://api.acme.example'
const url = `${service}/auth.md`

const request = `POST ${service}/v1/agents
Content-Type: application/json

{ "name": "<your name>" }`

const answer = '{ "api_key": "acme_…" }'

interface Text {
  readonly request?: string
  readonly answer?: string
  readonly more?: string
  readonly at?: string
}

function profileOf({ request: sent = request, answer: got = answer, more = '', at = url }: Text) {
  const text = `# auth.md

## Register

\`\`\`http
${sent}
\`\`\`

The answer:

\`\`\`json
${got}
\`\`\`

${more}

## Use

Send \`Authorization: Bearer acme_…\` to ${service}/v1.
`
  const { facts } = readDocument(text, { url: at })
  const profile: ServiceProfile = {
    asked: service,
    service,
    serverMetadata: [],
    documents: [{ url: at, role: 'auth.md', hash: '', facts }],
    facts,
    tried: [],
    warnings: [],
    at: 0,
  }
  return profile
}

const planOf = (text: Text) => guided.offers(profileOf(text))[0]?.plan as unknown as Plan

test('a request whose answer holds the credential is offered', () => {
  expect(planOf({})).toMatchObject({
    request: {
      url: `${service}/v1/agents`,
      body: 'json',
      fields: [{ name: 'name', from: 'model', type: 'string', required: true }],
      credential: 'api_key',
      document: url,
    },
    presentation: { header: 'authorization', prefix: 'Bearer ' },
    bases: [`${service}/v1`],
  })
})

describe('not offered', () => {
  test.each<[string, Text]>([
    [
      'a request that needs a credential',
      { request: request.replace('\n\n', '\nAuthorization: Bearer x\n\n') },
    ],
    ['a header of the service', { request: request.replace('\n\n', '\nX-Client: it\n\n') }],
    ['a secret to be filled in', { request: request.replace('"name"', '"password"') }],
    ['a signature of a wallet', { request: request.replace('"name"', '"signature"') }],
    ['a wallet', { request: request.replace('"name"', '"wallet_address"') }],
    ['a list to be filled in', { request: request.replace('"<your name>"', '["a"]') }],
    ['a place to be filled in', { request: request.replace('/agents', '/{id}/agents') }],
    ['a query', { request: request.replace('/agents', '/agents?plan=free') }],
    ['plain http', { request: request.replace('https', 'http') }],
    ['another domain', { request: request.replace('acme.example', 'evil.example') }],
    ['another method', { request: request.replace('POST', 'PUT') }],
    ['an answer without a credential', { answer: '{ "id": "a1" }' }],
    ['a text of another domain', { at: 'https://evil.example/auth.md' }],
  ])('%s', (_, text) => {
    expect(guided.offers(profileOf(text))).toEqual([])
  })
})

test('what is sent: the example, what the model says instead, the address, the terms', () => {
  const body = `{ "name": "<your name>", "kind": "agent", "seats": 3, "contact": { "email": "a@b.example" }, "agree": true }`
  const { request: described } = planOf({ request: request.replace(/\{.*\}/, body) })
  const values = readValues(described, '{"name":"scribe","seats":1}')
  expect(bodyOf(described, values as never, 'kim@operator.test')).toEqual({
    json: {
      name: 'scribe',
      kind: 'agent',
      seats: 1,
      contact: { email: 'kim@operator.test' },
      agree: true,
    },
  })
})

test('a form stays a form', () => {
  const form = `POST ${service}/v1/agents
Content-Type: application/x-www-form-urlencoded

name=<your name>&kind=agent`
  const { request: described } = planOf({ request: form })
  expect(bodyOf(described, { name: 'scribe' }, undefined)).toEqual({
    form: { name: 'scribe', kind: 'agent' },
  })
})

test('an address that is optional is told to nobody', () => {
  const more = '| Field | Required |\n| --- | --- |\n| `email` | no |'
  const body = '{ "name": "<your name>", "email": "a@b.example" }'
  const { request: described } = planOf({ request: request.replace(/\{.*\}/, body), more })
  expect(described.fields).toContainEqual(
    expect.objectContaining({ name: 'email', required: false }),
  )
  expect(bodyOf(described, { name: 'scribe' }, 'kim@operator.test')).toEqual({
    json: { name: 'scribe' },
  })
})

test.each<[string, unknown, string | undefined]>([
  ['a name with dots', { a: { b: 'made-up-key' } }, 'made-up-key'],
  ['nothing there', { a: {} }, undefined],
  ['what every object has', {}, undefined],
  ['too short', { a: { b: 'short' } }, undefined],
  ['a text with spaces', { a: { b: 'no key at all' } }, undefined],
  ['no text', { a: { b: 12345678 } }, undefined],
  ['no object', 'made-up-key', undefined],
])('the credential of an answer: %s', (_, json, found) => {
  expect(credentialIn(json, 'a.b')).toBe(found)
})

test.each([302, 500, 503])(
  'a %i says neither that it was done nor that it was not',
  async (status) => {
    const state = { plan: planOf({}), values: { name: 'scribe' }, refusals: 0, sentAt: 5 }
    const context = { now: 9, random: () => '', identity: { mailbox: false } }
    const sent = { status, url: `${service}/v1/agents`, text: '', json: undefined }
    const answers = { described_request: sent }
    const { next, orphan } = await guided.next(context, state as never, { type: 'answer', answers })
    expect(next).toMatchObject({ wait: { for: 'retry', request: 'described_request' } })
    expect(orphan).toMatchObject({ request: 'described_request', at: 5 })
  },
)
