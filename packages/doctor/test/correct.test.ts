import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnose } from '../src/index.ts'
import { keyPage, signUp } from './texts.ts'
import { startWorld } from './world.ts'

const found = async (...asked: Parameters<typeof diagnose>) => {
  const { findings } = await diagnose(...asked)
  return findings.map(({ rule, place, problem }) => ({ rule, place, problem }))
}

describe('finds nothing in a correct service', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({
      authMd: [
        { version: 'v0.7' },
        { version: 'hosted' },
        { version: 'readback' },
        { version: 'v0.7', name: 'text', textOnly: true },
        { version: 'v0.7', name: 'split', issuer: 'elsewhere' },
      ],
    })
  })
  afterAll(() => sandbox.close())

  const services: readonly (readonly [string, (sandbox: Sandbox) => string])[] = [
    ['auth.md v0.7, anonymous and service_auth', ({ authMd }) => authMd[0].api],
    ['its auth.md itself', ({ authMd }) => `${authMd[0].api}/auth.md`],
    ['one address of its API', ({ authMd }) => `${authMd[0].api}/api/resource`],
    ['as hosted AuthKit', ({ authMd }) => authMd[1]?.api ?? ''],
    ['auth.md with codes that are read back', ({ authMd }) => authMd[2]?.api ?? ''],
    ['auth.md without metadata', ({ authMd }) => authMd[3]?.api ?? ''],
    ['auth.md whose server is on another domain', ({ authMd }) => authMd[4]?.api ?? ''],
    ['OAuth by metadata alone', ({ urls }) => urls.oauth],
    ['as Telnyx', ({ urls }) => urls.api],
    ['as Telnyx, from its documents', ({ urls }) => `${urls.developers}/auth.md`],
  ]
  it.each(services)('%s', async (_, url) => {
    expect(await found({ service: url(sandbox) })).toEqual([])
  })

  it('and sends nothing but GET and HEAD, nothing with a body or a credential', () => {
    expect(sandbox.log.length).toBeGreaterThan(50)
    const methods = new Set(sandbox.log.map(({ method }) => method))
    expect([...methods].sort()).toEqual(['GET', 'HEAD'])
    expect(sandbox.log.filter(({ body, effect }) => body !== '' || effect)).toEqual([])
    expect(sandbox.log.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
    expect(sandbox.ledger.length).toBe(0)
  })
})

const refusal = {
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="things"' },
  body: { error: 'unauthorized', message: 'Send a key.' },
}

describe('finds nothing in a correct service on a name of its own', () => {
  it.each([
    ['where a person makes keys', keyPage],
    ['where one request makes a key', signUp],
  ])('%s', async (_, text) => {
    const api = 'https://api.things.test'
    const { transport } = await startWorld({
      'api.things.test/auth.md': text(api),
      'api.things.test/': refusal,
      'api.things.test/api': refusal,
      'api.things.test/api/resource': refusal,
      'api.things.test/settings/keys': { type: 'text/html', body: '<h1>Keys</h1>' },
    })
    expect(await found({ service: api }, { transport })).toEqual([])
  })
})

describe('finds nothing in a correct text', () => {
  it.each([
    ['where a person makes keys', keyPage],
    ['where one request makes a key', signUp],
  ])('%s', async (_, text) => {
    expect(await found({ text: text('https://api.things.test') })).toEqual([])
    const url = 'https://things.test/auth.md'
    expect(await found({ text: text('https://api.things.test'), url })).toEqual([])
  })
})
