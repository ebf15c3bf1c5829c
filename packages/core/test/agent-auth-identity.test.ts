import { authMdFault } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import type { IdentityAssertion, IdentityRequest } from '../src/identity/assertion.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { ada, at, handOver, minute, ok, reads, registered, waiting } from './auth-md-world.ts'
import { approve, closeWorlds, expectStatus, owner, sent } from './world.ts'

afterEach(closeWorlds)

type Options = Parameters<typeof at>[2]
type Site = Parameters<typeof at>[0]
type Wish = Parameters<World['sandbox']['identityProvider']['idJag']>[0]
type World = Awaited<ReturnType<typeof at>>

/** A world whose application vouches for Ada, and what it was asked for. */
async function vouched(
  authMd: Site,
  more: { readonly options?: Options; readonly wish?: Partial<Wish>; readonly email?: string } = {},
) {
  const asked: IdentityRequest[] = []
  const given: string[] = []
  const own: { wish: Partial<Wish>; answer?: IdentityAssertion } = {
    wish: more.wish ?? {},
  }
  const world = await at(authMd, more.email, {
    identityAssertion: async (request) => {
      asked.push(request)
      if (own.answer) return own.answer(request)
      const { audience } = request
      const jwt = await world.sandbox.identityProvider.idJag({ email: ada, audience, ...own.wish })
      given.push(jwt)
      return jwt
    },
    ...more.options,
  })
  return { ...world, asked, given, own, issuer: world.sandbox.identityProvider.issuer }
}

/** Each assertion that reached the service, once. */
function presented(world: World): string[] {
  const bodies = world.sandbox.log.filter(({ name }) => /^agent_(register|claim)$/.test(name))
  return bodies.flatMap(({ body }) => {
    const { assertion } = JSON.parse(body) as { assertion?: string }
    return assertion?.startsWith('eyJ') ? [assertion] : []
  })
}

const profiles = ['strict-spec', 'as-sample'] as const
const both = <V extends string>(...versions: readonly V[]) =>
  versions.flatMap((version) => profiles.map((profile) => ({ version, profile })))
const all = both(
  'v0.1',
  'draft-register',
  'v0.2',
  'v0.3',
  'v0.4',
  'v0.5',
  'v0.6',
  'v0.7',
  'readback',
)

describe.each(all)('$version, $profile', (authMd) => {
  test('somebody new: asked with what the provider says, then usable without anybody', async () => {
    const world = await vouched(authMd)
    const input = { service: world.site.api }
    const asked = expectStatus(await world.session.register(input), 'needs_consent')
    expect(asked.action.effects[0]).toEqual({
      kind: 'present-identity',
      assertion: { issuer: world.issuer, subject: `user-${ada}`, email: ada },
      to: new URL(world.site.issuer).host,
    })
    expect(asked.action.summary).toContain(`Have ${world.issuer} assert to`)
    expect(asked.action.summary).toContain(ada)
    expect(sent(world, 'agent_register')).toBe(0)
    expect(await world.session.preview('register', input)).toMatchObject({
      digest: asked.action.digest,
    })
    await approve(world, asked)
    expectStatus(await world.session.register(input), 'ready')
    expect(JSON.stringify(await reads(world))).toContain(ada)
    expect(world.asked[0]).toMatchObject({
      owner,
      service: world.site.api,
      audience: world.site.issuer,
      resource: world.site.api,
    })
    expect(presented(world)).toHaveLength(1)
    expect(world.given).toContain(presented(world)[0])
  })

  test('the access is renewed by the word of the provider, with an assertion of its own', async () => {
    const world = await vouched(authMd)
    expectStatus(await registered(world), 'ready')
    const consents = sent(world, 'agent_register')
    world.sandbox.clock.advance(2 * 60 * minute)
    expect(await reads(world)).toMatchObject(ok)
    // The key of v0.1 lasts.
    const again = authMd.version === 'v0.1' ? 0 : 1
    expect(sent(world, 'agent_register')).toBe(consents + again)
    const all = presented(world)
    expect(new Set(all).size).toBe(all.length)
  })

  test('a service that wants the resource as audience is given that, once', async () => {
    const world = await vouched({ ...authMd, audience: 'resource' })
    expectStatus(await registered(world), 'ready')
    expect(world.asked.at(-1)?.audience).toBe(world.site.api)
    // The sample says `expired` of it, which is first taken at its word.
    expect(sent(world, 'agent_register')).toBe(authMd.profile === 'as-sample' ? 3 : 2)
    expect(await reads(world)).toMatchObject(ok)
  })

  test('an identity provider that is not trusted: by address, or it is said', async () => {
    const stranger = { claims: { iss: 'https://idp.elsewhere.example' } }
    const world = await vouched(authMd, { wish: stranger })
    const { need } = expectStatus(await registered(world), 'needs_person')
    expect(need.kind).toBe('give-email')
    expect(sent(world, 'agent_register')).toBe(1)
    const known = await vouched(authMd, { wish: stranger, email: ada })
    const asked = expectStatus(await registered(known), 'needs_consent')
    expect(asked.action.summary).toContain(`Tell ${new URL(known.site.issuer).host} the address`)
  })
})

/** Those who have an account at the service already, of which its provider knows nothing yet. */
async function stepped(authMd: Site, more: Parameters<typeof vouched>[1] = {}) {
  const world = await vouched(authMd, more)
  await world.person.signIn()
  return world
}

describe.each(both('v0.1', 'v0.2', 'v0.3', 'v0.4'))('$version, $profile', (authMd) => {
  test('an account with that address is let in at once', async () => {
    expectStatus(await registered(await stepped(authMd)), 'ready')
  })
})

describe.each(both('v0.5', 'v0.6', 'v0.7'))('$version, $profile: step-up', (authMd) => {
  test('the person types a code, and from then on the word of the provider is enough', async () => {
    const world = await stepped(authMd)
    const { need, url, code, later } = await waiting(world)
    expect(need).toMatchObject({ kind: 'enter-code', text: expect.stringContaining(ada) })
    await world.person.typeCode(url, code)
    expectStatus(await later(5_000), 'ready')
    expect(JSON.stringify(await reads(world))).toContain(ada)
    world.sandbox.clock.advance(2 * 60 * minute)
    expect(await reads(world)).toMatchObject(ok)
    expect(presented(world)).toHaveLength(2)
  })

  test('another code, where the first one was not typed in time', async () => {
    const world = await stepped(authMd)
    const { later } = await waiting(world)
    const { need } = expectStatus(await later(10 * minute), 'needs_person')
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    expectStatus(await later(5_000), 'ready')
  })
})

describe.each(both('draft-register'))('$version, $profile: step-up', (authMd) => {
  test('the code of a mail is read back', async () => {
    const world = await stepped(authMd)
    const { need, registration } = await waiting(world)
    expect(need).toMatchObject({ kind: 'read-code', email: ada })
    const code = await world.person.readCode(await world.sandbox.mail.waitFor(ada))
    expectStatus(await handOver(world, registration, code), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })
})

describe.each(both('readback'))('$version, $profile: step-up', (authMd) => {
  test('the code of the page is read back, and a refresh token renews the access', async () => {
    const world = await stepped(authMd)
    const { need, url, registration } = await waiting(world)
    expect(need.kind).toBe('read-code')
    expectStatus(await handOver(world, registration, await world.person.readCode(url)), 'ready')
    world.sandbox.clock.advance(2 * 60 * minute)
    expect(await reads(world)).toMatchObject(ok)
    expect(presented(world)).toHaveLength(1)
  })

  test('a refresh token that is no good any more gives way to the word of the provider', async () => {
    const world = await stepped(authMd)
    const { url, registration } = await waiting(world)
    expectStatus(await handOver(world, registration, await world.person.readCode(url)), 'ready')
    world.sandbox.clock.advance(31 * 24 * 60 * minute)
    expect(await reads(world)).toMatchObject(ok)
    expect(presented(world)).toHaveLength(2)
  })
})

describe.each(both('v0.7'))('$version, $profile: a claim by the word of the provider', (authMd) => {
  /** An anonymous registration, whose application can vouch for Ada from now on. */
  async function unclaimed(account: boolean) {
    const world = await vouched(authMd)
    world.own.answer = () => undefined
    const outcome = expectStatus(await registered(world), 'ready')
    expect(world.sandbox.log.some(({ body }) => body.includes('anonymous'))).toBe(true)
    delete world.own.answer
    if (account) await world.person.signIn()
    const { handle } = outcome.credential
    const claims = { service: world.site.api, registration: outcome.registration ?? '' }
    const asked = expectStatus(await world.session.register(claims), 'needs_consent')
    expect(asked.action.summary).toContain(`Have ${world.issuer} assert to`)
    await approve(world, asked)
    return { ...world, handle, claims }
  }

  test('of somebody new: at once, under the same handle', async () => {
    const world = await unclaimed(false)
    const { credential } = expectStatus(await world.session.register(world.claims), 'ready')
    expect(credential.handle).toBe(world.handle)
    expect(JSON.stringify(await reads(world))).toContain(ada)
    expect(sent(world, 'agent_claim')).toBe(1)
  })

  test('of somebody who has an account: the person types a code', async () => {
    const world = await unclaimed(true)
    const { need } = expectStatus(await world.session.register(world.claims), 'needs_person')
    await world.person.typeCode(need.url ?? '', need.code ?? '')
    world.sandbox.clock.advance(5_000)
    const { registration } = world.claims
    const { credential } = expectStatus(await world.session.claim({ registration }), 'ready')
    expect(credential.handle).toBe(world.handle)
    expect(JSON.stringify(await reads(world))).toContain(ada)
  })
})

test.each(both('v0.6'))(
  '$version, $profile takes no such claim: it goes by address',
  async (authMd) => {
    const world = await vouched(authMd)
    world.own.answer = () => undefined
    const { registration = '' } = expectStatus(await registered(world), 'ready')
    delete world.own.answer
    const claims = { service: world.site.api, registration }
    await approve(world, await world.session.register(claims))
    const { need } = expectStatus(await world.session.register(claims), 'needs_person')
    expect(need.kind).toBe('give-email')
  },
)

describe('a login at the provider that is too old', () => {
  test('the application is asked once for a fresher one', async () => {
    const world = await vouched({ version: 'v0.7' })
    world.own.wish = { defect: 'stale-login' }
    const asked = expectStatus(
      await world.session.register({ service: world.site.api }),
      'needs_consent',
    )
    await approve(world, asked)
    world.own.answer = async ({ audience, maxAge }) => {
      const defect = maxAge === undefined ? ({ defect: 'stale-login' } as const) : {}
      return world.sandbox.identityProvider.idJag({ email: ada, audience, ...defect })
    }
    expectStatus(await world.session.register({ service: world.site.api }), 'ready')
    expect(world.asked.map(({ maxAge }) => maxAge)).toEqual([undefined, undefined, 3600])
    expect(sent(world, 'agent_register')).toBe(2)
  })

  test('that stays old is not sent: the person is told where to sign in, then it goes on', async () => {
    const world = await vouched({ version: 'v0.7' }, { wish: { defect: 'stale-login' } })
    const { need, registration = '' } = expectStatus(await registered(world), 'needs_person')
    expect(need).toMatchObject({ kind: 'open-link', text: expect.stringContaining(world.issuer) })
    expect(need.text).toContain('60 minutes')
    expect(sent(world, 'agent_register')).toBe(1)
    expectStatus(await world.session.claim({ registration }), 'needs_person')
    expect(sent(world, 'agent_register')).toBe(1)
    world.own.wish = {}
    expectStatus(await world.session.claim({ registration }), 'ready')
    expect(sent(world, 'agent_register')).toBe(2)
  })

  test('the application says itself that the person has to sign in, and where', async () => {
    const world = await vouched({ version: 'v0.7' })
    world.own.answer = () => ({ login: { url: 'https://idp.operator.example/login' } })
    const input = { service: world.site.api }
    const { need, registration = '' } = expectStatus(
      await world.session.register(input),
      'needs_person',
    )
    expect(need).toMatchObject({ kind: 'open-link', url: 'https://idp.operator.example/login' })
    delete world.own.answer
    const by = { approver: 'kim' }
    const asked = (await world.auth.people.answer(registration, { done: true }, by)) as Outcome
    await approve(world, asked)
    expectStatus(await world.session.claim({ registration }), 'ready')
  })
})

describe('each assertion is sent once', () => {
  test.each(['invalid_signature', 'replay_detected', 'expired'] as const)(
    '%s: another one',
    async (code) => {
      const world = await vouched({ version: 'v0.7' })
      world.sandbox.faults.add(authMdFault(code, 'agent_register'))
      expectStatus(await registered(world), 'ready')
      expect(new Set(presented(world)).size).toBe(2)
    },
  )

  test('the same again from the application is not sent', async () => {
    const world = await vouched({ version: 'v0.7' })
    const one = await world.sandbox.identityProvider.idJag({
      email: ada,
      audience: world.site.issuer,
    })
    world.own.answer = () => one
    world.sandbox.faults.add(authMdFault('replay_detected', 'agent_register'))
    const outcome = expectStatus(await registered(world), 'pending')
    expect(outcome.reason).toContain('the same as before')
    expect(sent(world, 'agent_register')).toBe(1)
  })

  test.each([
    ['of another audience', 'aud', { audience: 'https://elsewhere.example' }],
    ['of two audiences', 'aud', { claims: { aud: ['https://a.example', 'https://b.example'] } }],
    ['of nobody', 'sub', { claims: { sub: undefined } }],
  ])('one %s is not sent', async (_, word, wish) => {
    const world = await vouched({ version: 'v0.7' }, { wish })
    const outcome = expectStatus(
      await world.session.register({ service: world.site.api }),
      'pending',
    )
    expect(outcome.reason).toContain(word)
    expect(sent(world, 'agent_register')).toBe(0)
  })

  test('an application that fails is asked later, and not for ever; what it throws stays its own', async () => {
    const world = await vouched({ version: 'v0.7' })
    world.own.answer = () => {
      throw new Error('password: hunter2')
    }
    let outcome = await world.session.register({ service: world.site.api })
    for (let times = 0; times < 3; times++) {
      const { notBefore, registration = '' } = expectStatus(outcome, 'pending')
      expect(JSON.stringify(outcome)).not.toContain('hunter2')
      world.sandbox.clock.advance(notBefore - world.sandbox.clock.now())
      outcome = await world.session.claim({ registration })
    }
    expect(outcome).toMatchObject({ status: 'refused', code: 'identity_failed' })
  })

  test('somebody else than was agreed to is not presented without another word', async () => {
    const world = await vouched({ version: 'v0.7' })
    const input = { service: world.site.api }
    await approve(world, await world.session.register(input))
    world.own.wish = { email: 'bob@agents.test' }
    const asked = expectStatus(await world.session.register(input), 'needs_consent')
    expect(asked.action.summary).toContain('bob@agents.test')
    expect(sent(world, 'agent_register')).toBe(0)
    const later = await vouched({ version: 'v0.7' })
    expectStatus(await registered(later), 'ready')
    later.own.wish = { email: 'bob@agents.test' }
    later.sandbox.clock.advance(2 * 60 * minute)
    expect(await reads(later)).toMatchObject({ status: 'refused', code: 'credential_invalid' })
    expect(presented(later)).toHaveLength(1)
  })
})

describe('an answer that was lost', () => {
  test.each(['before', 'after'] as const)(
    '%s the service committed: another assertion, the same registration',
    async (cut) => {
      const world = await vouched({ version: 'v0.7' })
      world.sandbox.faults.add({ name: 'agent_register', cut, times: 1 })
      expect(await registered(world)).toMatchObject({
        status: 'refused',
        code: 'service_unreachable',
      })
      const { registration } = expectStatus(
        await world.session.register({ service: world.site.api }),
        'ready',
      )
      expect(registration).toBeDefined()
      expect(new Set(presented(world)).size).toBe(2)
      const ids = world.sandbox.log.filter(
        ({ name, effect }) => name === 'agent_register' && effect,
      )
      expect(ids.length).toBe(cut === 'after' ? 2 : 1)
      expect(await reads(world)).toMatchObject(ok)
    },
  )

  test('v0.1 gives another key each time: it is said, and asked about', async () => {
    const world = await vouched({ version: 'v0.1' })
    world.sandbox.faults.add({ name: 'agent_register', cut: 'after', times: 1 })
    expect(await registered(world)).toMatchObject({
      status: 'uncertain',
      orphans: [{ what: 'a credential that nobody holds' }],
    })
    const asked = expectStatus(
      await world.session.register({ service: world.site.api }),
      'needs_consent',
    )
    expect(asked.action.summary).toContain('An earlier one may exist already.')
    await approve(world, asked)
    expectStatus(await world.session.register({ service: world.site.api }), 'ready')
    expect(sent(world, 'agent_register')).toBe(2)
  })
})

describe('the operator', () => {
  const rule = (decide: 'allow' | 'deny') => ({
    policy: {
      rules: [{ decide, when: { verb: 'register', effect: 'present-identity' } }],
    } as const,
  })

  test('allows it: nobody is asked', async () => {
    const policy = { rules: [{ decide: 'allow', when: { verb: 'register' } }] } as const
    const world = await vouched({ version: 'v0.7' }, { options: { policy } })
    expectStatus(await world.session.register({ service: world.site.api }), 'ready')
    expect(world.given).toHaveLength(1)
    expect(presented(world)).toEqual(world.given)
  })

  test('denies it: the service is told nobody', async () => {
    const world = await vouched({ version: 'v0.7' }, { options: rule('deny') })
    const asked = expectStatus(
      await world.session.register({ service: world.site.api }),
      'needs_consent',
    )
    expect(asked.action.effects.map(({ kind }) => kind)).toEqual(['create-credential'])
    expect(world.asked).toEqual([])
  })
})

test('without one for this service it is as without the option', async () => {
  const world = await vouched({ version: 'v0.7' })
  world.own.answer = () => undefined
  const asked = expectStatus(
    await world.session.register({ service: world.site.api }),
    'needs_consent',
  )
  expect(asked.action.summary).toContain('an anonymous registration')
  const personal = await vouched({ version: 'v0.7' }, { email: ada })
  personal.own.answer = () => undefined
  const other = expectStatus(
    await personal.session.register({ service: personal.site.api }),
    'needs_consent',
  )
  expect(other.action.summary).toContain(`the address ${ada}`)
})

test('an assertion that the service echoes is in no outcome', async () => {
  const world = await vouched({ version: 'v0.7' })
  const audience = world.site.issuer
  const asked = await world.session.register({ service: world.site.api })
  await approve(world, asked)
  const echoed = await world.sandbox.identityProvider.idJag({ email: ada, audience })
  world.own.answer = () => echoed
  const body = { error: 'wrong_kind', message: `not ${echoed}` }
  world.sandbox.faults.add({ name: 'agent_register', status: 400, times: 1, body })
  const outcome = await world.session.register({ service: world.site.api })
  expect(outcome).toMatchObject({ status: 'refused', errors: [{ code: 'wrong_kind' }] })
  expect(presented(world)).toEqual([echoed])
  const held = await world.session.discover()
  expect(JSON.stringify([asked, outcome, held])).not.toContain(echoed)
})

describe('a process that is killed between the request and its answer', () => {
  /** Killed while Ada is presented, then another process over the same store. */
  async function killed(version: 'v0.1' | 'v0.7', hold: 'before' | 'after') {
    const store = memoryStore({ clock: () => clock() })
    const world = await vouched({ version }, { options: { store } })
    const clock = () => world.sandbox.clock.now()
    const input = { service: world.site.api }
    await approve(world, await world.session.register(input))
    const fault = world.sandbox.faults.add({ name: 'agent_register', hold, cut: hold, times: 1 })
    const first = world.session.register(input).catch(() => undefined)
    await fault.whenHeld()
    world.sandbox.clock.advance(minute + 1_000)
    const { identityProvider: idp } = world.sandbox
    const next = createAgentAuth({
      store,
      [allowLoopback]: true,
      clock,
      identity: () => ({}),
      identityAssertion: ({ audience }) => idp.idJag({ email: ada, audience }),
    })
    const outcome = await next.as(owner).register(input)
    const use = () => next.as(owner).use({ service: world.site.api, path: '/api/resource' })
    const end = () => {
      fault.release()
      return first
    }
    return { ...world, outcome, use, end }
  }

  test.each(['before', 'after'] as const)(
    '%s the service committed: the next one presents another assertion, without another question',
    async (hold) => {
      const world = await killed('v0.7', hold)
      expectStatus(world.outcome, 'ready')
      expect(JSON.stringify(await world.use())).toContain(ada)
      expect(new Set(presented(world)).size).toBe(2)
      await world.end()
    },
  )

  test('v0.1: it is uncertain, and nothing is sent', async () => {
    const world = await killed('v0.1', 'after')
    expect(world.outcome).toMatchObject({ status: 'uncertain', request: 'agent_identity' })
    expect(presented(world)).toHaveLength(1)
    await world.end()
  })
})
