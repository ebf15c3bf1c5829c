import { authMdFault } from '@authmd/sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import type { IdentityAnswer, IdentityRequest } from '../src/identity/assertion.ts'
import type { Outcome } from '../src/outcome.ts'
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
  const own: { wish: Partial<Wish>; answer?: (request: IdentityRequest) => IdentityAnswer } = {
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
    expect(sent(world, 'agent_register')).toBe(2)
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
