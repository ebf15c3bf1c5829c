import { type LogEntry, longestChain, personAtPortal, type Sandbox } from '@authmd/sandbox'
import { afterAll, describe, expect, test } from 'vitest'
import { ada, at, handOver, ok, reads, registered, waiting } from './auth-md-world.ts'
import { approve, askedFor, closeWorlds, email, expectStatus, openWorld } from './world.ts'

afterAll(closeWorlds)

/** So that what goes out together overlaps: then only what waits for something else makes the chain longer. */
const delay = 250

/** Counts how many of an agent's requests waited for one another, what people do in between apart. */
function counting(sandbox: Sandbox) {
  const seen: LogEntry[] = []
  return {
    async agent<T>(work: () => Promise<T>): Promise<T> {
      const from = sandbox.log.length
      const slow = sandbox.faults.add({ name: '*', delay })
      const done = await work()
      slow.remove()
      seen.push(...sandbox.log.slice(from))
      return done
    },
    // A host that nobody serves answers at once.
    chain: () => longestChain(seen.filter(({ name }) => sandbox.faults.names.includes(name))),
  }
}
type AuthMd = Parameters<typeof at>[0]

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
})
