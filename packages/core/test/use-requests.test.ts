import type { RequestListener } from 'node:http'
import { describe, expect, it, test } from 'vitest'
import { AuthError } from '../src/errors.ts'
import type { UseInput } from '../src/inputs.ts'
import { agreed, canary, canaryForms, hold, stoppable } from './held.ts'
import { serve } from './loopback-servers.ts'

const json: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end('{"data":[]}')
}

describe('what use refuses to send', () => {
  it.each([
    '//evil.test/x',
    '/\\evil.test/x',
    '\\\\evil.test',
    'https://evil.test/x',
    'v2/things',
    '/..//evil',
    '/v2/../admin',
    '/v2/%2e%2e/admin',
    '/v2/..%2fadmin',
    '/v2/.\t./admin',
    '/\t/evil.test/x',
    '/v2/a%5cb',
    '/v2/a;b',
    '/v2//a',
    '/v2/a%00',
    '/v2/%252e%252e/admin',
    '/v2/%c0%ae%c0%ae/admin',
    '/v2evil',
    '/V2/things',
    '/v2/a\r\nx-evil: 1',
    '@evil.test/',
  ])('the path %j', async (path) => {
    const { session, service, handle } = await hold(json, {})
    const { origin } = service
    await session.forget(handle)
    await session.import({ service: origin, audience: `${origin}/v2`, secret: canary })
    const refused = await session.use({ service: origin, path })
    // Nobody is asked about what could not be sent anyway.
    expect(await session.use({ service: origin, method: 'POST', path })).toEqual(refused)
    expect(refused).toMatchObject({ status: 'refused', code: 'outside_audience' })
    expect(service.connections()).toBe(0)
    expect(JSON.stringify(refused)).not.toContain(canary)
  })

  it.each([
    'Authorization',
    'cookie',
    'X-Api-Key',
    'Host',
    'Proxy-Authorization',
    'X-HTTP-Method-Override',
    'X-Forwarded-Host',
    'Transfer-Encoding',
    'Accept\r\nX-Evil',
    '',
  ])('the header %j', async (name) => {
    const { session, service } = await hold(json)
    const refused = await session.use({
      service: service.origin,
      path: '/x',
      headers: { [name]: 'value' },
    })
    expect(refused).toMatchObject({ status: 'refused', code: 'request_refused' })
    expect(service.connections()).toBe(0)
  })

  it.each([['a\r\nx-evil: 1'], ['a\0b'], ['x'.repeat(10_000)], ['caf\u00e9']])(
    'the header value %j',
    async (accept) => {
      const { session, service } = await hold(json)
      const call = { service: service.origin, path: '/x', headers: { accept } }
      expect(await session.use(call)).toMatchObject({ status: 'refused', code: 'request_refused' })
      expect(service.connections()).toBe(0)
    },
  )

  it.each<Partial<UseInput>>([
    { method: 'TRACE' },
    { method: 'CONNECT' },
    { query: { _method: 'DELETE' } },
    { query: { _METHOD: 'DELETE' } },
    { path: '/x?_method=DELETE' },
    { method: 'POST', json: { _method: 'DELETE' } },
    { method: 'GET', json: {} },
    { method: 'POST', json: { text: 'y'.repeat(300_000) } },
    { method: 'POST', json: { key: '{{secret}}' } },
    { method: 'POST', json: { key: '{{ secrets.API_KEY }}' } },
    { method: 'POST', json: { key: `$\{VENDOR_TOKEN}` } },
    { method: 'POST', json: { key: '[secret held by the vault]' } },
    { path: '/x/{{api_key}}' },
    { headers: { prefer: '{{cred_abc}}' } },
    ...canaryForms.flatMap((form) => [
      { method: 'POST', json: { deep: [{ text: `see ${form}.` }] } },
      { query: { q: form } },
      { path: `/x?q=${form}` },
      { headers: { prefer: form } },
    ]),
    { method: 'POST', json: { [canary]: 1 } },
    { method: 'POST', json: canary },
    { query: { [canary]: true } },
  ])('%j', async (call) => {
    const { session, service } = await hold(json)
    const refused = await session.use({ service: service.origin, path: '/x', ...call })
    expect(refused).toMatchObject({ status: 'refused', code: 'request_refused' })
    expect(service.connections()).toBe(0)
    for (const form of canaryForms) expect(JSON.stringify(refused)).not.toContain(form)
  })

  it('an absolute URL elsewhere, with a trap there', async () => {
    const trap = await serve(json)
    const { session, service } = await hold(json)
    for (const path of [`${trap.origin}/x`, `/${trap.origin.slice(5)}/x`]) {
      expect(await session.use({ service: service.origin, path })).toMatchObject({
        status: 'refused',
        code: 'outside_audience',
      })
    }
    expect(trap.connections() + service.connections()).toBe(0)
  })

  /** The owner is no input of a tool, as some cookbooks have it. */
  it('fields that a model has no business with', async () => {
    const { session, service } = await hold(json)
    const call = { service: service.origin, path: '/x', owner: { tenant: 'other' }, approved: true }
    await expect(session.use(call)).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(session.use({ path: '/x' })).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

describe('what use sends', () => {
  it('is what was asked for, with the credential added', async () => {
    const { session, service } = await hold(json)
    await session.use({
      service: service.origin,
      path: '/v2/things?a=1#frag',
      query: { 'page[size]': 2, q: 'a b&c', yes: true },
      headers: { Accept: 'text/csv', 'If-None-Match': '"x"' },
    })
    const [seen] = service.seen
    expect(seen?.method).toBe('GET')
    expect(seen?.url).toBe('/v2/things?a=1&page%5Bsize%5D=2&q=a+b%26c&yes=true')
    expect(seen?.headers).toMatchObject({
      authorization: `Bearer ${canary}`,
      accept: 'text/csv',
      'if-none-match': '"x"',
    })
  })

  it('templates that are not ours stay as they are', async () => {
    const { auth, session, service } = await hold(json)
    const body = { text: `Hello {{first_name}}, <b>$\{amount}</b>` }
    const call = { service: service.origin, method: 'POST', path: '/mails', json: body }
    expect(await agreed(auth, () => session.use(call))).toMatchObject({ status: 'answered' })
    expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual(body)
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'post'])('%s needs a consent too', async (method) => {
    const { session, service } = await hold(json)
    const asked = await session.use({ service: service.origin, method, path: '/x/1' })
    expect(asked).toMatchObject({
      status: 'needs_consent',
      action: { effects: [{ kind: 'unsafe-request', method: method.toUpperCase() }] },
    })
    expect(service.connections()).toBe(0)
  })

  it('shows the person the whole request, hidden characters included', async () => {
    const { session, service } = await hold(json)
    const asked = await session.use({
      service: service.origin,
      method: 'POST',
      path: '/v2/x',
      query: { to: 'a b' },
      json: { text: 'pay\u202e001\u200b \u{e0041}' },
    })
    if (asked.status !== 'needs_consent') throw new Error(asked.status)
    expect(asked.action.summary).toContain(`Send POST ${service.origin}/v2/x?to=a+b with the body`)
    expect(asked.action.summary).toContain('pay\\u202e001\\u200b \\udb40\\udc41')
    const long = await session.use({
      service: service.origin,
      method: 'POST',
      path: '/v2/x',
      json: 'z'.repeat(5_000),
    })
    expect(JSON.stringify(long)).toContain('(cut here, 5002 characters in all)')
  })

  it('is sent once for a consent, and the same call again gives the same outcome', async () => {
    const { auth, session, service } = await hold(json)
    const call = { service: service.origin, method: 'POST', path: '/x', json: { n: 1 } }
    const first = await agreed(auth, () => session.use(call))
    expect(first.status).toBe('answered')
    expect(await session.use(call)).toEqual(first)
    expect(service.seen).toHaveLength(1)
    expect(await session.use({ ...call, json: { n: 2 } })).toMatchObject({
      status: 'needs_consent',
    })
    expect(service.seen).toHaveLength(1)
  })

  it('may be sent again under its consent after a plain refusal, three times at most', async () => {
    let status = 429
    const { auth, session, service } = await hold((_request, response) => {
      response.writeHead(status, { 'retry-after': '7' }).end('{"errors":[{"code":"1"}]}')
    })
    const call = { service: service.origin, method: 'POST', path: '/x', json: {} }
    const limited = await agreed(auth, () => session.use(call))
    expect(limited).toMatchObject({ status: 'refused', code: 'rate_limited' })
    status = 422
    expect(await session.use(call)).toMatchObject({ code: 'service_refused', httpStatus: 422 })
    status = 200
    expect(await session.use(call)).toMatchObject({ status: 'answered' })
    expect(service.seen).toHaveLength(3)
  })

  it('is not sent a second time when its answer was lost, or the service failed', async () => {
    const cases = [
      { end: 'cut', seen: { status: 'uncertain' } },
      { end: 'half', seen: { status: 'uncertain' } },
      { end: 'fail', seen: { status: 'refused', code: 'service_failed' } },
    ]
    for (const { end, seen } of cases) {
      const { auth, session, service } = await hold((request, response) => {
        if (end === 'cut') return void request.socket.destroy()
        if (end === 'fail') return void response.writeHead(503).end()
        response.writeHead(200, { 'content-length': '100' }).write('{')
        setTimeout(() => request.socket.destroy(), 5)
      })
      const call = { service: service.origin, method: 'POST', path: '/x', json: {} }
      const lost = await agreed(auth, () => session.use(call))
      expect(lost).toMatchObject(seen)
      expect(lost.next).toContain('GET')
      expect(await session.use(call)).toEqual(lost)
      expect(service.seen).toHaveLength(1)
    }
  })

  it('keeps its consent when nothing was sent', async () => {
    const { auth, session } = await hold(json)
    const { origin, stop, start } = await stoppable(json)
    await session.import({ service: origin, audience: origin, secret: 'another-made-up-key' })
    await stop()
    const call = { service: origin, method: 'POST', path: '/x', json: {} }
    expect(await agreed(auth, () => session.use(call))).toMatchObject({
      status: 'refused',
      code: 'service_unreachable',
    })
    await start()
    expect(await session.use(call)).toMatchObject({ status: 'answered' })
  })

  it('does not say of a GET that anything was done', async () => {
    const { session, service } = await hold((request) => void request.socket.destroy())
    expect(await session.use({ service: service.origin, path: '/x' })).toMatchObject({
      status: 'refused',
      code: 'service_unreachable',
    })
  })

  it('names a credential that is not ours only as unknown', async () => {
    const { session, auth, handle } = await hold(json)
    const other = auth.as({ tenant: 'acme', user: 'lee' })
    await expect(other.use({ credential: handle, path: '/x' })).rejects.toSatisfy(
      (error) => AuthError.isInstance(error) && error.code === 'not_found',
    )
    expect(await session.use({ credential: handle, path: '/x' })).toMatchObject({
      status: 'answered',
    })
  })
})
