import { personAtPortal } from '@authmd/sandbox'
import { afterAll, describe, expect, test } from 'vitest'
import type { Grant } from '../src/methods/oauth/options.ts'
import type { Outcome } from '../src/outcome.ts'
import { Secret } from '../src/vault/secret.ts'
import { ada, at, handOver, ok, reads, registered, waiting } from './auth-md-world.ts'
import { counting } from './counting.ts'
import { type OAuthWorld, oauthWorld } from './oauth-world.ts'
import { approve, askedFor, closeWorlds, email, expectStatus, openWorld } from './world.ts'

afterAll(closeWorlds)

type AuthMd = Parameters<typeof at>[0]
type Agent = ReturnType<typeof counting>['agent']

async function anonymous(authMd: AuthMd): Promise<number> {
  const world = await at(authMd)
  const { agent, chain } = counting(world.sandbox)
  expectStatus(await agent(() => registered(world)), 'ready')
  expect(await agent(() => reads(world))).toMatchObject(ok)
  return chain()
}

async function byAddress(authMd: AuthMd): Promise<number> {
  const world = await at(authMd, ada)
  const { agent, chain } = counting(world.sandbox)
  const { need, registration, url, code, later } = await agent(() => waiting(world))
  if (need.kind === 'enter-code') {
    await world.person.typeCode(url, code)
    expectStatus(await agent(() => later(5_000)), 'ready')
  } else {
    const mail = url ? undefined : await world.sandbox.mail.waitFor(ada)
    const mailed = /^\D*(\d{6})\D*$/.exec(mail?.text ?? '')?.[1]
    const read = mailed ?? (await world.person.readCode(mail ?? url))
    expectStatus(await agent(() => handOver(world, registration, read)), 'ready')
  }
  expect(await agent(() => reads(world))).toMatchObject(ok)
  return chain()
}

/** Each is what the documents make wait for something else, from the URL on. */
const metadata = ['the URL and the resource metadata', 'the server metadata']
const given = [...metadata, 'registration', 'call']
const exchanged = [...metadata, 'registration', 'exchange', 'call']
const mailed = [...metadata, 'registration', 'code', 'call']
const readBack = [...metadata, 'registration', 'code', 'exchange', 'call']
const typed = [...metadata, 'registration', 'poll', 'call']

// On a busy machine what goes out together may miss each other: a chain is then counted too long, never too short.
const patient = { retry: 2 }
const title = 'round trips that wait for one another, from the URL to the first authorised call'

describe.concurrent(title, patient, () => {
  test.each([
    ['v0.1', given],
    ['vidjutsu', given],
    ['draft-register', exchanged],
    ['v0.2', exchanged],
    ['v0.3', exchanged],
    ['v0.4', exchanged],
    ['v0.5', exchanged],
    ['v0.6', exchanged],
    ['v0.7', exchanged],
    ['readback', exchanged],
    ['hosted', exchanged],
    ['axiom', [...metadata, 'registration', 'exchange', 'without the resource', 'in JSON', 'call']],
  ] as const)('auth.md %s, anonymous: %j', async (version, chain) => {
    expect(await anonymous({ version })).toBe(chain.length)
  })

  test.each([
    ['v0.1', mailed],
    ['draft-register', readBack],
    ['v0.2', readBack],
    ['v0.3', readBack],
    ['v0.4', typed],
    ['v0.5', typed],
    ['v0.6', typed],
    ['v0.7', typed],
    ['readback', readBack],
    ['hosted', readBack],
    ['just-html', [...metadata, 'registration', 'code', 'poll', 'call']],
    ['stella', typed],
    ['agent-artifacts', typed],
  ] as const)('auth.md %s, with an address: %j', async (version, chain) => {
    expect(await byAddress({ version })).toBe(chain.length)
  })

  test('auth.md by text alone: the text, no metadata of the server it names, registration, exchange, call', async () => {
    expect(await anonymous({ version: 'v0.7', textOnly: true })).toBe(5)
  })

  test('auth.md on another domain: no longer', async () => {
    expect(await anonymous({ version: 'hosted', issuer: 'kit' })).toBe(exchanged.length)
  })
})

describe(title, patient, () => {
  test('telnyx-signup: two of discovery, puzzle, terms, signup, session, key, call', async () => {
    const world = await openWorld()
    const { agent, chain } = counting(world.sandbox)
    const { input, consent, registration } = await agent(() => askedFor(world))
    await approve(world, consent)
    await agent(() => world.session.register(input))
    await world.sandbox.mail.waitFor(email)
    expectStatus(await agent(() => world.session.claim({ registration })), 'ready')
    const call = { service: world.sandbox.urls.api, path: '/v2/available_phone_numbers' }
    expect(await agent(() => world.session.use(call))).toMatchObject(ok)
    expect(chain()).toBe(8)
  })

  test('manual: two of discovery, the check of the key, call', async () => {
    const world = await openWorld()
    const { agent, chain } = counting(world.sandbox)
    const input = { service: world.sandbox.urls.api, method: 'manual' }
    const { registration = '' } = await agent(() => world.session.register(input))
    const { api_key: secret } = await personAtPortal(world.sandbox, email).makeKey()
    await agent(() => world.auth.people.answer(registration, { secret }, { approver: 'kim' }))
    const call = { service: world.sandbox.urls.api, path: '/v2/available_phone_numbers' }
    expect(await agent(() => world.session.use(call))).toMatchObject(ok)
    expect(chain()).toBe(4)
  })

  test('guided: the text, what it names, the terms, the described request, call', async () => {
    const world = await openWorld({ identity: () => ({ email }) }, { prose: {} })
    const { agent, chain } = counting(world.sandbox)
    const { api: service } = world.sandbox.prose
    const answer = JSON.stringify({ name: 'scribe', purpose: 'It writes notes for a team.' })
    const { registration = '' } = await agent(() => world.session.register({ service }))
    const input = { service, registration, answer }
    await approve(world, await agent(() => world.session.register(input)))
    expectStatus(await agent(() => world.session.register(input)), 'ready')
    expect(await agent(() => world.session.use({ service, path: '/v1/me' }))).toMatchObject(ok)
    expect(chain()).toBe(5)
  })

  // Asked for by its origin: below that there is one more place where metadata may lie, and a host is
  // asked for three things at a time.
  const begun = async (world: Pick<OAuthWorld, 'session' | 'auth' | 'site'>, grant: Grant) => {
    const input = { service: world.site.api, method: `oauth-${grant}` }
    await approve(world, await world.session.register(input))
    return world.session.register(input)
  }
  const obtained = {
    device: async (world: OAuthWorld, agent: Agent) => {
      const outcome = await agent(() => begun(world, 'device'))
      await world.connect(outcome)
      return agent(() => world.later(outcome))
    },
    code: async (world: OAuthWorld, agent: Agent) => {
      const url = await world.authorise(await agent(() => begun(world, 'code')))
      return agent(() => world.back(url))
    },
  }
  test.each([
    ['device', 'device_code', [...metadata, 'client', 'device code', 'token', 'call']],
    ['code', 'authorization_code', [...metadata, 'client', 'token', 'call']],
  ] as const)('oauth-%s, %s: %j', async (grant, type, steps) => {
    const world = await oauthWorld({ grants: [type] })
    const { agent, chain } = counting(world.sandbox)
    expectStatus((await obtained[grant](world, agent)) as Outcome, 'ready')
    expect(await agent(() => world.me())).toMatchObject(ok)
    expect(chain()).toBe(steps.length)
  })

  test('oauth-client: two of discovery, token, call', async () => {
    const given = await oauthWorld({ grants: ['client_credentials'] })
    const { clients, api, issuer } = given.site
    const { id: clientId, secret } = clients.confidential
    const clientSecret = new Secret(secret)
    const client = { service: api, issuer, clientId, clientSecret, grants: ['client'] } as const
    const world = { ...given, ...given.with({ clients: [client] }) }
    const { agent, chain } = counting(world.sandbox)
    expectStatus(await agent(() => begun(world, 'client')), 'ready')
    expect(await agent(() => world.me())).toMatchObject(ok)
    expect(chain()).toBe(metadata.length + 2)
  })
})
