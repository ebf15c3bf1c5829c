import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { serveIntake } from '../src/node/intake-server.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'
import { ask, makeKey, openIntake, visit, waitingForKey } from './intake-world.ts'
import { closeWorlds, expectStatus, openWorld, owner } from './world.ts'

afterEach(closeWorlds)

async function linked(...options: Parameters<typeof openIntake>) {
  const world = await openIntake(...options)
  const { url: link, expires } = await world.intake.link(world.registration)
  return { ...world, link, expires }
}

test('the page says who asks, for which service, where the key goes and until when', async () => {
  const { link, expires, sandbox } = await linked()
  const { page, at } = await visit(link)
  const { api, portal } = sandbox.urls
  expect(page.status).toBe(200)
  for (const shown of [
    `An API key for ${new URL(api).host}`,
    'the agent of Acme Operations (acme, user kim)',
    `The key will be sent only to <code>${api}/v2</code>, nowhere else.`,
    `<a href="${portal}/#/app/api-keys"`,
    `<time datetime="${new Date(expires).toISOString()}">`,
  ]) {
    expect(page.text).toContain(shown)
  }
  expect(page.text.indexOf('sent only to')).toBeLessThan(page.text.indexOf('<label'))
  expect(page.text).not.toContain('<script')
  expect(at).not.toContain(new URL(link).pathname.split('/').at(-1))
})

test('what others named is text on the page, and what hides in it is shown', async () => {
  const world = await openWorld()
  const tenant = `<img src=x onerror=alert(1)>"'&`
  const session = world.auth.as({ tenant, user: 'a\u202eb\u200bc' })
  const registration = await waitingForKey(session, world.sandbox.urls.api)
  const intake = await serveIntake(world.auth, { name: '</dd><script>' })
  const { page } = await visit((await intake.link(registration)).url)
  await intake.close()
  expect(page.text).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;')
  expect(page.text).toContain('&lt;/dd&gt;&lt;script&gt;')
  expect(page.text).toContain('user a\\u{202e}b\\u{200b}c')
  expect(page.text).not.toMatch(/<img|<script|[\u202e\u200b]/)
})

test('a link holds 256 bits, and the store holds none of them', async () => {
  const store = memoryStore()
  const world = await linked({ store })
  const secret = new URL(world.link).pathname.split('/').at(-1) ?? ''
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  const { url: other } = await world.intake.link(world.registration)
  expect(other).not.toContain(secret)
  expect(await dump(store)).not.toContain(secret)
})

test('every answer is kept out of caches, frames and other sites', async () => {
  const { link, intake } = await linked()
  const { page, submit, at } = await visit(link)
  const answers = [
    page,
    await ask(link),
    await ask(at),
    await ask(`${at}/hand-over`),
    await ask(`${intake.url}/`),
    await submit('nonsense'),
    await submit('nonsense', { headers: { origin: 'https://evil.test' } }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 303, 403, 405, 404, 422, 403])
  for (const { headers, text } of answers) {
    const nonce = /<style nonce="([^"]+)"/.exec(text)?.[1]
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    )
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
  }
  expect((await ask(link)).headers.get('set-cookie')).toMatch(
    /^authmd_intake=[\w-]{43}; Path=\/ntk_[\w-]{22}; Max-Age=1[78]\d\d; HttpOnly; SameSite=Lax$/,
  )
  expect(new Set(answers.map(({ headers }) => headers.get('content-security-policy'))).size).toBe(7)
})

test('behind https the cookie is Secure', async () => {
  const { auth, registration } = await openIntake()
  const intake = auth.people.intake({ baseUrl: 'https://agents.operator.example/hand-over/' })
  const { url } = await intake.link(registration)
  expect(url).toMatch(/^https:\/\/agents\.operator\.example\/hand-over\/ntk_/)
  const entered = await intake.handle(new Request(url))
  expect(entered.headers.get('set-cookie')).toMatch(/; Path=\/hand-over\/ntk_.*; Secure$/)
  expect(entered.headers.get('location')).toMatch(/^\/hand-over\/ntk_[\w-]{22}$/)
})

test('where a framework has written another name of this machine into the URL, the header counts', async () => {
  const { auth, registration } = await openIntake()
  const intake = auth.people.intake({ baseUrl: 'http://127.0.0.1:3000/intake' })
  const { url } = await intake.link(registration)
  const asked = (host: string, to: string) =>
    intake.handle(new Request(url.replace('127.0.0.1:3000', to), { headers: { host } }))
  expect((await asked('evil.test:3000', '127.0.0.1:3000')).status).toBe(421)
  expect((await asked('localhost:3000', '127.0.0.1:3000')).status).toBe(421)
  expect((await asked('127.0.0.1:3000', 'localhost:3000')).status).toBe(303)
})

describe('refused, and nothing taken', () => {
  test.each([
    ['another Host', { host: 'evil.test' }, 421],
    ['the right port of another host', { host: 'localhost:{port}' }, 421],
    ['another Origin', { origin: 'https://evil.test' }, 403],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['an opaque Origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }, 403],
    ['no cookie', { cookie: '' }, 403],
    ['a cookie of another link', { cookie: `authmd_intake=${'A'.repeat(43)}` }, 404],
    ['another type of body', { 'content-type': 'text/plain' }, 415],
    ['JSON', { 'content-type': 'application/json' }, 415],
  ] as [string, Record<string, string>, number][])('%s', async (_, headers, status) => {
    const world = await linked()
    const key = await makeKey(world)
    const { submit } = await visit(world.link)
    const port = new URL(world.intake.url).port
    const filled = Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('{port}', port),
    ])
    const answer = await submit(key, { headers: Object.fromEntries(filled) })
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain(key)
    expect(await world.session.list()).toEqual([])
    expect((await submit(key)).status).toBe(200)
  })

  test('an opaque Origin of a browser that does not say which site it is', async () => {
    const world = await linked()
    const { at, cookie, token } = await visit(world.link)
    const answer = await ask(`${at}/hand-over`, {
      method: 'POST',
      headers: { cookie, origin: 'null', 'content-type': 'application/x-www-form-urlencoded' },
      body: `form=${token}&given=x`,
    })
    expect(answer.status).toBe(403)
  })

  test('a form without the token of the page', async () => {
    const world = await linked()
    const key = await makeKey(world)
    const { submit, token } = await visit(world.link)
    const { url } = await world.intake.link(world.registration)
    const other = await visit(url)
    for (const form of ['', 'x', other.token, `${token}x`]) {
      expect((await submit(key, { fields: { form } })).status).toBe(403)
    }
    expect(await world.session.list()).toEqual([])
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'HEAD'])(
    '%s of the form',
    async (method) => {
      const world = await linked()
      const { at, cookie } = await visit(world.link)
      const answer = await ask(`${at}/hand-over`, { method, headers: { cookie } })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    },
  )

  test.each(['PUT', 'DELETE', 'POST'])('%s of the page and of the link', async (method) => {
    const world = await linked()
    const { at, cookie } = await visit(world.link)
    for (const url of [at, world.link]) {
      const answer = await ask(url, { method, headers: { cookie } })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
  })

  test('a megabyte, which the page answers', async () => {
    const world = await linked()
    const { submit, cookie } = await visit(world.link)
    const answer = await submit('x'.repeat(1024 * 1024))
    expect(answer.status).toBe(413)
    expect(answer.text).toContain('far too long')
    expect(cookie).not.toBe('')
    expect((await submit(await makeKey(world))).status).toBe(200)
  })

  test('a request line with another host in it, and none at all', async () => {
    const { intake, link } = await linked()
    const { pathname } = new URL(link)
    const port = Number(new URL(intake.url).port)
    expect(
      await raw(port, `GET http://evil.test${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${port}`),
    ).toBe(400)
    expect(await raw(port, `GET ${pathname} HTTP/1.1`)).toBe(400)
    expect(await raw(port, `GET ${pathname} HTTP/1.1\r\nHost: evil.test@127.0.0.1:${port}`)).toBe(
      400,
    )
    expect(await raw(port, `GET ${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${port}`)).toBe(303)
  })

  test('the server listens on 127.0.0.1 alone', async () => {
    const { intake } = await linked()
    const port = Number(new URL(intake.url).port)
    const refused = new Promise((resolve) => {
      connect(port, '127.0.0.2')
        .on('error', resolve)
        .on('connect', () => resolve('connected'))
    })
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('a link dies', () => {
  test('after success: page, form and link are gone', async () => {
    const world = await linked()
    const key = await makeKey(world)
    const { submit, at, cookie } = await visit(world.link)
    const done = await submit(key)
    expect([done.status, done.headers.get('set-cookie')]).toEqual([
      200,
      expect.stringContaining('Max-Age=0'),
    ])
    expect(done.text).toContain('Thank you')
    const gone = [await submit(key), await ask(world.link), await ask(at, { headers: { cookie } })]
    expect(gone.map(({ status }) => status)).toEqual([410, 410, 410])
    expect(await world.session.list()).toHaveLength(1)
  })

  test('and with it every other link to the same', async () => {
    const world = await linked()
    const { url } = await world.intake.link(world.registration)
    const other = await visit(url)
    const { submit } = await visit(world.link)
    await submit(await makeKey(world))
    expect((await other.submit(await makeKey(world))).status).toBe(410)
    expect(await world.session.list()).toHaveLength(1)
  })

  test('when it expires', async () => {
    const world = await linked()
    const key = await makeKey(world)
    const { submit } = await visit(world.link)
    world.sandbox.clock.advance(30 * 60_000)
    expect((await submit(key)).status).toBe(410)
    expect((await ask(world.link)).status).toBe(410)
    expect(await world.session.list()).toEqual([])
  })

  test('after ten wrong answers, the last of which are counted down', async () => {
    const world = await linked()
    const { submit } = await visit(world.link)
    const said = []
    for (let tries = 0; tries < 10; tries++) said.push(await submit('kim@operator.test'))
    expect(said.map(({ status }) => status)).toEqual([...Array(9).fill(422), 410])
    expect(said[7]?.text).toContain('(2 tries left)')
    expect((await submit(await makeKey(world))).status).toBe(410)
    expect((await ask(world.link)).status).toBe(410)
    expect(await world.session.list()).toEqual([])
  })

  test('after ten guesses, of a thousand at once', async () => {
    const world = await linked()
    const { at, submit } = await visit(world.link)
    const guesses = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        ask(`${at}/${Buffer.from(`guess ${n}`.padEnd(32)).toString('base64url')}`),
      ),
    )
    expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([404]))
    expect((await submit(await makeKey(world))).status).toBe(410)
  })

  test('when the registration is cancelled', async () => {
    const world = await linked()
    const { submit } = await visit(world.link)
    await world.session.cancel(world.registration)
    expect((await submit(await makeKey(world))).status).toBe(410)
    await expect(world.intake.link(world.registration)).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  test('but not by being opened ahead, as chats do with links', async () => {
    const world = await linked()
    const ahead = await ask(world.link, { method: 'HEAD' })
    expect([ahead.status, ahead.text]).toEqual([303, ''])
    for (let times = 0; times < 20; times++) expect((await ask(world.link)).status).toBe(303)
    const { at, submit } = await visit(world.link)
    for (let times = 0; times < 20; times++) expect((await ask(at)).status).toBe(403)
    expect((await submit(await makeKey(world))).status).toBe(200)
  })
})

test('a link made by one process is good at another, which counts the same misses', async () => {
  const store = memoryStore()
  const one = await openWorld({ store })
  const { registration = '' } = expectStatus(
    await one.session.register({ service: one.sandbox.urls.api, method: 'manual' }),
    'needs_person',
  )
  const baseUrl = 'https://agents.operator.example'
  const two = await openWorld({ store, clock: () => one.sandbox.clock.now() })
  const intakes = [one, two].map(({ auth }) => auth.people.intake({ baseUrl }))
  const { url } = (await intakes[0]?.link(registration)) ?? { url: '' }
  const guess = `${url.slice(0, -43)}${'A'.repeat(43)}`
  for (let tries = 0; tries < 9; tries++) await intakes[tries % 2]?.handle(new Request(guess))
  expect((await intakes[1]?.handle(new Request(url)))?.status).toBe(303)
  await intakes[0]?.handle(new Request(guess))
  expect((await intakes[1]?.handle(new Request(url)))?.status).toBe(410)
})

test('links lie with their owner, and go with them; those long over are swept away', async () => {
  const store = memoryStore()
  const world = await linked({ store })
  const links = async () =>
    (await store.list({ kind: 'meta' })).records.filter(({ id }) => id.startsWith('ntk_'))
  expect(new Set((await links()).map((one) => one.owner)).size).toBe(2)
  world.sandbox.clock.advance(26 * 3_600_000)
  await world.intake.link(world.registration)
  expect(await links()).toHaveLength(2)
  await world.auth.admin.erase(owner)
  expect((await links()).map((one) => one.owner)).toEqual(['index'])
})

test.each(['reg_unknown', 'cns_unknown_0', '', '../x'])('there is no link to %j', async (id) => {
  const { intake } = await linked()
  await expect(intake.link(id)).rejects.toMatchObject({ code: 'not_found' })
})

test.each([
  'http://agents.operator.example',
  'https://agents.operator.example/?x=1',
  'https://a:b@agents.operator.example/',
  'ftp://127.0.0.1/',
  'nonsense',
])('%s is no place for the page', async (baseUrl) => {
  const { auth } = await openWorld()
  expect(() => auth.people.intake({ baseUrl })).toThrow(
    expect.objectContaining({ code: 'invalid_input' }),
  )
})

test('a store that is broken is no page, and nothing of it is told', async () => {
  const world = await linked()
  const intake = await serveIntake({
    people: {
      intake: () => ({
        handle: () => Promise.reject(new Error('at 10.0.0.1')),
        link: async () => ({ url: '', expires: 0 }),
      }),
    } as unknown as typeof world.auth.people,
  })
  const answer = await ask(intake.url)
  await intake.close()
  expect([answer.status, answer.text]).toEqual([
    500,
    'Something is broken here. Load the page again in a moment.\n',
  ])
})

async function dump(store: Store): Promise<string> {
  const kinds = ['registration', 'credential', 'consent', 'profile', 'meta'] as const
  const pages = await Promise.all(kinds.map((kind) => store.list({ kind })))
  return JSON.stringify(pages)
}

/** The status of an answer to these very lines. */
function raw(port: number, head: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\n\r\n`))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]))
    })
    socket.once('error', reject)
  })
}
