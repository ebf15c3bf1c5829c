import { afterEach, describe, expect, test } from 'vitest'
import type { Consent } from '../src/consent/ledger.ts'
import type { AcceptedTerms, Policy, PolicyRule } from '../src/consent/policy-data.ts'
import type { AuthEvent } from '../src/events.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { canary } from './held.ts'
import { serve } from './loopback-servers.ts'
import {
  answerTo,
  askedFor,
  closeWorlds,
  expectStatus,
  keysOf,
  openWorld,
  owner,
  sandboxMailbox,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

/** A world, and the same one under a policy. */
async function openTwice(options: Parameters<typeof openWorld>[0] = {}) {
  const store = memoryStore()
  const world = await openWorld({ store, ...options })
  const { sandbox } = world
  const asked: string[] = []
  const events: AuthEvent[] = []
  const under = (policy: Policy) => {
    const auth = createAgentAuth({
      store,
      [allowLoopback]: true,
      clock: () => sandbox.clock.now(),
      identity: () => ({ mailbox: sandboxMailbox(sandbox) }),
      onPersonNeeded: ({ kind }) => void asked.push(kind),
      onEvent: (event) => void events.push(event),
      ...options,
      policy,
    })
    return { ...world, auth, session: auth.as(owner) }
  }
  return { ...world, store, asked, events, under, service: sandbox.urls.api }
}

const refused = { status: 'refused', code: 'policy_denied' }

describe('a service that the policy denies', () => {
  const deny = (service: string, when: PolicyRule['when'] = {}): Policy => ({
    rules: [{ decide: 'deny', when: { service, ...when }, because: 'not here' }],
  })

  test('is asked nothing by discover and register', async () => {
    const { under, sandbox, service } = await openTwice()
    const { session } = under(deny(service))
    for (const outcome of [
      await session.discover({ service }),
      await session.register({ service }),
      await session.register({ service: `${service}/v2` }),
    ]) {
      expect(outcome).toMatchObject({ ...refused, reason: expect.stringContaining('not here') })
    }
    const explained = { decision: 'deny', by: 'policy', rule: 0, because: 'not here' }
    expect(await session.explain('register', { service })).toEqual(explained)
    expect(await session.preview('register', { service })).toBeUndefined()
    expect(sandbox.log).toEqual([])
  })

  test('is asked nothing for a registration that runs already, which can be cancelled', async () => {
    const world = await openTwice()
    const { sandbox, service } = world
    const { registration } = await signedUp(world)
    const { session, auth } = world.under(deny(service, { verb: 'register' }))
    const requests = sandbox.log.length
    expect(await session.claim({ registration })).toMatchObject({ ...refused, registration })
    sandbox.clock.advance(60_000)
    await auth.tick()
    const link = { link: `${service}/v2/bot_sessions?token=made-up` }
    await auth.people.answer(registration, link, { approver: 'kim' })
    expect(sandbox.log).toHaveLength(requests)
    expectStatus(await session.cancel(registration), 'ended')
  })

  test('may be denied for one way of registering alone', async () => {
    const { under, service, sandbox } = await openTwice()
    const { session } = under(deny(service, { method: 'telnyx-signup' }))
    expectStatus(await session.discover({ service }), 'found')
    const denied = { service, method: 'telnyx-signup' }
    expect(await session.register(denied)).toMatchObject(refused)
    expect(sent({ sandbox }, 'bot_challenge')).toBe(0)
    // Without a method the best of those that it allows.
    expectStatus(await session.register({ service }), 'needs_person')
  })
})

describe('a signup without a person', () => {
  const allow = (service: string): PolicyRule => ({
    decide: 'allow',
    when: { verb: 'register', service },
  })

  /** What the sandbox's terms are, as an operator would have read them before. */
  async function termsOf(world: Awaited<ReturnType<typeof openTwice>>): Promise<AcceptedTerms> {
    const { consent, registration } = await askedFor(world)
    await world.session.cancel(registration)
    const texts = consent.action.effects.flatMap((one) =>
      one.kind === 'accept-terms' ? one.texts : [],
    )
    return {
      service: world.service,
      texts: texts.map(({ url, textHash = '' }) => ({ url, textHash })),
      acceptedBy: 'Kim Lee, Acme Operations',
      date: '2026-01-31',
    }
  }

  async function answered(world: Pick<World, 'session' | 'sandbox'>): Promise<Outcome> {
    const { session, sandbox } = world
    return session.register(answerTo(world, await session.register({ service: sandbox.urls.api })))
  }

  test('goes through where its terms were accepted in writing, and the ledger says by whom', async () => {
    const world = await openTwice()
    const terms = await termsOf(world)
    const bound = world.under({ rules: [allow(world.service)], terms: [terms] })
    const begun = await bound.session.register({ service: world.service })
    await bound.session.register(answerTo(world, begun, '123456'))
    const { registration = '' } = expectStatus(await answered(bound), 'pending')
    expectStatus(await bound.session.claim({ registration }), 'ready')
    expect(world.asked).toEqual([])
    expect(world.events.filter(({ type }) => type === 'decision')).toHaveLength(1)
    expect(keysOf(world)).toHaveLength(1)
    const { records } = await world.store.list({ kind: 'consent' })
    const rows = records.map(({ value }) => JSON.parse(value) as Consent)
    expect(rows.filter(({ state }) => state === 'redeemed')).toMatchObject([
      {
        decision: {
          approver:
            'policy: terms accepted in writing by Kim Lee, Acme Operations on 2026-01-31; rule 0',
          channel: 'policy',
        },
        action: { effects: [{ kind: 'accept-terms' }, {}, {}] },
      },
    ])
  })

  test('asks where no terms were accepted, though a rule allows all else', async () => {
    const world = await openTwice()
    const bound = world.under({ rules: [allow(world.service)] })
    expectStatus(await answered(bound), 'needs_consent')
    expect([world.asked, sent(world, 'bot_signup')]).toEqual([['consent'], 0])
  })

  test('asks where terms were accepted, but no rule allows the rest', async () => {
    const world = await openTwice()
    const bound = world.under({ terms: [await termsOf(world)] })
    expectStatus(await answered(bound), 'needs_consent')
    expect(sent(world, 'bot_signup')).toBe(0)
  })

  test('asks once the text says something else, or cannot be read', async () => {
    for (const fault of [{ status: 503 }, { status: 200, body: 'Other terms.' }]) {
      const world = await openTwice()
      const bound = world.under({ rules: [allow(world.service)], terms: [await termsOf(world)] })
      world.sandbox.faults.add({ name: 'terms', ...fault })
      expectStatus(await answered(bound), 'needs_consent')
      expect(sent(world, 'bot_signup')).toBe(0)
    }
  })

  test('asks for an address that the model proposed', async () => {
    const world = await openTwice()
    const terms = await termsOf(world)
    const mine = await openTwice({ identity: () => ({}) })
    const texts = terms.texts.map(({ url, textHash = '' }) => ({
      url: url.replace(world.service.slice(-5), mine.service.slice(-5)),
      textHash,
    }))
    const { session } = mine.under({
      rules: [allow(mine.service)],
      terms: [{ ...terms, service: mine.service, texts }],
    })
    const begun = await session.register({ service: mine.service, email: 'model@operator.test' })
    const input = answerTo(mine, begun)
    const because = 'the model proposed the address'
    expect(await session.explain('register', input)).toMatchObject({ decision: 'ask', because })
    const asked = await session.register(input)
    expect(expectStatus(asked, 'needs_consent').action.summary).toContain('proposed by the model')
  })

  test('asks before a second key where a first may exist', async () => {
    const world = await openTwice()
    const terms = await termsOf(world)
    const { session } = world.under({ rules: [allow(world.service)], terms: [terms] })
    const { registration = '' } = expectStatus(await answered({ ...world, session }), 'pending')
    world.sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
    expectStatus(await session.claim({ registration }), 'uncertain')
    const retry = { service: world.service, registration }
    const because = 'an earlier one may exist already'
    expect(await session.explain('register', retry)).toMatchObject({ decision: 'ask', because })
    expectStatus(await session.register(retry), 'needs_consent')
    expect(sent(world, 'api_keys')).toBe(1)
  })
})

describe('the first contact with a service', () => {
  const rule = (decide: 'ask' | 'deny'): Policy => ({
    rules: [{ decide, when: { effect: 'first-contact' } }],
  })
  const named: PolicyRule = { decide: 'ask', when: { service: 'localhost', verb: 'use' } }

  /** A service on loopback that has nothing to say, and an owner under a policy who has never met it. */
  async function unmet(policy: Policy) {
    const service = await serve((_, response) => response.writeHead(404).end())
    const store = memoryStore()
    const auth = createAgentAuth({ store, [allowLoopback]: true, policy })
    return { auth, session: auth.as(owner), service, origin: service.origin }
  }

  test('that is denied sends nothing, wherever a model puts the data that it would give away', async () => {
    const { session, service, origin } = await unmet(rule('deny'))
    const { port } = service
    for (const asked of [
      origin,
      `${origin}/${encodeURIComponent(canary)}`,
      `${origin}/?key=${encodeURIComponent(canary)}`,
      `http://made-up-canary-7f3a9c0d.localhost:${port}`,
    ]) {
      expect(await session.discover({ service: asked })).toMatchObject(refused)
      expect(await session.register({ service: asked })).toMatchObject(refused)
    }
    const explained = await session.explain('discover', { service: origin })
    expect(explained).toMatchObject({ decision: 'deny', by: 'policy', rule: 0 })
    expect(service.connections()).toBe(0)
  })

  test('is not asked about for a call that is denied anyway', async () => {
    const { rules = [] } = rule('ask')
    const policy: Policy = { rules: [...rules, { decide: 'deny', when: { verb: 'register' } }] }
    const { session, origin } = await unmet(policy)
    expect(await session.preview('register', { service: origin })).toBeUndefined()
    expect(await session.register({ service: origin })).toMatchObject(refused)
    expectStatus(await session.discover({ service: origin }), 'needs_consent')
  })

  test('that is asked about sends nothing before a yes, and after it that domain is known', async () => {
    const { auth, session, service, origin } = await unmet(rule('ask'))
    const first = expectStatus(await session.discover({ service: origin }), 'needs_consent')
    expect(first.action.summary).toBe(
      `${origin}:\nFor the first time, ask localhost how it lets agents in, beginning at ${origin}.`,
    )
    expect(await session.preview('discover', { service: origin })).toEqual(first.action)
    expect(await session.preview('register', { service: origin })).toEqual(first.action)
    expectStatus(await session.register({ service: origin }), 'needs_consent')
    expect(service.connections()).toBe(0)
    await auth.people.answer(first.consent, { approve: true }, { approver: 'kim' })
    expectStatus(await session.discover({ service: origin }), 'found')
    expect(service.connections()).toBeGreaterThan(0)
    for (const path of ['', '/other']) {
      const outcome = await session.register({ service: `${origin}${path}` })
      expect(outcome).toMatchObject({ code: 'no_offer' })
    }
    expectStatus(await auth.as({ tenant: 'other' }).discover({ service: origin }), 'needs_consent')
  })

  test('that a person denied is not asked about again under another address', async () => {
    const { auth, session, service, origin } = await unmet(rule('ask'))
    const first = expectStatus(await session.discover({ service: origin }), 'needs_consent')
    await auth.people.answer(first.consent, { approve: false }, { approver: 'kim' })
    for (let tries = 0; tries < 20; tries++) {
      const outcome = await session.discover({ service: `${origin}/try/${tries}` })
      expect(outcome).toMatchObject({ status: 'refused', code: 'consent_denied' })
    }
    expect(service.connections()).toBe(0)
  })

  test('is none with a service that is held, was begun with, or is named by a rule', async () => {
    const held = await unmet(rule('deny'))
    await held.session.import({ service: held.origin, audience: held.origin, secret: canary })
    expectStatus(await held.session.discover({ service: held.origin }), 'ready')
    const begun = await openTwice()
    await begun.session.register({ service: begun.service })
    const { session } = begun.under(rule('deny'))
    expectStatus(await session.discover({ service: begun.service }), 'found')
    const policy = { rules: [...(rule('deny').rules ?? []), named] }
    const known = await unmet(policy)
    expectStatus(await known.session.discover({ service: known.origin }), 'found')
    expect(await known.session.discover({ service: 'https://vendor.example' })).toMatchObject(
      refused,
    )
  })
})
