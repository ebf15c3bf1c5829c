import { inspect } from 'node:util'
import { canary as watched } from '@authmd/canary'
import { describe, expect, it } from 'vitest'
import { AuthError } from '../src/errors.ts'
import type { ImportInput } from '../src/inputs.ts'
import { allowLoopback, createAgentAuth, memoryStore } from '../src/node/main.ts'
import { canary, canaryForms, type Held, hold, stoppable } from './held.ts'
import { type Seen, serve } from './loopback-servers.ts'
import { owner } from './world.ts'

const second = 'made-up-second/key+42'
/** Those that are sent in an address; the others may be seen in none. */
const inQuery = 'made-up+in/the.query-77'
const secondInQuery = 'made-up+second/in.query'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const formsOf = (text: string) => [text, encodeURIComponent(text), base64(text)]

interface Scheme {
  readonly input: Partial<ImportInput>
  /** What the service must be sent. */
  readonly sent: (seen: Seen) => unknown
  readonly expected: unknown
  /** Every secret text, also as composed. */
  readonly secrets?: readonly string[]
}

const header = (name: string) => (seen: Seen) => seen.headers[name]
const parameter = (name: string) => (seen: Seen) =>
  new URL(seen.url, 'http://localhost').searchParams.getAll(name)

const schemes: Readonly<Record<string, Scheme>> = {
  'Basic with a user': {
    input: { basic: { user: 'kim@operator.example' } },
    sent: header('authorization'),
    expected: `Basic ${base64(`kim@operator.example:${canary}`)}`,
    // The pair goes as a whole: what stands before the key in it would be a puzzle otherwise.
    secrets: [base64('kim@operator.example').slice(0, 24)],
  },
  'Basic with the key as the user name': {
    input: { basic: {} },
    sent: header('authorization'),
    expected: `Basic ${base64(`${canary}:`)}`,
    secrets: [base64(`${canary}:`)],
  },
  'Basic with the key as the password of nobody': {
    input: { basic: { user: '' } },
    sent: header('authorization'),
    expected: `Basic ${base64(`:${canary}`)}`,
    secrets: [base64(`:${canary}`)],
  },
  'a parameter of the query': {
    input: { query: 'api_key', secret: inQuery },
    sent: parameter('api_key'),
    expected: [inQuery],
    secrets: formsOf(inQuery),
  },
  'a key and an id in headers': {
    input: { header: { name: 'X-Key' }, beside: [{ header: 'X-App-Id', text: 'app-12345678' }] },
    sent: ({ headers }) => [headers['x-key'], headers['x-app-id']],
    expected: [canary, 'app-12345678'],
  },
  'two keys in headers': {
    input: { header: { name: 'X-Key' }, beside: [{ header: 'X-App-Key', secret: second }] },
    sent: ({ headers }) => [headers['x-key'], headers['x-app-key']],
    expected: [canary, second],
    secrets: formsOf(second),
  },
  'two keys in the query': {
    input: { query: 'key', secret: inQuery, beside: [{ query: 'token', secret: secondInQuery }] },
    sent: (seen) => [parameter('key')(seen), parameter('token')(seen)],
    expected: [[inQuery], [secondInQuery]],
    secrets: [...formsOf(inQuery), ...formsOf(secondInQuery)],
  },
}

function sealedOff(scheme: Scheme, ...things: unknown[]): void {
  const texts = things.flatMap((thing) => [
    inspect(thing, { depth: 9, showHidden: true }),
    String(thing instanceof Error ? thing.stack : JSON.stringify(thing)),
  ])
  for (const secret of [...canaryForms, ...(scheme.secrets ?? [])]) {
    for (const text of texts) expect(text).not.toContain(secret)
  }
}

/** Says whatever it got, redirects by `to` and `status`. */
const echo: Parameters<typeof hold>[0] = (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const to = url.searchParams.get('to')
  if (to !== null) {
    const status = Number(url.searchParams.get('status') ?? 302)
    const location = url.searchParams.has('whole') ? `${to}${url.search}` : to
    const { searchParams } = new URL(location, 'http://localhost')
    const back = searchParams.has('whole') ? location.replace(/[?&]to=[^&]*/, '?x=1') : location
    return void response.writeHead(status, { location: back }).end()
  }
  response.setHeader('content-type', 'application/json')
  response.setHeader('link', `<${request.url}>; rel="next"`)
  response.end(JSON.stringify({ url: request.url, headers: request.rawHeaders }))
}
const go = (to: string, more = '') => `/go?to=${encodeURIComponent(to)}${more}`

async function held(scheme: Scheme, handler = echo) {
  const events: unknown[] = []
  const more = { onEvent: (event: unknown) => void events.push(event) }
  const one = await hold(handler, scheme.input, more)
  watch()
  return { ...one, events, fetch: one.session.fetch(one.service.origin) }
}

/** Whoever watches the client sees an address as it is sent. */
function watch(): void {
  watched.watch(second, 'the second key')
  watched.watch(inQuery, 'the key in the query', 'URL')
  watched.watch(secondInQuery, 'the second key in the query', 'URL')
}

const last = ({ seen }: Held['service']) => seen.at(-1) ?? ({ headers: {}, url: '/' } as Seen)

describe.each(Object.entries(schemes))('%s', (_name, scheme) => {
  it('is sent by use and by fetch, in the place of any placeholder, and nothing of it comes back', async () => {
    const { session, service, fetch, events } = await held(scheme)
    const used = await session.use({ service: service.origin, path: '/a?x=a%20b&y' })
    expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
    expect(scheme.sent(last(service))).toEqual(scheme.expected)
    expect(last(service).url).toMatch(/^\/a\?x=a%20b&y(?:&|$)/)

    const response = await fetch(`${service.origin}/b?x=1&api_key=unused&key=unused&token=unused`, {
      headers: { authorization: 'Bearer unused', 'x-key': 'unused', 'x-app-id': 'unused' },
    })
    expect(scheme.sent(last(service))).toEqual(scheme.expected)
    expect(response.redirected).toBe(false)
    const body = await response.text()
    sealedOff(scheme, used, body, response, response.url, [...response.headers], events)
    sealedOff(scheme, await session.list(), await session.discover())
  })

  it('is signed anew on a redirect inside, also where the service sends back all that it got', async () => {
    const { session, service, fetch } = await held(scheme)
    for (const path of [go('/end'), go('/end?x=1', '&status=301'), go('/end', '&whole=1')]) {
      service.seen.length = 0
      const used = await session.use({ service: service.origin, path })
      const response = await fetch(`${service.origin}${path}`)
      expect(used).toMatchObject({ answer: { status: 200 } })
      expect(response.status).toBe(200)
      expect(service.seen).toHaveLength(4)
      for (const seen of service.seen) expect(scheme.sent(seen)).toEqual(scheme.expected)
      sealedOff(scheme, used, response.url, await response.text())
    }
  })

  it('goes nowhere else with a redirect', async () => {
    const trap = await serve(echo)
    const { session, service, fetch } = await held(scheme)
    for (const more of ['', '&status=307']) {
      const path = go(`${trap.origin}/x`, more)
      expect(await session.use({ service: service.origin, path })).toMatchObject({
        answer: { status: more === '' ? 302 : 307 },
      })
      expect(trap.seen).toEqual([])
      await fetch(`${service.origin}${path}`)
      expect(trap.seen).toHaveLength(1)
      sealedOff(scheme, trap.seen.splice(0))
    }
  })

  it('is not in what is thrown where the service cannot be reached', async () => {
    const service = await stoppable(echo)
    const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
    const session = auth.as(owner)
    const { origin } = service
    await session.import({ service: origin, audience: origin, secret: canary, ...scheme.input })
    watch()
    await service.stop()
    const used = await session.use({ service: origin, path: '/x' })
    const thrown = await session
      .fetch(origin)(`${origin}/x`)
      .catch((error: unknown) => error)
    expect(used).toMatchObject({ code: 'service_unreachable' })
    if (!AuthError.isInstance(thrown)) throw new Error('it was answered')
    sealedOff(scheme, used, thrown, thrown.toJSON(), thrown.cause)
    await service.start()
  })
})

/** The query of an address is written to logs everywhere: nothing of ours may have it. */
describe('a key in the query', () => {
  it('is refused in a redirect that takes it elsewhere', async () => {
    const trap = await serve(echo)
    const scheme = schemes['a parameter of the query'] as Scheme
    const { session, service, fetch } = await held(scheme)
    const path = go(trap.origin, '&whole=1')
    const used = await session.use({ service: service.origin, path })
    const thrown = await fetch(`${service.origin}${path}`).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'redirect_refused' })
    expect(trap.connections()).toBe(0)
    sealedOff(scheme, used, thrown)
  })

  it('is nothing that a model may set', async () => {
    const { session, service } = await held(schemes['two keys in the query'] as Scheme)
    for (const call of [
      { path: '/x?key=mine' },
      { path: '/x', query: { token: 'mine' } },
      { path: '/x?a=1&%6Bey=' },
    ]) {
      const refused = await session.use({ service: service.origin, ...call })
      expect(refused).toMatchObject({
        code: 'request_refused',
        reason: expect.stringContaining('added by itself'),
      })
    }
    expect(service.connections()).toBe(0)
  })
})

describe('what import takes', () => {
  it.each<Partial<ImportInput>>([
    { basic: { user: 'a:b' } },
    { basic: { user: 'a\r\nb' } },
    { basic: {}, query: 'key' },
    { header: { name: 'X-Key' }, query: 'key' },
    { query: 'a&b' },
    { beside: [] },
    { beside: [{ header: 'X-Id' }] },
    { beside: [{ text: '1' }] },
    { beside: [{ header: 'Host', text: 'evil.test' }] },
    { beside: [{ header: 'X-Id', query: 'id', text: '1' }] },
    { beside: [{ header: 'X-Id', text: '1', secret: second }] },
    { beside: [{ header: 'X-Id', text: 'a\r\nb' }] },
  ])('not %j', async (more) => {
    const session = createAgentAuth({ store: memoryStore() }).as(owner)
    const given = { service: 'https://api.svc.example', audience: 'https://api.svc.example' }
    const call = session.import({ ...given, secret: canary, ...more })
    await expect(call).rejects.toMatchObject({ code: 'invalid_input' })
    expect(await session.list()).toEqual([])
  })

  it('a user name copied with the colon that curl wants', async () => {
    const scheme = schemes['Basic with the key as the user name'] as Scheme
    const { session, service } = await held({
      ...scheme,
      input: { ...scheme.input, secret: `${canary}:` },
    })
    await session.use({ service: service.origin, path: '/' })
    expect(scheme.sent(last(service))).toBe(scheme.expected)
  })
})

it('several keys of one service are told apart by their handles', async () => {
  const { session, service, handle } = await held(schemes['a key and an id in headers'] as Scheme)
  const { origin } = service
  const other = await session.import({
    service: origin,
    audience: origin,
    secret: second,
    basic: {},
  })
  await session.use({ credential: handle, path: '/' })
  expect(last(service).headers).toMatchObject({ 'x-key': canary, 'x-app-id': 'app-12345678' })
  await session.use({ credential: other.handle, path: '/' })
  expect(last(service).headers.authorization).toBe(`Basic ${base64(`${second}:`)}`)
  expect(last(service).headers).not.toHaveProperty('x-app-id')
})

it('a key that is given up is gone with all that goes beside it', async () => {
  const store = memoryStore()
  const auth = createAgentAuth({ store, [allowLoopback]: true })
  const session = auth.as(owner)
  const { origin } = await serve(echo)
  const input = { header: { name: 'X-Key' }, beside: [{ header: 'X-App-Key', secret: second }] }
  const given = { service: origin, audience: origin, secret: canary }
  const { handle } = await session.import({ ...given, ...input })
  await session.forget(handle)
  const { records } = await store.list({ kind: 'credential' })
  expect(records).toHaveLength(1)
  expect(JSON.stringify(records)).not.toContain(second)
  expect(JSON.stringify(records)).not.toContain(canary)
})
