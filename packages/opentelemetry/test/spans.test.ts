import { nodeTransport } from '@authmd/core/node'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { outline, points, shown, spans, type Tree, trees, useSdk } from './sdk.ts'
import { approver, nearlyOver, owner, startWorld, type World } from './world.ts'

useSdk()

/** In a span of the caller's. */
function within<T>(name: string, act: () => Promise<T>): Promise<T> {
  return trace.getTracer('caller').startActiveSpan(name, async (span) => {
    try {
      return await act()
    } finally {
      span.end()
    }
  })
}

/** The whole of a credential's life, with a refresh and with a no. */
async function life({ sandbox, session, service, decide, held, reads }: World) {
  const credential = await held(session)
  expect(await reads(session)).toMatchObject({ answer: { status: 200 } })
  sandbox.clock.advance(nearlyOver)
  expect(await within('caller', () => reads(session))).toMatchObject({ answer: { status: 200 } })
  const posts = { service, method: 'POST', path: '/api/resource', json: { text: 'hello' } } as const
  await decide(await session.use(posts), false)
  expect(await session.use(posts)).toMatchObject({ code: 'consent_denied' })
  await decide(await session.revoke({ credential }), true)
  expect(await session.revoke({ credential })).toMatchObject({ verdict: 'revoked' })
  return credential
}

const named = (name: string) => trees().filter((tree) => tree.name === name)

function flat(tree: Tree): readonly Tree[] {
  return [tree, ...tree.below.flatMap(flat)]
}

test('a request is below its verb, a refresh and its request too, and all below the caller', async () => {
  const world = await startWorld()
  const credential = await life(world)
  const [caller] = named('caller')
  expect(caller && outline(caller)).toBe('caller > (authmd use > (authmd refresh > POST), GET)')
  const found = Object.fromEntries(
    flat(caller as Tree).map(({ name, span }) => [name, shown(span)] as const),
  )
  const { hostname, port, origin } = new URL(world.service)
  const server = { 'server.address': hostname, 'server.port': Number(port) }
  expect(found['authmd use']).toMatchObject({
    kind: SpanKind.INTERNAL,
    status: { code: SpanStatusCode.UNSET },
    attributes: {
      'authmd.verb': 'use',
      'authmd.channel': 'code',
      'authmd.outcome': 'answered',
      'authmd.service': origin,
      'authmd.credential': credential,
    },
  })
  expect(found['authmd refresh']).toMatchObject({
    attributes: { 'authmd.refresh.result': 'renewed', 'authmd.method': 'agent-auth' },
  })
  expect(found.GET).toEqual({
    name: 'GET',
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': 'GET',
      ...server,
      'url.full': `${origin}/REDACTED`,
      'http.response.status_code': 200,
      'authmd.request': 'use',
    },
    status: { code: SpanStatusCode.UNSET },
    events: [],
    links: [],
  })
})

test('nothing of a person, a secret or a path is in any span or metric, whatever the verb', async () => {
  const world = await startWorld()
  await life(world)
  const all = JSON.stringify([spans().map(shown), await points()])
  const verbs = new Set(spans().map(({ attributes }) => attributes['authmd.verb']))
  expect([...verbs]).toEqual(expect.arrayContaining(['register', 'use', 'revoke']))
  for (const word of [owner.tenant, owner.user, approver, 'api/resource', 'hello', '@']) {
    expect(all).not.toContain(word)
  }
})

test('the tenant and paths are there where they are asked for', async () => {
  const world = await startWorld({ tenant: true, paths: true })
  await world.held(world.session)
  await world.reads(world.session)
  const [use] = named('authmd use')
  expect(use?.span.attributes).toMatchObject({ 'authmd.tenant': owner.tenant })
  expect(use?.below[0]?.span.attributes).toMatchObject({
    'url.full': `${new URL(world.service).origin}/api/resource`,
  })
  // What a method asks may have a secret in its path.
  const requests = spans().filter(({ kind }) => kind === SpanKind.CLIENT)
  const others = requests.filter(({ attributes }) => {
    return !['discover', 'use'].includes(String(attributes['authmd.request']))
  })
  expect(others.length).toBeGreaterThan(0)
  for (const { attributes } of others) expect(attributes['url.full']).toMatch(/\/REDACTED$/)
})

test('the spans of two owners at once stay apart, and each refresh is below the call that asked', async () => {
  const world = await startWorld({ tenant: true })
  const sessions = ['one', 'two'].map((tenant) => world.auth.as({ tenant }))
  for (const session of sessions) await world.held(session)
  world.sandbox.clock.advance(nearlyOver)
  const calls = [0, 1, 0, 1, 0, 1]
  await Promise.all(
    calls.map((at) => within(`caller-${at}`, () => world.reads(sessions[at] ?? world.session))),
  )
  let renewed = 0
  for (const [at, tenant] of ['one', 'two'].entries()) {
    const callers = named(`caller-${at}`)
    expect(callers).toHaveLength(3)
    for (const caller of callers) {
      const below = flat(caller).slice(1)
      for (const { span } of below) {
        expect(span.attributes['authmd.tenant'] ?? tenant).toBe(tenant)
        expect(span.spanContext().traceId).toBe(caller.span.spanContext().traceId)
      }
      const refresh = below.find(({ name }) => name === 'authmd refresh')
      const own = refresh?.span.attributes['authmd.refresh.result'] === 'renewed'
      expect(outline(caller)).toBe(
        `caller-${at} > (authmd use > ${own ? '(authmd refresh > POST)' : 'authmd refresh'}, GET)`,
      )
      if (own) renewed += 1
    }
  }
  expect(renewed).toBe(2)
})

test('a redirect, and a credential that is refused, send again and count it', async () => {
  const world = await startWorld()
  await world.held(world.session)
  const send = world.session.fetch(world.service)
  expect((await send(new URL('/api/resource', world.service))).status).toBe(200)
  const token = world.sandbox.ledger.findLast(({ kind }) => kind === 'access_token')
  if (token) token.revokedAt = world.sandbox.clock.now()
  await send(new URL('/api/resource', world.service))
  const last = named('authmd use').at(-1)
  expect(last && outline(last)).toBe('authmd use > GET, (authmd refresh > POST), GET')
  const sent = last?.below.filter(({ name }) => name === 'GET').map(({ span }) => span)
  expect(sent?.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
    undefined,
    1,
  ])
  expect(sent?.[0]).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'error.type': '401', 'http.response.status_code': 401 },
  })
})

test('a verb that throws, and a request without an answer, are errors with a word for it', async () => {
  const world = await startWorld()
  await expect(world.session.claim({ registration: 'reg_none' })).rejects.toThrow()
  const [claim] = named('authmd claim')
  expect(claim?.span).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'authmd.outcome': 'failed', 'error.type': 'not_found' },
  })
  await world.session.discover({ service: 'http://localhost:9' }).catch(() => {})
  const [discover] = named('authmd discover')
  const errors = discover?.below.map(({ span }) => span.attributes['error.type'])
  expect(new Set(errors)).toEqual(new Set(['network_failed']))
})

test('what another instrumentation would record of a request is not recorded below ours', async () => {
  const inner = nodeTransport()
  const transport = {
    ...inner,
    request: (...[request, check]: Parameters<typeof inner.request>) => {
      const attributes = { 'url.full': request.url }
      trace.getTracer('of-an-http-client').startSpan('GET', { attributes }).end()
      return inner.request(request, check)
    },
  }
  const world = await startWorld({}, { transport })
  await world.held(world.session)
  const scopes = spans().map(({ instrumentationScope }) => instrumentationScope.name)
  expect(scopes).toContain('@authmd/opentelemetry')
  expect(scopes).not.toContain('of-an-http-client')
})
