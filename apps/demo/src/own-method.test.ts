import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { canary } from '@authmd/canary'
import {
  allowLoopback,
  createAgentAuth,
  defaultMethods,
  type Method,
  memoryStore,
} from '@authmd/core'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const dir = join(import.meta.dirname, '../.report/own-method')
const file = join(dir, 'company-keys.ts')
const page = readFileSync(join(root, 'docs/own-method.md'), 'utf8')
const [, method = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? []
const key = 'ck_made-up-key-0123456789'

beforeAll(() => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  writeFileSync(file, method)
})

test('an own method takes less than 60 lines', () => {
  expect(method.split('\n').length).toBeGreaterThan(20)
  expect(method.trimEnd().split('\n').length).toBeLessThan(60)
})

/** A service that gives a key for one request, and cuts the answer of as many as it is told. */
let cut = 0
const made: string[] = []
const server = createServer((request, response) => {
  const origin = `http://${request.headers.host}`
  const json = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  switch (`${request.method} ${request.url}`) {
    case 'GET /.well-known/oauth-authorization-server':
      return json(200, { issuer: origin, agent_key_endpoint: `${origin}/agent-keys` })
    case 'POST /agent-keys':
      made.push(key)
      return cut-- > 0 ? request.socket.destroy() : json(201, { key })
    case 'GET /v1/things':
      return json(request.headers.authorization === `Bearer ${key}` ? 200 : 401, { things: [] })
    default:
      return json(404, {})
  }
})
let service = ''
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  service = `http://localhost:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test.each([0, 1])('it runs: %i answers are lost', async (lost) => {
  cut = lost
  made.length = 0
  const { companyKeys } = (await import(file)) as { companyKeys: Method }
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    methods: [companyKeys, ...defaultMethods],
    onEvent: (event) => canary.see('event', event),
  })
  const session = auth.as({ tenant: 'acme', user: 'kim' })
  expect(await session.discover({ service })).toMatchObject({
    status: 'found',
    offers: [{ method: 'company-keys', needs: ['nothing'] }],
  })
  for (let times = 0; times <= lost; times++) {
    const asked = await session.register({ service })
    if (asked.status !== 'needs_consent') throw new Error(`got ${asked.status}`)
    expect(asked.action.effects).toMatchObject([{ kind: 'create-credential', audience: [service] }])
    expect(made).toHaveLength(times)
    await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    const done = await session.register({ service })
    expect(done.status).toBe(times < lost ? 'uncertain' : 'ready')
    expect(JSON.stringify(done)).not.toContain(key)
  }
  const used = await session.use({ service, path: '/v1/things' })
  expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
})
