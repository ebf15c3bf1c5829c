import { describe, expect, test } from 'vitest'
import type { Consent } from '../src/consent/ledger.ts'
import type { Policy, PolicyRule } from '../src/consent/policy-data.ts'
import type { AuthEvent } from '../src/events.ts'
import { allowLoopback, createAgentAuth } from '../src/node/main.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'
import { hold } from './held.ts'
import { mcpServer } from './mcp-server.ts'
import { expectStatus, owner } from './world.ts'

const answer = { text: 'hello' }

/** An owner with a key at a service on loopback, and what happened since. */
async function ruled(policy: Policy) {
  const events: AuthEvent[] = []
  const asked: string[] = []
  const store = memoryStore()
  const held = await hold(
    (_, response) => response.setHeader('content-type', 'application/json').end('{}'),
    {},
    {
      store,
      policy,
      onEvent: (event) => void events.push(event),
      onPersonNeeded: ({ kind }) => void asked.push(kind),
    },
  )
  const { session, service } = held
  const use = (method: string, path: string, json?: unknown, callId?: string) =>
    session.use(
      { service: service.origin, method, path, json },
      { channel: 'made-up', ...(callId ? { callId } : {}) },
    )
  return { ...held, store, events, asked, use }
}

async function rowsOf(store: Store): Promise<readonly Consent[]> {
  const { records } = await store.list({ kind: 'consent' })
  return records.map(({ value }) => JSON.parse(value) as Consent)
}

test('createAgentAuth refuses a policy that is none', () => {
  const policy = { rules: [{ decide: 'never', when: { verb: 'use' } }] } as unknown as Policy
  expect(() => createAgentAuth({ store: memoryStore(), policy })).toThrow(
    expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining('decide') }),
  )
})

describe('a request that the policy allows', () => {
  const policy: Policy = {
    rules: [
      {
        decide: 'allow',
        when: { verb: 'use', method: 'POST', path: '/v2/messages' },
        because: 'texts',
      },
    ],
  }

  test('is sent without a person, and stands in the ledger as consented to by that rule', async () => {
    const { use, session, service, store, events, asked } = await ruled(policy)
    const input = { service: service.origin, method: 'POST', path: '/v2/messages', json: answer }
    expect(await session.preview('use', input)).toBeUndefined()
    expectStatus(await use('POST', '/v2/messages', answer), 'answered')
    expect(service.seen).toMatchObject([{ method: 'POST', body: JSON.stringify(answer) }])
    expect(asked).toEqual([])
    const rows = await rowsOf(store)
    expect(rows).toMatchObject([
      {
        state: 'redeemed',
        decision: { approved: true, approver: 'policy: rule 0, texts', channel: 'policy' },
        action: { effects: [{ kind: 'unsafe-request', method: 'POST' }] },
        outcome: { status: 'answered' },
      },
    ])
    const [decision] = events.filter(({ type }) => type === 'decision')
    expect(decision).toMatchObject({ consent: rows[0]?.id, approver: 'policy: rule 0, texts' })
  })

  test('is another one each time, but for the same call of a framework', async () => {
    const { use, service, store } = await ruled(policy)
    const first = await use('POST', '/v2/messages', answer, 'call-1')
    expect(await use('POST', '/v2/messages', answer, 'call-1')).toEqual(first)
    expect(service.seen).toHaveLength(1)
    await use('POST', '/v2/messages', answer, 'call-2')
    await Promise.all([1, 2].map(() => use('POST', '/v2/messages', answer)))
    expect(service.seen).toHaveLength(4)
    const rows = await rowsOf(store)
    expect(rows.map(({ round }) => round).sort()).toEqual([0, 1, 2, 3])
    for (const row of rows) expect(row.outcome?.status).toBe('answered')
  })

  test('does not make any other request allowed', async () => {
    const { use, service } = await ruled(policy)
    for (const [method, path] of [
      ['POST', '/v2/message'],
      ['POST', '/v2'],
      ['PUT', '/v2/messages'],
      ['DELETE', '/v2/messages/1'],
    ] as const) {
      expectStatus(await use(method, path, answer), 'needs_consent')
    }
    expect(service.seen).toEqual([])
  })

  test('is not sent where the person said no to it before the policy allowed it', async () => {
    const store = memoryStore()
    const strict = await hold((_, response) => response.end(), {}, { store })
    const { origin } = strict.service
    const input = { service: origin, method: 'POST', path: '/v2/messages', json: answer }
    const { consent } = expectStatus(await strict.session.use(input), 'needs_consent')
    await strict.auth.people.answer(consent, { approve: false }, { approver: 'kim' })
    const later = createAgentAuth({ store, policy, [allowLoopback]: true }).as(owner)
    expect(await later.use(input)).toMatchObject({ code: 'consent_denied' })
    expect(strict.service.seen).toEqual([])
  })
})

test('a safe request that the policy asks about is sent only with a yes, once', async () => {
  const { auth, use, service } = await ruled({
    rules: [
      { decide: 'ask', when: { method: 'GET', path: '/v2/messages' }, because: 'they are private' },
    ],
  })
  expectStatus(await use('GET', '/v2/balance'), 'answered')
  for (const method of ['GET', 'HEAD']) {
    const { action } = expectStatus(await use(method, '/v2/messages/1'), 'needs_consent')
    expect(action.summary).toBe(
      `${service.origin}:\nSend ${method} ${service.origin}/v2/messages/1, which changes nothing there.\nYou are asked because of this: they are private.`,
    )
  }
  const { consent } = expectStatus(await use('GET', '/v2/messages/2'), 'needs_consent')
  await auth.people.answer(consent, { approve: true }, { approver: 'kim' })
  expectStatus(await use('GET', '/v2/messages/2', undefined, 'call-1'), 'answered')
  expectStatus(await use('GET', '/v2/messages/2', undefined, 'call-2'), 'needs_consent')
  expect(service.seen.map(({ url }) => url)).toEqual(['/v2/balance', '/v2/messages/2'])
})

describe('what the policy denies', () => {
  const rules: PolicyRule[] = [
    { decide: 'allow', when: { verb: 'use' } },
    { decide: 'deny', when: { path: '/v2/orders' }, because: 'nobody orders here' },
  ]

  test('is not sent and nobody is asked, whatever the model or a person says', async () => {
    const { use, session, service, asked, store } = await ruled({ rules })
    const input = { service: service.origin, method: 'POST', path: '/v2/orders', json: answer }
    expect(await session.preview('use', input)).toBeUndefined()
    for (const [method, path] of [
      ['GET', '/v2/orders'],
      ['POST', '/v2/orders'],
      ['POST', '/v2/Orders/1'],
      ['DELETE', '/v2/%6frders/1'],
    ] as const) {
      const outcome = await use(method, path)
      expect(outcome).toMatchObject({ status: 'refused', code: 'policy_denied' })
      expect(renderOutcome(outcome)).toContain('nobody orders here')
    }
    expect([service.seen, asked, await rowsOf(store)]).toEqual([[], [], []])
  })

  test('is not sent under an approval from before the policy', async () => {
    const store = memoryStore()
    const held = await hold((_, response) => response.end(), {}, { store })
    const input = { service: held.service.origin, method: 'POST', path: '/v2/orders' }
    const { consent } = expectStatus(await held.session.use(input), 'needs_consent')
    await held.auth.people.answer(consent, { approve: true }, { approver: 'kim' })
    const policy = { rules }
    const later = createAgentAuth({ store, policy, [allowLoopback]: true }).as(owner)
    expect(await later.use(input)).toMatchObject({ code: 'policy_denied' })
    expect(held.service.seen).toEqual([])
  })

  test('does not keep an operator from revoking', async () => {
    const deny: PolicyRule[] = [{ decide: 'deny', when: { verb: 'revoke' } }]
    const { auth, session, handle } = await ruled({ rules: deny })
    expect(await session.revoke({ credential: handle })).toMatchObject({ code: 'policy_denied' })
    const outcomes = await auth.admin.revokeAll(owner, { approver: 'operator' })
    expect(outcomes).toMatchObject([{ status: 'ended' }])
  })
})

describe('a mounted tool', () => {
  async function writing(rules: readonly PolicyRule[], allow: readonly string[]) {
    const server = await mcpServer(() => undefined, { policy: { rules } })
    const { tools } = await server.mount({ allow })
    const write = tools.find(({ name }) => name === 'x_write')
    if (write === undefined) throw new Error('no write')
    const run = async () => (await write.run(server.session, {}, { channel: 'made-up' })).outcome
    return { ...server, run, preview: () => write.preview(server.session, {}) }
  }
  const when = { method: 'POST', path: '/mcp' }

  test('that the operator listed runs where no rule speaks, and is held up by one that is strict', async () => {
    const listed = await writing([], ['write'])
    expect([await listed.preview(), (await listed.run())?.status]).toEqual([undefined, 'answered'])
    const ask = await writing([{ decide: 'ask', when }], ['write'])
    expect([(await ask.preview())?.verb, (await ask.run())?.status]).toEqual([
      'use',
      'needs_consent',
    ])
    const deny = await writing([{ decide: 'deny', when }], ['write'])
    expect(await deny.preview()).toBeUndefined()
    expect(await deny.run()).toMatchObject({ status: 'refused', code: 'policy_denied' })
    expect([ask.calls('write'), deny.calls('write')]).toEqual([0, 0])
  })

  test('is allowed by no rule', async () => {
    const { run, calls } = await writing([{ decide: 'allow', when }], [])
    expect((await run())?.status).toBe('needs_consent')
    expect(calls('write')).toBe(0)
  })
})

describe('explain', () => {
  test('says which rule decides, and sends and writes nothing', async () => {
    const { session, service, handle, store } = await ruled({
      rules: [
        { decide: 'allow', when: { method: 'POST', path: '/v2/messages' } },
        { decide: 'deny', when: { path: '/v2/orders' }, because: 'no orders' },
        { decide: 'ask', when: { method: 'GET', path: '/v2/messages' } },
      ],
    })
    store.put = () => Promise.reject(new Error('nothing is to be written'))
    const { origin } = service
    const explained = async (method: string, path: string) => {
      const { action, ...ruling } = await session.explain('use', { service: origin, method, path })
      expect(action?.effects).toMatchObject([{ method, url: `${origin}${path}` }])
      return ruling
    }
    expect(await explained('POST', '/v2/messages')).toEqual({
      decision: 'allow',
      by: 'policy',
      rule: 0,
    })
    expect(await explained('GET', '/v2/messages')).toEqual({
      decision: 'ask',
      by: 'policy',
      rule: 2,
    })
    expect(await explained('GET', '/v2/balance')).toEqual({ decision: 'allow', by: 'default' })
    expect(await explained('PUT', '/v2/balance')).toEqual({ decision: 'ask', by: 'default' })
    const orders = { decision: 'deny', by: 'policy', rule: 1, because: 'no orders' }
    expect(await explained('GET', '/v2/orders')).toEqual(orders)
    const ending = await session.explain('revoke', { credential: handle })
    expect(ending).toMatchObject({ decision: 'ask', by: 'default', action: { verb: 'revoke' } })
    expect(await session.explain('discover', {})).toEqual({ decision: 'allow', by: 'default' })
    expect(service.seen).toEqual([])
  })
})
