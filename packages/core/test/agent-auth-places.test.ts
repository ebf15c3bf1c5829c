import { afterEach, describe, expect, test } from 'vitest'
import { ada, at, handOver, ok, reads, registered, waiting } from './auth-md-world.ts'
import { approve, closeWorlds, expectStatus, sent } from './world.ts'

afterEach(closeWorlds)

describe('an authorization server on another domain', () => {
  const kit = { version: 'hosted', issuer: 'kit' } as const

  test('whose metadata and the resource’s name each other: what it gives goes to the resource alone', async () => {
    const world = await at(kit, ada)
    const { api, issuer } = world.site
    const asked = expectStatus(await world.session.register({ service: api }), 'needs_consent')
    expect(asked.action.effects).toMatchObject([
      { kind: 'present-identity', to: new URL(issuer).host },
      { kind: 'create-credential', at: `${issuer}/agent/identity`, audience: [api] },
    ])
    const { url, registration } = await waiting(world)
    expect(new URL(url).origin).toBe(issuer)
    const ready = await handOver(world, registration, await world.person.readCode(url))
    const { credential } = expectStatus(ready, 'ready')
    expect(credential.audience).toEqual([api])
    expect(await reads(world)).toMatchObject(ok)
    const elsewhere = { credential: credential.handle, path: '/agent/identity' }
    await world.session.use(elsewhere)
    const bearers = world.sandbox.log.filter(({ headers }) => headers.authorization)
    expect([...new Set(bearers.map(({ host }) => host))]).toEqual([new URL(api).hostname])
    const end = { credential: credential.handle }
    await approve(world, await world.session.revoke(end))
    expect(await world.session.revoke(end)).toMatchObject({ verdict: 'revoked' })
  })

  test('which does not name the resource gives nothing that could be sent to it', async () => {
    const world = await at(kit, ada)
    const body = {
      issuer: world.site.issuer,
      token_endpoint: `${world.site.issuer}/oauth2/token`,
      agent_auth: { identity_endpoint: `${world.site.issuer}/agent/identity` },
    }
    world.sandbox.faults.add({ name: 'agent_as_metadata', status: 200, body })
    const { offers } = expectStatus(
      await world.session.discover({ service: world.site.api }),
      'found',
    )
    expect(offers.map(({ method }) => method)).not.toContain('agent-auth')
  })
})

describe('a token endpoint that takes JSON', () => {
  test('anonymous', async () => {
    const world = await at({ version: 'axiom' })
    expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    // With the resource, without it, in JSON.
    expect(sent(world, 'agent_token')).toBe(3)
    // It is remembered: the renewal asks once.
    world.sandbox.clock.advance(59 * 60_000 + 45_000)
    expect(await reads(world)).toMatchObject(ok)
    expect(sent(world, 'agent_token')).toBe(4)
    expect(
      JSON.parse(world.sandbox.log.findLast(({ name }) => name === 'agent_token')?.body ?? ''),
    ).toMatchObject({ resource: world.site.api })
  })

  test('service_auth: the person types the code', async () => {
    const world = await at({ version: 'axiom' }, ada)
    const { url, code, later } = await waiting(world)
    expectStatus(await later(5_000), 'needs_person')
    expect(sent(world, 'agent_token')).toBe(2)
    await world.person.typeCode(url, code)
    expectStatus(await later(5_000), 'ready')
    expect(await reads(world)).toMatchObject(ok)
    expect(sent(world, 'agent_token')).toBe(3)
  })
})

describe('a service that has nothing but its auth.md', () => {
  const written = ['v0.1', 'v0.4', 'v0.7', 'readback'] as const

  test.each(written)('%s, anonymous', async (version) => {
    const world = await at({ version, textOnly: true })
    expectStatus(await registered(world), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })

  test.each(written)('%s, with an address', async (version) => {
    const world = await at({ version, textOnly: true }, ada)
    const { need, url, code, registration, later } = await waiting(world)
    if (need.kind === 'enter-code') {
      await world.person.typeCode(url, code)
      expectStatus(await later(5_000), 'ready')
    } else {
      const page = url || (await world.sandbox.mail.waitFor(ada))
      expectStatus(await handOver(world, registration, await world.person.readCode(page)), 'ready')
    }
    expect(await reads(world)).toMatchObject(ok)
  })

  test('just-html: the code of a mail is read back, then the claim grant gives a key', async () => {
    const world = await at({ version: 'just-html', textOnly: true }, ada)
    const { registration } = await waiting(world)
    const { text = '' } = await world.sandbox.mail.waitFor(ada)
    const code = /\b\d{6}\b/.exec(text)?.[0] ?? ''
    expectStatus(await handOver(world, registration, code), 'ready')
    expect(await reads(world)).toMatchObject(ok)
  })
})

describe('an address that is known', () => {
  const told = async (tell: 'offered' | 'needed') => {
    return at({ version: 'v0.7' }, ada, { identity: () => ({ email: ada, tell }) })
  }

  test('is not told where the operator would have it told only when needed, but to claim', async () => {
    const world = await told('needed')
    const { registration = '' } = expectStatus(await registered(world), 'ready')
    expect(JSON.stringify(world.sandbox.log)).not.toContain(ada)
    const claim = { service: world.site.api, registration }
    const asked = expectStatus(await world.session.register(claim), 'needs_consent')
    expect(asked.action.effects[0]).toMatchObject({ email: ada, emailFrom: 'session' })
  })

  test('is told where a service takes it, by default', async () => {
    const world = await told('offered')
    const asked = await world.session.register({ service: world.site.api })
    expect(expectStatus(asked, 'needs_consent').action.summary).toContain(ada)
  })

  test('is told all the same where there is no other way', async () => {
    const identity = () => ({ email: ada, tell: 'needed' }) as const
    const world = await at({ version: 'v0.7', methods: ['service_auth'] }, ada, { identity })
    const asked = await world.session.register({ service: world.site.api })
    expect(expectStatus(asked, 'needs_consent').action.summary).toContain(ada)
  })

  test('is not told where the policy denies that: anonymously where possible, else not at all', async () => {
    const policy = { rules: [{ decide: 'deny', when: { effect: 'present-identity' } }] } as const
    const world = await at({ version: 'v0.7' }, ada, { policy })
    const { registration = '' } = expectStatus(await registered(world), 'ready')
    const claim = await world.session.register({ service: world.site.api, registration })
    expect(claim).toMatchObject({ status: 'refused', code: 'policy_denied' })
    const only = await at({ version: 'v0.7', methods: ['service_auth'] }, ada, { policy })
    const refused = await only.session.register({ service: only.site.api })
    expect(refused).toMatchObject({ status: 'refused', code: 'policy_denied' })
    for (const { sandbox } of [world, only]) expect(JSON.stringify(sandbox.log)).not.toContain(ada)
  })

  test('a rule for another service changes nothing here', async () => {
    const when = { effect: 'present-identity', service: 'vendor.example' } as const
    const world = await at({ version: 'v0.7' }, ada, {
      policy: { rules: [{ decide: 'deny', when }] },
    })
    const asked = await world.session.register({ service: world.site.api })
    expect(expectStatus(asked, 'needs_consent').action.summary).toContain(ada)
  })
})
