import { context, metrics, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { openTelemetry } from '../src/index.ts'
import { points, registerSdk, spans, useSdk } from './sdk.ts'
import { nearlyOver, startWorld } from './world.ts'

useSdk()

async function series(metric: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await points())
    .filter((one) => one.metric === metric)
    .map(({ attributes, count }) => ({ ...attributes, count }))
}

test('attempts, outcomes, waits, denials and refreshes are counted by their durations', async () => {
  const { sandbox, session, service, decide, held, reads } = await startWorld()
  const credential = await held(session)
  await reads(session)
  sandbox.clock.advance(nearlyOver)
  await Promise.all([reads(session), reads(session), reads(session)])
  const posts = { service, method: 'POST', path: '/api/resource', json: {} } as const
  const asked = await session.use(posts)
  sandbox.clock.advance(42_000)
  await decide(asked, false)
  await session.use(posts)
  await decide(await session.revoke({ credential }), true)
  await session.revoke({ credential })
  await expect(session.revoke({ credential: 'cred_none' })).rejects.toThrow()
  const verb = (name: string, outcome: string, count: number, more = {}) => {
    return { 'authmd.verb': name, 'authmd.outcome': outcome, ...more, count }
  }
  expect(await series('authmd.verb.duration')).toEqual(
    expect.arrayContaining([
      verb('register', 'needs_consent', 1),
      verb('register', 'ready', 1),
      verb('use', 'answered', 4),
      verb('use', 'needs_consent', 1),
      verb('use', 'refused', 1, { 'authmd.refusal': 'consent_denied' }),
      verb('revoke', 'needs_consent', 1),
      verb('revoke', 'ended', 1),
      verb('revoke', 'failed', 1, { 'error.type': 'not_found' }),
    ]),
  )
  const refreshes = await series('authmd.refresh.duration')
  const results = Object.fromEntries(
    refreshes.map((one) => [String(one['authmd.refresh.result']), one.count]),
  )
  expect(results).toEqual({ renewed: 1, shared: 2 })
  const decisions = await series('authmd.decision.duration')
  expect(decisions).toContainEqual({
    'authmd.verb': 'use',
    'authmd.decision': 'denied',
    'authmd.decided_by': 'person',
    count: 1,
  })
  expect(new Set((await points()).map(({ unit }) => unit))).toEqual(new Set(['s']))
})

test('requests have the attributes of the conventions, and hosts that were only looked at none of their own', async () => {
  const { session, service, held, reads } = await startWorld()
  await held(session)
  await reads(session)
  const { hostname, port } = new URL(service)
  const requests = await series('http.client.request.duration')
  expect(requests).toContainEqual({
    'http.request.method': 'GET',
    'server.address': hostname,
    'server.port': Number(port),
    'http.response.status_code': 200,
    'authmd.request': 'use',
    count: 1,
  })
  const looked = requests.filter((one) => one['authmd.request'] === 'discover')
  expect(looked.length).toBeGreaterThan(1)
  expect(new Set(looked.map((one) => one['server.address']))).toEqual(new Set(['_OTHER']))
})

test('a thousand hosts and names make no thousand series', async () => {
  const { trace: around } = openTelemetry()
  for (let at = 0; at < 1000; at++) {
    const origin = `https://h${at}.vendor.example`
    const about = { kind: 'request', method: 'GET', origin, resent: 0 } as const
    const end = async () => ({ status: 'answered', httpStatus: 200 }) as const
    await around({ ...about, name: 'use' }, end)
    await around({ ...about, origin: 'https://vendor.example', name: `plan-${at}` }, end)
    const refreshing = { kind: 'refresh', owner: { tenant: 'acme' }, service: origin } as const
    await around({ ...refreshing, method: `method-${at}` }, async () => ({ status: 'renewed' }))
    await around(
      { ...about, method: `M${at}`, name: 'use', origin: 'https://h0.vendor.example' },
      end,
    )
  }
  const all = await points()
  expect(all.length).toBeGreaterThan(400)
  expect(all.length).toBeLessThan(700)
  const sum = (metric: string) =>
    all.filter((one) => one.metric === metric).reduce((total, { count }) => total + count, 0)
  expect(sum('http.client.request.duration')).toBe(3000)
  expect(sum('authmd.refresh.duration')).toBe(1000)
})

test('an SDK that is registered later gets what happens from then on', async () => {
  for (const api of [context, trace, metrics]) api.disable()
  const { session, held, reads } = await startWorld()
  registerSdk()
  await held(session)
  await reads(session)
  expect(await series('authmd.verb.duration')).toHaveLength(3)
  expect(spans().map(({ name }) => name)).toContain('authmd use')
})

test('another listener that fails is counted', async () => {
  const telemetry = openTelemetry()
  const broken = () => {
    throw new Error('the disk is full')
  }
  const { session, held } = await startWorld({}, { onEvent: [broken, telemetry.onEvent] })
  await held(session)
  expect(await series('authmd.listener.failures')).toContainEqual({
    'authmd.event': 'decision',
    count: 1,
  })
})

const broken = (): never => {
  throw new Error('the SDK is broken')
}

/** Each thing that an SDK is asked for, broken. */
const faults: readonly [string, () => void][] = [
  ['no tracer', () => void trace.setGlobalTracerProvider({ getTracer: broken })],
  [
    'no span',
    () => {
      const tracer = { startSpan: broken, startActiveSpan: broken }
      trace.setGlobalTracerProvider({ getTracer: () => tracer })
    },
  ],
  [
    'a span that cannot be ended',
    () => {
      const getTracer = () => ({
        startSpan: () => new Proxy({}, { get: () => broken }) as never,
        startActiveSpan: broken,
      })
      trace.setGlobalTracerProvider({ getTracer })
    },
  ],
  ['no meter', () => void metrics.setGlobalMeterProvider({ getMeter: broken })],
  [
    'a context that does not run what it is given',
    () => {
      const nothing = { active: broken, with: broken, bind: broken }
      context.setGlobalContextManager({
        ...nothing,
        enable: () => nothing as never,
        disable: broken,
      })
    },
  ],
]

test.each(faults)('%s: every verb goes on as without it', async (_, breakIt) => {
  for (const api of [context, trace, metrics]) api.disable()
  breakIt()
  try {
    const { sandbox, session, service, decide, held, reads } = await startWorld()
    const credential = await held(session)
    const ok = { answer: { status: 200 } }
    expect(await reads(session)).toMatchObject(ok)
    sandbox.clock.advance(nearlyOver)
    expect(await reads(session)).toMatchObject(ok)
    const before = sandbox.log.length
    expect((await session.fetch(service)(new URL('/api/resource', service))).status).toBe(200)
    expect(sandbox.log.length).toBe(before + 1)
    await decide(await session.revoke({ credential }), true)
    expect(await session.revoke({ credential })).toMatchObject({ verdict: 'revoked' })
  } finally {
    // The broken manager cannot be disabled by itself.
    delete (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')]
  }
})
