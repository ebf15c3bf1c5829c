import { afterEach, describe, expect, it } from 'vitest'
import { AuthError } from '../src/errors.ts'
import type { Method } from '../src/methods/method.ts'
import { memoryStore } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import { hiddenText, redactionText } from '../src/use/redactor.ts'
import { Secret } from '../src/vault/secret.ts'
import type { Store } from '../src/vault/store.ts'
import { encodings } from './encodings.ts'
import { agreed, canary, hold } from './held.ts'
import { serve } from './loopback-servers.ts'
import { closeWorlds, openWorld } from './world.ts'

afterEach(closeWorlds)

const other = 'made-up-other-key/0001'

/** What was answered, or a failure that says what came instead. */
function answerOf(outcome: Outcome) {
  if (outcome.status !== 'answered') throw new Error(`expected an answer, got ${outcome.status}`)
  return outcome.answer
}

describe('an echo of a secret that was not the one of the call', () => {
  /** Two credentials of one owner; the service echoes the second, whichever is sent. */
  async function two(body: () => string = () => `{"note":"${other}"}`) {
    const held = await hold((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', etag: `"${other}"` })
      response.end(body())
    })
    const second = await held.session.import({
      service: 'https://other.example',
      audience: 'https://other.example',
      secret: other,
      probe: 'https://other.example/me',
      revocation: 'https://other.example/keys',
    })
    return { ...held, second: second.handle, origin: held.service.origin }
  }

  it.each(encodings)('of another credential of the owner is taken out: %s', async (_, encode) => {
    const { session, origin } = await two(() => `"x ${encode(other)} y"`)
    const { body } = answerOf(await session.use({ service: origin, path: '/' }))
    expect(body.replaceAll(/=|%3D/g, '')).toBe(`"x ${redactionText} y"`)
    const read = await (await session.fetch(origin)(origin)).text()
    expect(read).toBe(body)
  })

  it('of a credential that is being revoked is taken out until its secret is deleted', async () => {
    const { auth, session, second, origin } = await two()
    const revoked = await agreed(auth, () => session.revoke({ credential: second }))
    expect(revoked.status).toBe('needs_person')
    expect((await session.list()).find(({ handle }) => handle === second)?.state).toBe('revoking')
    const answer = answerOf(await session.use({ service: origin, path: '/' }))
    expect(answer).toMatchObject({
      body: `{"note":"${redactionText}"}`,
      headers: { etag: `"${redactionText}"` },
      redacted: 2,
    })
  })

  it('of a registration that is under way is taken out, of its own outcomes as well', async () => {
    const claim = 'made-up-claim-token-1'
    const own: Method = {
      id: 'own',
      offers: ({ service }) => [
        { method: 'own', service, summary: 'Mine.', needs: ['person'], plan: {}, sources: [] },
      ],
      begin: () => ({
        state: {},
        secrets: { claim: new Secret(claim) },
        next: {
          wait: {
            for: 'person',
            need: { kind: 'open-link', text: 'Sign in.' },
            until: Number.MAX_SAFE_INTEGER,
            notice: `The service says: ${Buffer.from(claim).toString('hex')} is not claimed yet`,
          },
        },
      }),
      next: () => ({ state: {}, next: { failed: { code: 'service_refused', reason: 'No.' } } }),
    }
    const { session } = await openWorld({ methods: [own] })
    const service = await serve((_request, response) => void response.end(`claim ${claim}`))
    const { origin } = service
    const began = await session.register({ service: origin, method: 'own' })
    expect(began).toMatchObject({
      status: 'needs_person',
      notice: `The service says: ${redactionText} is not claimed yet`,
    })
    await session.import({ service: origin, audience: origin, secret: canary })
    const answer = answerOf(await session.use({ service: origin, path: '/' }))
    expect(answer.body).toBe(`claim ${redactionText}`)
    const read = await (await session.fetch(origin)(origin)).text()
    expect(read).toBe(`claim ${redactionText}`)
  })

  it('is taken out of every field of a stream of events, of headers and of locations', async () => {
    const { session, service } = await hold((request, response) => {
      if (request.url === '/') {
        response.writeHead(302, { location: `/at?key=${encodeURIComponent(canary)}` }).end()
        return
      }
      response.writeHead(200, `OK`, {
        'content-type': 'text/event-stream',
        'x-any': Buffer.from(canary).toString('base64'),
        link: `</n?k=${encodeURIComponent(canary)}>; rel=next`,
      })
      for (const half of [canary.slice(0, 5), canary.slice(5)]) response.write(half)
      response.end(`\nid: ${canary}\ndata: {"k":"${canary}"}\n\n`)
    })
    const response = await session.fetch(service.origin)(`${service.origin}/at`)
    const read = await response.text()
    expect(read).toBe(`${redactionText}\nid: ${redactionText}\ndata: {"k":"${redactionText}"}\n\n`)
    expect(response.headers.get('x-any')).toMatch(/^\[secret held by the vault\]=*$/)
    expect(response.headers.get('link')).toBe(`</n?k=${redactionText}>; rel=next`)
    const moved = await session.use({ service: service.origin, path: '/' })
    expect(JSON.stringify(moved)).not.toContain('7f3a9c0d')
    const manual = { redirect: 'manual' } as const
    const left = await session.fetch(service.origin)(service.origin, manual)
    expect(left.headers.get('location')).toBe(`/at?key=${redactionText}`)
  })
})

/** A service that makes a key when it is asked to, and accepts it until it is deleted there. */
async function maker(store: Store = memoryStore()) {
  const secret = 'made-up-new-key-0001'
  let deleted = false
  const { auth, session, handle, service } = await hold(
    ({ headers, url }, response) => {
      if (deleted && headers.authorization === `Bearer ${secret}`) response.statusCode = 401
      response.end(url === '/me' ? '{}' : JSON.stringify({ data: { id: 'k-1', api_key: secret } }))
    },
    {},
    { store },
  )
  const { origin } = service
  await session.forget(handle)
  const parent = await session.import({
    service: origin,
    audience: origin,
    secret: canary,
    probe: `${origin}/me`,
    revocation: 'https://portal.svc.example/keys',
  })
  const call = { service: origin, method: 'POST', path: '/keys', json: {} }
  const make = () => agreed(auth, () => session.use(call))
  const remove = () => {
    deleted = true
  }
  return { auth, session, handle: parent.handle, service, origin, secret, call, make, remove }
}

describe('a new secret in an answer', () => {
  it('is a credential of the same audience at most, named after its parent, used and revoked by its handle', async () => {
    const { session, handle, make, remove, origin, secret, service, auth } = await maker()
    const [made = ''] = answerOf(await make()).captured
    const [view] = (await session.list()).filter((one) => one.handle === made)
    const [parent] = (await session.list()).filter((one) => one.handle === handle)
    expect(view).toMatchObject({ parent: handle, method: 'captured', kind: 'api_key' })
    expect(view?.audience).toEqual(parent?.audience)
    expect(await session.use({ credential: made, path: '/' })).toMatchObject({ status: 'answered' })
    expect(service.seen.at(-1)?.headers.authorization).toBe(`Bearer ${secret}`)
    const elsewhere = session.use({ credential: made, path: 'https://elsewhere.example/' })
    expect(await elsewhere).toMatchObject({ status: 'refused' })
    const revoke = () => session.revoke({ credential: made })
    expect(await agreed(auth, revoke)).toMatchObject({
      status: 'needs_person',
      need: { url: 'https://portal.svc.example/keys' },
    })
    expect(await session.use({ credential: made, path: '/' })).toMatchObject({
      code: 'credential_revoked',
    })
    remove()
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(await session.use({ credential: handle, path: '/' })).toMatchObject({
      status: 'answered',
    })
    expect(await session.use({ service: origin, path: '/' })).toMatchObject({ credential: handle })
  })

  it('makes one record, however often and in however many answers at once it comes', async () => {
    const { session, make, origin } = await maker()
    expect(answerOf(await make()).captured).toHaveLength(1)
    const read = () => session.use({ service: origin, path: '/keys' })
    expect(answerOf(await read())).toMatchObject({ captured: [], redacted: 1 })
    expect(await session.list()).toHaveLength(3)

    const fresh = await maker()
    const all = await Promise.all(
      Array.from({ length: 8 }, () => fresh.session.use({ service: fresh.origin, path: '/keys' })),
    )
    const handles = all.flatMap((one) => answerOf(one).captured)
    expect(handles.length).toBeGreaterThan(1)
    expect(new Set(handles).size).toBe(1)
    expect(await fresh.session.list()).toHaveLength(3)
  })

  it('that was given up and comes again is held anew, and the record of its end stays', async () => {
    const { session, make, origin } = await maker()
    const [made = ''] = answerOf(await make()).captured
    await session.forget(made)
    const [again = ''] = answerOf(await session.use({ service: origin, path: '/keys' })).captured
    expect(again).not.toBe(made)
    const states = (await session.list()).map(({ handle, state }) => [handle, state])
    expect(Object.fromEntries(states)).toMatchObject({ [made]: 'forgotten', [again]: 'active' })
  })

  it('says nothing of its value in its handle, even to who tries values', async () => {
    const one = await maker()
    const two = await maker()
    const [first] = answerOf(await one.make()).captured
    const [second] = answerOf(await two.make()).captured
    expect(first).toMatch(/^cred_[\w-]{22}$/)
    // The same secret under the same parent's: the same handle; under another parent's not.
    expect(first).toBe(second)
    const third = await maker()
    const other = await third.session.import({
      service: third.origin,
      audience: third.origin,
      secret: 'made-up-other-parent',
    })
    const used = await third.session.use({ credential: other.handle, path: '/keys' })
    expect(answerOf(used).captured[0]).not.toBe(first)
  })

  it('is stored before anything else is written', async () => {
    const store = memoryStore()
    const writes: string[] = []
    const watched: Store = {
      ...store,
      put: (record, expected) => {
        writes.push(`${record.kind} ${expected}`)
        return store.put(record, expected)
      },
    }
    const { make } = await maker(watched)
    const before = writes.length
    expect(answerOf(await make()).captured).toHaveLength(1)
    const after = writes.slice(before)
    const redeemed = after.lastIndexOf('credential 0')
    // The consent was asked for, given and used up; then the secret comes, then all the rest.
    expect(after.slice(0, redeemed).every((one) => !one.startsWith('credential'))).toBe(true)
    expect(after.slice(redeemed + 1)).toEqual(['credential 1', expect.stringMatching(/^consent/)])
  })

  it('that cannot be stored leaves the outcome uncertain, with what lies at the service', async () => {
    const store = memoryStore()
    let broken = false
    const failing: Store = {
      ...store,
      put: (record, expected) => {
        broken ||=
          record.kind === 'credential' && expected === 0 && record.value.includes('new-key')
        if (broken) throw new AuthError('key_unavailable', 'the key is gone')
        return store.put(record, expected)
      },
    }
    const { make, secret, session, call, service } = await maker(failing)
    const outcome = await make()
    expect(outcome).toMatchObject({
      status: 'uncertain',
      request: expect.stringMatching(/^POST http.*\/keys$/),
      orphans: [
        {
          what: expect.stringContaining('api_key'),
          url: 'https://portal.svc.example/keys',
          at: expect.any(Number),
        },
      ],
    })
    expect(JSON.stringify(outcome)).not.toContain(secret)
    broken = false
    const asked = service.seen.length
    // Nothing is sent a second time under that consent.
    expect(await session.use(call)).toMatchObject({ status: 'uncertain' })
    expect(service.seen).toHaveLength(asked)
  })

  it('that is stored is not called lost over what is written after it', async () => {
    const store = memoryStore()
    let broken = false
    const failing: Store = {
      ...store,
      get: async (ref) => {
        if (broken && ref.id === 'services') throw new AuthError('store_failed', 'no')
        return store.get(ref)
      },
    }
    const { make, session } = await maker(failing)
    broken = true
    const { captured } = answerOf(await make())
    expect((await session.list()).map(({ handle }) => handle)).toEqual(
      expect.arrayContaining([...captured]),
    )
    expect(captured).toHaveLength(1)
  })

  it('is not made of what only looks random, nor of what a refusal quotes', async () => {
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
    let status = 200
    const { session, service } = await hold((_request, response) => {
      response.writeHead(status)
      response.end(
        status === 200
          ? JSON.stringify({ id: random, note: random, cursor: `sk-${random.slice(0, 12)}` })
          : JSON.stringify({ errors: [{ detail: `Bad: ${random}` }], api_key: random }),
      )
    })
    const call = { service: service.origin, path: '/' }
    expect(answerOf(await session.use(call))).toMatchObject({ redacted: 0, captured: [] })
    status = 400
    const refused = JSON.stringify(await session.use(call))
    expect(refused).not.toContain(random)
    expect(refused).toContain(`Bad: ${hiddenText}`)
    expect(await session.list()).toHaveLength(1)
  })

  it('that the end of an answer cuts off is not said to be held', async () => {
    const { session, service } = await hold((_request, response) => {
      response.end('{"id":1,"api_key":"made-up-key-1-cut')
    })
    const answer = answerOf(await session.use({ service: service.origin, path: '/' }))
    expect(answer).toMatchObject({ body: `{"id":1,"api_key":"${hiddenText}`, captured: [] })
  })

  it('is said to be held only where it is, of many in one answer', async () => {
    const { session, service } = await hold((_request, response) => {
      const data = Array.from({ length: 30 }, (_, n) => ({ api_key: `made-up-key-number-${n}` }))
      response.end(`${JSON.stringify(data).slice(0, -5)}`)
    })
    const answer = answerOf(await session.use({ service: service.origin, path: '/' }))
    const count = (text: string) => answer.body.split(text).length - 1
    expect(count(redactionText)).toBe(answer.captured.length)
    expect(count(hiddenText)).toBe(30 - answer.captured.length)
    expect(answer.redacted).toBe(30)
  })
})
