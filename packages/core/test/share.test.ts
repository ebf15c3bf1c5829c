import { describe, expect, test } from 'vitest'
import type { AuthEvent } from '../src/events.ts'
import { type AgentAuthOptions, memoryStore, type Owner } from '../src/node/main.ts'
import { ownerKey } from '../src/owner.ts'
import { agreed, canary, hold } from './held.ts'
import { owner as kim } from './world.ts'

const lee = { tenant: 'acme', user: 'lee' }
const eve = { tenant: 'acme', user: 'eve' }
const other = { tenant: 'umbrella', user: 'lee' }

/** Kim holds a key, of which Lee has a share. */
async function shared(
  verbs: readonly ('use' | 'revoke')[] = ['use'],
  options: Partial<AgentAuthOptions> = {},
  more: Parameters<typeof hold>[1] = {},
) {
  const store = memoryStore()
  const held = await hold(
    (request, response) => {
      const made = request.method === 'POST' ? { api_key: 'made-up-key-of-lee-0123456789' } : {}
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ given: request.headers.authorization, ...made }))
    },
    more,
    { store, ...options },
  )
  const { auth, handle, service } = held
  const ref = { owner: kim, handle }
  const view = await auth.share(ref, lee, { verbs })
  const session = auth.as(lee)
  const use = (owner: Owner = lee, more: object = {}) =>
    auth.as(owner).use({ credential: handle, path: '/thing', ...more })
  return { ...held, store, ref, view, use, leeSession: session, origin: service.origin }
}

const answered = { status: 'answered', answer: { status: 200 } }
const notShared = { status: 'refused', code: 'policy_denied' }

describe('another owner who has a share', () => {
  test('uses the credential by its handle, by its service and in code, and sees no secret', async () => {
    const { use, leeSession, origin, service, view, handle, store } = await shared()
    expect(view).toMatchObject({ handle, shared: { by: kim, verbs: ['use'] } })
    const outcomes = [await use(), await leeSession.use({ service: origin, path: '/x' })]
    for (const outcome of outcomes) expect(outcome).toMatchObject(answered)
    const text = await (await leeSession.fetch(origin)(`${origin}/y`)).text()
    expect(JSON.stringify([outcomes, text])).not.toContain(canary)
    const sent = service.seen.map(({ headers }) => headers.authorization)
    expect(sent).toEqual(Array.from({ length: 3 }, () => `Bearer ${canary}`))
    const { records } = await store.list({ kind: 'credential', owner: await ownerKey(lee) })
    expect(records).toHaveLength(1)
    expect(records[0]?.value).not.toContain(canary)
  })

  test('sees it listed as shared, the model without whose it is', async () => {
    const { leeSession, handle, session } = await shared()
    const [listed] = await leeSession.list()
    expect(listed).toMatchObject({ handle, shared: { verbs: ['use'], by: kim } })
    expect((await session.list())[0]).not.toHaveProperty('shared')
    const found = await leeSession.discover()
    expect(found).toMatchObject({ credentials: [{ handle, shared: { verbs: ['use'] } }] })
    expect(JSON.stringify(found)).not.toContain('kim')
  })

  test('registers nothing anew where it serves', async () => {
    const { leeSession, origin, handle } = await shared()
    const ready = await leeSession.register({ service: origin })
    expect(ready).toMatchObject({ status: 'ready', credential: { handle } })
  })

  test('prefers one of their own', async () => {
    const { leeSession, origin, service } = await shared()
    const secret = 'made-up-own-key-0123456789'
    await leeSession.import({ service: origin, audience: origin, secret })
    await leeSession.fetch(origin)(`${origin}/y`)
    expect(service.seen.at(-1)?.headers.authorization).toBe(`Bearer ${secret}`)
  })

  test('sends it nowhere but to its audience', async () => {
    const { leeSession, origin } = await shared()
    const sent = leeSession.fetch(origin)('http://localhost:1/elsewhere')
    await expect(sent).rejects.toMatchObject({ code: 'outside_audience' })
  })

  test('is asked by their own policy, and their yes is not the owner’s', async () => {
    const { auth, use, service } = await shared()
    const post = () => use(lee, { method: 'POST', json: {} })
    const asked = await post()
    expect(asked).toMatchObject({ status: 'needs_consent', action: { owner: lee } })
    expect(service.seen).toEqual([])
    expect(await agreed(auth, post)).toMatchObject(answered)
    expect(await use(kim, { method: 'POST', json: {} })).toMatchObject({ status: 'needs_consent' })
  })

  test('keeps what an answer gives to them', async () => {
    const { auth, use, session } = await shared()
    const outcome = await agreed(auth, () => use(lee, { method: 'POST', json: {} }))
    const [captured = ''] = outcome.status === 'answered' ? outcome.answer.captured : []
    expect(captured).toMatch(/^cred_/)
    const handles = async (of: typeof session) => (await of.list()).map(({ handle }) => handle)
    expect(await handles(auth.as(lee))).toContain(captured)
    expect(await handles(session)).not.toContain(captured)
  })

  test('neither revokes nor forgets nor replaces it', async () => {
    const { leeSession, handle, use, service } = await shared()
    for (const replace of [false, true]) {
      const input = { credential: handle, replace }
      expect(await leeSession.preview('revoke', input)).toBeUndefined()
      expect(await leeSession.revoke(input)).toMatchObject(notShared)
    }
    expect(await leeSession.forget(handle)).toMatchObject(notShared)
    expect(await use(kim)).toMatchObject(answered)
    expect(service.seen).toHaveLength(1)
  })

  test('revokes it for all where that is shared, under their own consent, and still replaces nothing', async () => {
    const { auth, leeSession, handle, use } = await shared(['use', 'revoke'])
    const input = { credential: handle }
    expect(await leeSession.revoke({ ...input, replace: true })).toMatchObject(notShared)
    expect(await leeSession.preview('revoke', input)).toMatchObject({ owner: lee })
    const ended = await agreed(auth, () => leeSession.revoke(input))
    expect(ended).toMatchObject({ status: 'ended', verdict: 'forgotten' })
    for (const one of [lee, kim]) {
      expect(await use(one)).toMatchObject({ status: 'refused', code: 'credential_revoked' })
    }
  })

  test('who may revoke alone does not use it', async () => {
    const { use, leeSession, origin, service } = await shared(['revoke'])
    expect(await use()).toMatchObject(notShared)
    await expect(leeSession.fetch(origin)(origin)).rejects.toMatchObject({ code: 'not_found' })
    expect(service.seen).toEqual([])
  })
})

const cache = { maxAgeMs: 60_000 }

describe.each([
  ['without a cache', {}],
  ['with a cache', { cache }],
])('a share ends, %s,', (_, options) => {
  const gone = { code: 'not_found' }

  test('when it is taken back', async () => {
    const { auth, ref, use, leeSession } = await shared(['use'], options)
    for (const times of [1, 2, 3]) expect(await use(), `${times}`).toMatchObject(answered)
    await auth.unshare(ref, lee)
    await auth.unshare(ref, lee)
    await expect(use()).rejects.toMatchObject(gone)
    expect(await leeSession.list()).toEqual([])
    expect(await use(kim)).toMatchObject(answered)
  })

  test('when its owner gives the credential up', async () => {
    const { use, session, handle } = await shared(['use'], options)
    for (const times of [1, 2, 3]) expect(await use(), `${times}`).toMatchObject(answered)
    await session.forget(handle)
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_revoked' })
  })

  test('when its owner is erased', async () => {
    const { use, auth, leeSession } = await shared(['use'], options)
    for (const times of [1, 2, 3]) expect(await use(), `${times}`).toMatchObject(answered)
    await auth.admin.erase(kim)
    await expect(use()).rejects.toMatchObject(gone)
    expect(await leeSession.list()).toEqual([])
  })

  test.each(['revokeAll', 'erase'] as const)(
    'when admin.%s clears the other owner, and works on for its own',
    async (name) => {
      const { use, auth, leeSession } = await shared(['use', 'revoke'], options)
      for (const times of [1, 2, 3]) expect(await use(), `${times}`).toMatchObject(answered)
      await auth.admin[name](lee, { approver: 'ops' })
      expect(await leeSession.list()).toEqual([])
      await expect(use()).rejects.toMatchObject(gone)
      expect(await use(kim)).toMatchObject(answered)
    },
  )
})

test('who was given what, and that it was taken back, is told once', async () => {
  const events: AuthEvent[] = []
  const { auth, ref, handle, origin } = await shared(['use'], {
    onEvent: (event) => events.push(event),
  })
  await auth.unshare(ref, lee)
  await auth.unshare(ref, lee)
  await auth.share(ref, lee, { verbs: ['revoke', 'revoke'] })
  await auth.admin.revokeAll(lee, { approver: 'ops' })
  const told = events.filter(({ type }) => type === 'shared' || type === 'unshared')
  const about = { owner: kim, credential: handle, to: lee, at: expect.any(Number) }
  expect(told).toEqual([
    { ...about, type: 'shared', service: origin, verbs: ['use'] },
    { ...about, type: 'unshared' },
    { ...about, type: 'shared', service: origin, verbs: ['revoke'] },
    { ...about, type: 'unshared' },
  ])
})

test('nobody else has it, nor passes on what is shared', async () => {
  const { auth, use, handle, leeSession, origin } = await shared()
  for (const one of [eve, { tenant: 'acme' }, { ...lee, agent: 'a' }, other]) {
    await expect(use(one)).rejects.toMatchObject({ code: 'not_found' })
  }
  const again = auth.share({ owner: lee, handle }, eve, { verbs: ['use'] })
  await expect(again).rejects.toMatchObject({ code: 'invalid_input' })
  // Whoever takes it back from themselves loses nothing of their own.
  const own = await leeSession.import({
    service: origin,
    audience: origin,
    secret: 'made-up-own-1',
  })
  await auth.unshare({ owner: kim, handle: own.handle }, lee)
  expect((await leeSession.list()).map((one) => one.handle)).toContain(own.handle)
})

test('a second grant takes the place of the first', async () => {
  const { auth, ref, leeSession, use } = await shared(['use'])
  await auth.share(ref, lee, { verbs: ['revoke', 'revoke'] })
  expect((await leeSession.list()).map((one) => one.shared?.verbs)).toEqual([['revoke']])
  expect(await use()).toMatchObject(notShared)
})

test('another tenant is given one only where that is said', async () => {
  const { auth, ref, use } = await shared()
  const share = (options: object) => auth.share(ref, other, { verbs: ['use'], ...options })
  for (const options of [{}, { acrossTenants: false }]) {
    await expect(share(options)).rejects.toMatchObject({ code: 'invalid_input' })
  }
  await expect(use(other)).rejects.toMatchObject({ code: 'not_found' })
  await share({ acrossTenants: true })
  expect(await use(other)).toMatchObject(answered)
})

test('what is given up is not shared any more', async () => {
  const { auth, ref, session, handle } = await shared()
  await session.forget(handle)
  const share = auth.share(ref, eve, { verbs: ['use'] })
  await expect(share).rejects.toMatchObject({ code: 'invalid_input' })
})

const wrong: [string, (ref: object) => readonly unknown[], string][] = [
  ['itself', (ref) => [ref, kim, { verbs: ['use'] }], 'invalid_input'],
  ['no verb', (ref) => [ref, eve, { verbs: [] }], 'invalid_input'],
  ['an unknown verb', (ref) => [ref, eve, { verbs: ['register'] }], 'invalid_input'],
  ['no options', (ref) => [ref, eve], 'invalid_input'],
  ['more options', (ref) => [ref, eve, { verbs: ['use'], until: 1 }], 'invalid_input'],
  ['no owner', (ref) => [ref, undefined, { verbs: ['use'] }], 'owner_invalid'],
  ['an empty owner', (ref) => [ref, { tenant: '' }, { verbs: ['use'] }], 'owner_invalid'],
  ['a handle alone', () => ['cred_made-up', eve, { verbs: ['use'] }], 'invalid_input'],
  ['no owner of it', () => [{ handle: 'cred_x' }, eve, { verbs: ['use'] }], 'invalid_input'],
  [
    'one that is not there',
    () => [{ owner: kim, handle: 'cred_x' }, eve, { verbs: ['use'] }],
    'not_found',
  ],
  [
    'one of somebody else',
    (ref) => [{ ...ref, owner: lee }, eve, { verbs: ['use'] }],
    'invalid_input',
  ],
  ['a path', () => [{ owner: kim, handle: '../x' }, eve, { verbs: ['use'] }], 'not_found'],
]

test.each(wrong)('%s is not shared', async (_, given, code) => {
  const { auth, ref } = await shared()
  const share = auth.share as (...given: readonly unknown[]) => Promise<unknown>
  const all = (async () => share.apply(auth, [...given(ref)]))()
  await expect(all).rejects.toMatchObject({ code })
  expect(await auth.as(eve).list()).toEqual([])
})
