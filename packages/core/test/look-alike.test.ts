import { afterEach, describe, expect, test } from 'vitest'
import { makeAction } from '../src/consent/action.ts'
import { AuthError } from '../src/errors.ts'
import { authTools } from '../src/tools/tools.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'
import { trap } from './loopback-servers.ts'
import { askedFor, closeWorlds, expectStatus, openWorld, owner } from './world.ts'

afterEach(closeWorlds)

const secret = 'KEY0123456789madeup'

/** Somebody of the tenant holds a key of telnyx.localhost; the trap listens where its look-alike would. */
async function usingTelnyx(store: Store = memoryStore()) {
  const world = await openWorld({ store })
  const known = 'http://api.telnyx.localhost'
  await world.session.import({ service: known, secret, audience: known })
  const { port, connections } = await trap()
  const alike = `http://api.te1nyx.localhost:${port}`
  return { ...world, store, alike, known, connections }
}

const refused = {
  name: 'AuthError',
  code: 'look_alike',
  message: expect.stringMatching(/te1nyx\.localhost .*telnyx\.localhost/),
  details: { known: 'telnyx.localhost' },
}

describe('a look-alike of a service that the tenant uses', () => {
  test('is refused before any request, naming the known one, and nothing is stored', async () => {
    const { auth, store, alike, connections } = await usingTelnyx()
    const before = (await store.list({ kind: 'profile' })).records.length
    for (const user of ['kim', 'lee']) {
      const session = auth.as({ tenant: 'acme', user })
      await expect(session.discover({ service: alike })).rejects.toMatchObject(refused)
      await expect(session.register({ service: alike })).rejects.toMatchObject(refused)
      await expect(session.mcp(alike)).rejects.toMatchObject(refused)
    }
    expect(connections()).toBe(0)
    expect((await store.list({ kind: 'profile' })).records).toHaveLength(before)
    expect((await store.list({ kind: 'registration' })).records).toEqual([])
  })

  test('is refused to the model in words that name the rule', async () => {
    const { session, alike } = await usingTelnyx()
    const discover = authTools.find(({ name }) => name === 'auth_discover')
    const said = await discover?.run(session, { service: alike }, { channel: 'code' })
    expect(said?.text).toContain(
      'error look_alike: te1nyx.localhost can be taken for telnyx.localhost',
    )
  })

  test('in other letters is refused by the name that the network knows', async () => {
    const { session } = await usingTelnyx()
    const asked = session.discover({ service: 'http://api.te\u04cfnyx.localhost' })
    await expect(asked).rejects.toMatchObject({
      code: 'look_alike',
      message: expect.stringMatching(
        /^xn--[a-z\d-]+\.localhost can be taken for telnyx\.localhost/,
      ),
    })
  })

  test('is not refused: another tenant may go there', async () => {
    const { auth, alike, connections } = await usingTelnyx()
    const other = auth.as({ tenant: 'other', user: 'kim' })
    await expect(other.discover({ service: alike })).rejects.toMatchObject({
      code: 'network_failed',
    })
    expect(connections()).toBeGreaterThan(0)
  })

  test('may be used once the operator has imported a credential of it', async () => {
    const { session, alike } = await usingTelnyx()
    await session.import({ service: alike, secret: `${secret}2`, audience: alike })
    expectStatus(await session.discover({ service: alike }), 'ready')
  })

  test('is refused too where only the list of services could not be written', async () => {
    const inner = memoryStore()
    const store: Store = {
      ...inner,
      put: async (record, expected) => {
        if (record.id === 'services') throw new AuthError('store_failed', 'no')
        return inner.put(record, expected)
      },
    }
    const { session, alike } = await usingTelnyx(store)
    expect(await session.list()).toHaveLength(1)
    await expect(session.discover({ service: alike })).rejects.toMatchObject({ code: 'look_alike' })
  })

  test('stays refused after the known credential is gone, and two writers lose nothing', async () => {
    const { auth, session, alike } = await usingTelnyx()
    const services = ['http://a.localhost', 'http://b.localhost', 'http://c.localhost']
    await Promise.all(
      services.map((service) => session.import({ service, secret, audience: service })),
    )
    for (const { handle } of await session.list()) await session.forget(handle)
    for (const service of [alike, 'http://\u0430.localhost', 'http://\u0441.localhost']) {
      await expect(session.discover({ service }), service).rejects.toMatchObject({
        code: 'look_alike',
      })
    }
    for (const one of [owner, { tenant: 'acme' }]) await auth.admin.erase(one)
    await expect(session.discover({ service: alike })).rejects.toMatchObject({
      code: 'network_failed',
    })
  })
})

describe('what a consent says of a service', () => {
  test('"first time", until somebody of the tenant has held a credential there', async () => {
    const world = await openWorld()
    const { auth, sandbox } = world
    const first = await askedFor(world)
    expect(first.consent.action.firstTime).toBe(true)
    expect(first.consent.action.summary.split('\n')[0]).toBe(
      `${sandbox.urls.api} (first time: nothing has been held there before):`,
    )
    await auth.people.answer(first.consent.consent, { approve: true }, { approver: 'kim' })
    await world.session.register(first.input)
    expectStatus(await world.session.claim({ registration: first.registration }), 'ready')
    const session = auth.as({ tenant: 'acme', user: 'lee' })
    const again = await askedFor({ ...world, session })
    expect(again.consent.action.firstTime).toBeUndefined()
    expect(again.consent.action.summary.split('\n')[0]).toBe(`${sandbox.urls.api}:`)
  })

  test('the name in punycode, with a word about it', async () => {
    const action = await makeAction({
      verb: 'register',
      owner: { tenant: 'acme' },
      service: new URL('https://\u0455vc.test').origin,
      revision: 0,
      effects: [],
    })
    expect(action.summary).toBe(
      'https://xn--vc-doc.test (its name holds letters that can look like others):',
    )
  })
})
