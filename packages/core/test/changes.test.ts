import type { IncomingMessage } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { AuthEvent } from '../src/events.ts'
import type { Method } from '../src/methods/method.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { type Page, startSites } from './sites.ts'
import { closeWorlds, expectStatus, openWorld } from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const host = 'api.good.localhost'
const origin = `http://${host}:{port}`
const text = (page: string, path = 'v1') => `# auth.md

* **claim_uri (interactive):** http://portal.good.localhost:{port}/${page}
* **base_url:** ${origin}/${path}

Send the key as a Bearer token.

\`\`\`
GET ${origin}/${path}/me
Authorization: Bearer KEY
\`\`\`
`

/** A service whose auth.md can change, with what it says about caching. */
async function service(headers: Record<string, string> = {}, methods?: readonly Method[]) {
  let body = text('keys')
  let down = false
  let tag = 1
  const asked: IncomingMessage['headers'][] = []
  const document = (request: IncomingMessage): Page => {
    asked.push(request.headers)
    if (down) return { status: 503 }
    const etag = headers.etag && `"${tag}"`
    const given = request.headers['if-none-match'] ?? request.headers['if-modified-since']
    const same = given !== undefined && (etag ? given === etag : given === headers['last-modified'])
    const said = { ...headers, ...(etag ? { etag } : {}) }
    return same ? { status: 304, headers: said } : { type: 'text/markdown', headers: said, body }
  }
  const keysAt: string[] = []
  const me = (version: string) => (request: IncomingMessage) => {
    keysAt.push(`${version} ${request.headers.authorization}`)
    return { body: { me: 'kim' } }
  }
  const sites = await startSites({
    [`${host}/auth.md`]: document,
    [`${host}/v1/me`]: me('v1'),
    [`${host}/v2/me`]: me('v2'),
  })
  const events: AuthEvent[] = []
  const world = await openWorld({
    onEvent: (event) => events.push(event),
    ...(methods ? { methods } : {}),
  })
  const url = sites.url(host)
  const discover = async () => expectStatus(await world.session.discover({ service: url }), 'found')
  return {
    ...world,
    sites,
    url,
    keysAt,
    discover,
    /** What was asked for the document since the last look. */
    reads: () => asked.splice(0).map((one) => one['if-none-match'] ?? one['if-modified-since']),
    later: (ms: number) => world.sandbox.clock.advance(ms),
    change: (next: string) => {
      body = next
      tag++
    },
    fail: (yes: boolean) => {
      down = yes
    },
    changed: () => events.flatMap((one) => (one.type === 'changed' ? one : [])),
  }
}

describe('a profile is kept', () => {
  test('for ten minutes where its documents say nothing, then read anew', async () => {
    const { discover, reads, later } = await service()
    for (const wait of [0, 9 * minute]) {
      later(wait)
      await discover()
    }
    expect(reads()).toEqual([undefined])
    later(minute)
    await discover()
    expect(reads()).toEqual([undefined])
  })

  test('for as long as max-age says, less Age, between a minute and an hour', async () => {
    for (const [control, age, good] of [
      ['max-age=300', '0', 5 * minute],
      ['public, max-age=300', '60', 4 * minute],
      ['max-age=0', '0', minute],
      ['no-store', '0', minute],
      ['no-cache, max-age=300', '0', minute],
      ['max-age=31536000', '0', 60 * minute],
      ['max-age=soon', '0', 10 * minute],
    ] as const) {
      const { discover, reads, later } = await service({ 'cache-control': control, age })
      await discover()
      later(good - 20_000)
      await discover()
      expect(reads(), control).toHaveLength(1)
      later(20_000)
      await discover()
      expect(reads(), control).toHaveLength(1)
    }
  })

  test.each([
    ['an ETag', { etag: 'x' }, '"1"'],
    [
      'Last-Modified',
      { 'last-modified': 'Wed, 25 Nov 2026 10:00:00 GMT' },
      'Wed, 25 Nov 2026 10:00:00 GMT',
    ],
  ])(
    'with %s the service is asked whether it changed; 304 keeps the facts',
    async (_, headers, tag) => {
      const { discover, reads, later, sites, changed } = await service(headers)
      const before = await discover()
      reads()
      sites.seen.length = 0
      later(10 * minute)
      expect(await discover()).toEqual(before)
      expect(reads()).toEqual([tag])
      expect(sites.seen).toEqual([`GET ${host}/auth.md`])
      later(9 * minute)
      await discover()
      expect(reads()).toEqual([])
      expect(changed()).toEqual([])
    },
  )

  test('with an ETag a change is read at once when the time is over', async () => {
    const { discover, later, change } = await service({ etag: 'x' })
    await discover()
    change(text('new-keys'))
    later(10 * minute)
    expect(JSON.stringify((await discover()).warnings)).toContain('new-keys')
  })

  test('for a day at most, however often it was unchanged', async () => {
    const { discover, reads, later } = await service({ etag: 'x', 'cache-control': 'max-age=3600' })
    await discover()
    for (let hour = 1; hour <= 24; hour++) {
      later(60 * minute)
      await discover()
    }
    expect(reads()).toEqual([undefined, ...Array(23).fill('"1"'), undefined])
  })

  test('for its owner alone', async () => {
    const { discover, reads, auth, url } = await service({ etag: 'x' })
    await discover()
    await auth.as({ tenant: 'acme', user: 'lee' }).discover({ service: url })
    expect(reads()).toEqual([undefined, undefined])
  })

  test.each(['"a\u00e9"', '*', '"a", "b"', '', `"${'x'.repeat(5_000)}"`])(
    'but not asked about by %j, which is no ETag',
    async (etag) => {
      const sites = await startSites({
        [`${host}/auth.md`]: { type: 'text/markdown', headers: { etag }, body: text('keys') },
      })
      const profile = await sites.discover(host)
      expect(profile.documents).toHaveLength(1)
      expect(profile.tried.some((one) => 'etag' in one)).toBe(false)
    },
  )
})

describe('a document that changed between discovery and register', () => {
  test('is said in the next discovery, and told as an event, once', async () => {
    const { discover, later, change, changed, url, sites } = await service()
    await discover()
    change(text('other-keys'))
    later(10 * minute)
    const portal = sites.url('portal.good.localhost')
    const sentence = `claim_uri (interactive) changed from ${portal}/keys to ${portal}/other-keys`
    expect((await discover()).warnings[0]).toBe(`Since it was last read: ${sentence}.`)
    await discover()
    expect(changed()).toMatchObject([
      { type: 'changed', owner: { tenant: 'acme' }, service: `${url}/v1`, changes: [sentence] },
    ])
  })

  test('within its freshness the register uses what was discovered', async () => {
    const { discover, change, session, url, sites } = await service()
    await discover()
    change(text('other-keys'))
    const asked = expectStatus(await session.register({ service: url }), 'needs_person')
    expect(asked.need.url).toBe(sites.url('portal.good.localhost/keys'))
  })
})

describe('a registration that runs', () => {
  test('stays with the endpoints it began with, and every outcome says what changed', async () => {
    const { session, auth, change, later, url, sites, keysAt, changed } = await service()
    const begun = expectStatus(await session.register({ service: url }), 'needs_person')
    expect(begun.changes).toBeUndefined()
    change(text('other-keys', 'v2'))
    later(10 * minute)
    const registration = begun.registration ?? ''
    const waits = [
      await session.claim({ registration }),
      await session.register({ service: url, registration }),
    ].map((outcome) => expectStatus(outcome, 'needs_person'))
    for (const outcome of waits) {
      expect(outcome.need.url).toBe(sites.url('portal.good.localhost/keys'))
      expect(outcome.changes).toEqual([
        `page changed from ${sites.url('portal.good.localhost/keys')} to ${sites.url('portal.good.localhost/other-keys')}`,
        `bases changed from ${sites.url(`${host}/v1`)} to ${sites.url(`${host}/v2`)}`,
        `revocation changed from ${sites.url('portal.good.localhost/keys')} to ${sites.url('portal.good.localhost/other-keys')}`,
        `probe changed from ${sites.url(`${host}/v1/me`)} to ${sites.url(`${host}/v2/me`)}`,
      ])
      expect(renderOutcome(outcome)).toContain('note: the service has changed')
    }
    expect(changed()).toHaveLength(1)
    const secret = 'made-up-key-0123456789'
    const ready = await auth.people.answer(registration, { secret }, { approver: 'kim' })
    expect(ready).toMatchObject({ credential: { audience: [sites.url(`${host}/v1`)] } })
    expect(keysAt).toEqual([`v1 Bearer ${secret}`])
  })

  test('is told of another token endpoint, and of an offer that is gone', async () => {
    let endpoint: string | undefined = 'token'
    const sites = await startSites({
      [`${host}/.well-known/oauth-authorization-server`]: () =>
        endpoint === undefined
          ? { status: 404 }
          : { body: { issuer: origin, token_endpoint: `${origin}/${endpoint}` } },
      [`${host}/`]: { status: 200 },
    })
    const own: Method = {
      id: 'own',
      offers: ({ service, serverMetadata }) =>
        serverMetadata.map(({ raw }) => ({
          method: 'own',
          service,
          summary: 'Mine.',
          needs: ['person'],
          plan: { token: String(raw.token_endpoint) },
          sources: [],
        })),
      begin: (_, { plan }) => {
        const need = { kind: 'open-link', text: JSON.stringify(plan) } as const
        return { state: plan, next: { wait: { for: 'person', need } } }
      },
      next: (_, state) => {
        const need = { kind: 'open-link', text: JSON.stringify(state) } as const
        return { state, next: { wait: { for: 'person', need } } }
      },
    }
    const { session, sandbox } = await openWorld({ methods: [own] })
    const service = sites.url(host)
    const begun = expectStatus(await session.register({ service }), 'needs_person')
    const look = async () => {
      sandbox.clock.advance(10 * minute)
      const outcome = await session.claim({ registration: begun.registration ?? '' })
      expect(expectStatus(outcome, 'needs_person').need).toEqual(begun.need)
      return outcome.changes
    }
    expect(await look()).toBeUndefined()
    endpoint = 'evil'
    expect(await look()).toEqual([
      `token changed from ${sites.url(`${host}/token`)} to ${sites.url(`${host}/evil`)}`,
    ])
    endpoint = undefined
    expect(await look()).toEqual(['own is not offered any more'])
  })

  test('goes on where the service cannot be looked at, which is not tried over and over', async () => {
    const { session, later, url, fail, reads } = await service()
    const { registration = '' } = await session.register({ service: url })
    fail(true)
    later(10 * minute)
    reads()
    for (let times = 0; times < 3; times++) {
      expectStatus(await session.claim({ registration }), 'needs_person')
    }
    expect(reads()).toHaveLength(1)
  })
})
