import { afterEach, describe, expect, test } from 'vitest'
import { type Page, startSites } from './sites.ts'
import { closeWorlds, expectStatus, openWorld } from './world.ts'

afterEach(closeWorlds)

const host = 'api.good.localhost'
const text = `# auth.md

* **claim_uri (interactive):** http://portal.good.localhost:{port}/keys
* **base_url:** http://${host}:{port}/v1

Send the key as a Bearer token.
`

/** A service whose document is served as told. */
async function service() {
  let page: Page = text
  const sites = await startSites({ [`${host}/auth.md`]: () => page })
  const world = await openWorld({ limits: { timeoutMs: 1_500 } })
  const url = sites.url(host)
  return {
    later: (ms: number) => world.sandbox.clock.advance(ms),
    serve: (next: Page) => {
      page = next
    },
    asked: () => sites.seen.splice(0).filter((one) => one.endsWith('/auth.md')).length > 0,
    register: () => world.session.register({ service: url }),
    discover: () => world.session.discover({ service: url }),
    now: () => world.sandbox.clock.now(),
  }
}

describe.each<[string, Page]>([
  ['is not answered in time', { never: true }],
  ['is answered with 429', { status: 429 }],
  ['is answered with 503', { status: 503 }],
])('a document that %s', (_, page) => {
  test('is no proof that there is no way in: it is asked for again', async () => {
    const { serve, register, later, now, asked } = await service()
    serve(page)
    const before = now()
    const refused = expectStatus(await register(), 'refused')
    const { notBefore = 0 } = refused
    expect(refused.code).toBe('service_unreachable')
    expect(notBefore - before).toBeGreaterThanOrEqual(10_000)
    expect(notBefore).toBeLessThanOrEqual(now() + 10_000)
    expect(refused.next).toMatch(/^the same call again, not before /)
    serve(text)
    asked()
    // Whoever comes too early gets the same, and nobody is asked.
    expect(await register()).toEqual(refused)
    expect(asked()).toBe(false)
    later(10_000)
    expect(await register()).toMatchObject({ status: 'needs_person' })
  })

  test('is said in discover', async () => {
    const { serve, discover, later } = await service()
    serve(page)
    const found = expectStatus(await discover(), 'found')
    expect(found.next).toContain('the same call again, later')
    expect(found.warnings.join()).toContain('/auth.md')
    expect(found.warnings.join()).toContain('worth asking again later')
    serve(text)
    later(10_000)
    expect(expectStatus(await discover(), 'found').offers).toMatchObject([{ method: 'manual' }])
  })
})

test('a service that answers and has nothing has nothing', async () => {
  const { serve, register } = await service()
  serve({ status: 404 })
  expect(await register()).toMatchObject({ status: 'refused', code: 'no_offer' })
})

test('where something else was found, what did not answer is asked for again in a minute', async () => {
  const sites = await startSites({
    [`${host}/auth.md`]: ({ headers }) =>
      headers['if-none-match'] === '"1"'
        ? { status: 304 }
        : { type: 'text/markdown', headers: { etag: '"1"' }, body: text },
    [`${host}/.well-known/oauth-authorization-server`]: { status: 503 },
  })
  const { session, sandbox } = await openWorld()
  const asked = async () => {
    sites.seen.length = 0
    await session.discover({ service: sites.url(host) })
    return sites.seen.filter((one) => one.endsWith('oauth-authorization-server')).length
  }
  expect(await asked()).toBe(1)
  sandbox.clock.advance(50_000)
  expect(await asked()).toBe(0)
  sandbox.clock.advance(10_000)
  expect(await asked()).toBe(1)
})
