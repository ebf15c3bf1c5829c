import { request } from 'node:http'
import { canary } from '@authmd/canary'
import { AuthError, createAgentAuth, memoryStore } from '@authmd/core'
import { describe, expect, test } from 'vitest'
import { type ConsoleOptions, type ConsolePerson, createConsole } from '../src/index.ts'
import {
  expectStatus,
  importKey,
  kim,
  lee,
  makeKey,
  openWorld,
  type World,
  wantsKey,
  wantsToSignUp,
} from './world.ts'

const minute = 60_000
const hour = 60 * minute
const [owner] = kim.owners as [(typeof kim.owners)[0]]

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request with exactly these headers, as no browser would send it. */
function ask(url: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      canary.see('page of the console', text)
      const got = new Headers()
      for (let at = 0; at < answer.rawHeaders.length; at += 2) {
        got.append(answer.rawHeaders[at] ?? '', answer.rawHeaders[at + 1] ?? '')
      }
      resolve({ status: answer.statusCode ?? 0, headers: got, text })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const cookiesOf = ({ headers }: Answer) => headers.getSetCookie().map((one) => one.split(';')[0])
const tokenFor = ({ text }: Answer, action: string) =>
  new RegExp(`action="${action}"[^>]*>\\s*<input type="hidden" name="form" value="([^"]+)"`).exec(
    text,
  )?.[1] ?? ''

/** A browser as far as the console needs one. */
async function signIn({ console: server }: World, person: ConsolePerson = kim) {
  const { url } = await server.link(person)
  const opened = await ask(url)
  const linkCookie = cookiesOf(opened)[0] ?? ''
  const form = await ask(`${server.url}/sign-in`, { headers: { cookie: linkCookie } })
  const token = tokenFor(form, '/sign-in')
  const post = (path: string, cookie: string, fields: Record<string, string>, more: Sent = {}) =>
    ask(`${server.url}${path}`, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      ...more,
      headers: {
        cookie,
        origin: server.url,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
        ...more.headers,
      },
    })
  const signedIn = await post('/sign-in', linkCookie, { form: token })
  const cookie = cookiesOf(signedIn)[0] ?? ''
  const get = (path: string, headers: Record<string, string> = {}) =>
    ask(`${server.url}${path}`, { headers: { cookie, ...headers } })
  return { url, linkCookie, token, signedIn, cookie, get, post }
}

test('every answer is kept out of caches, frames and other sites', async () => {
  const world = await openWorld()
  const { url, get, signedIn } = await signIn(world)
  const answers = [
    await get('/'),
    await get('/credentials'),
    await get('/history'),
    await get('/x'),
  ]
  answers.push(await ask(world.console.url), await ask(url))
  for (const { headers } of [...answers, signedIn]) {
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  }
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 401, 303])
  for (const { headers } of answers.slice(0, 5)) {
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  }
})

describe('a session', () => {
  test('is another secret than the link, ends the one before, and is for no script', async () => {
    const world = await openWorld()
    const { signedIn, linkCookie, post, token, cookie, get } = await signIn(world)
    const [session = '', cleared = ''] = signedIn.headers.getSetCookie()
    expect(session).toMatch(/^authmd_console_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cleared).toContain('Max-Age=0')
    expect(session).not.toContain(linkCookie.split('=')[1])
    // The link was used up: by this browser, or by whoever took its cookie.
    const used = await post('/sign-in', linkCookie, { form: token })
    expect(used.status).toBe(410)
    // Who is signed in all the same, as after "back", finds the way.
    expect(used.text).toContain('I am signed in: go on')
    const again = await world.console.link(lee)
    const opened = await ask(again.url, { headers: { cookie } })
    const both = `${cookie}; ${cookiesOf(opened)[0]}`
    const form = await ask(`${world.console.url}/sign-in`, { headers: { cookie: both } })
    await post('/sign-in', both, { form: tokenFor(form, '/sign-in') })
    expect((await get('/')).status).toBe(401)
  })

  test('goes on where a link is for who is signed in already, and the link is used up', async () => {
    const world = await openWorld()
    const { cookie, get } = await signIn(world)
    const { url } = await world.console.link(kim)
    const opened = cookiesOf(await ask(url))[0] ?? ''
    const both = { headers: { cookie: `${cookie}; ${opened}` } }
    const led = await ask(`${world.console.url}/sign-in`, both)
    expect([led.status, led.headers.get('location')]).toEqual([303, '/'])
    expect(led.headers.getSetCookie()).toEqual([expect.stringContaining('authmd_link')])
    expect((await ask(`${world.console.url}/sign-in`, both)).status).toBe(410)
    expect((await get('/')).status).toBe(200)
  })

  test('ends when nobody did anything, though the page asked for what is new', async () => {
    const world = await openWorld()
    const { get } = await signIn(world)
    const { clock } = world.sandbox
    clock.advance(14 * minute)
    expect((await get('/')).status).toBe(200)
    clock.advance(10 * minute)
    expect((await get('/', { 'x-authmd-live': '1' })).status).toBe(200)
    // Nor by the page of another site, which asks for it or shows it in itself.
    for (const dest of ['empty', 'image', 'iframe']) {
      const from = { 'sec-fetch-site': 'same-site', 'sec-fetch-dest': dest }
      expect((await get('/', from)).status).toBe(200)
    }
    clock.advance(6 * minute)
    expect((await get('/')).status).toBe(401)
  })

  test('ends after eight hours, whatever was done', async () => {
    const world = await openWorld()
    const { get } = await signIn(world)
    const until = world.sandbox.clock.now() + 8 * hour
    while (world.sandbox.clock.now() + 10 * minute < until) {
      world.sandbox.clock.advance(10 * minute)
      expect((await get('/')).status).toBe(200)
    }
    world.sandbox.clock.advance(10 * minute)
    expect((await get('/')).status).toBe(401)
  })

  test('one of two who use a link at once gets it', async () => {
    const world = await openWorld()
    const { url } = await world.console.link(kim)
    const cookie = cookiesOf(await ask(url))[0] ?? ''
    const form = tokenFor(
      await ask(`${world.console.url}/sign-in`, { headers: { cookie } }),
      '/sign-in',
    )
    const { post } = await signIn(world, lee)
    const both = await Promise.all([1, 2].map(() => post('/sign-in', cookie, { form })))
    expect(both.map(({ status }) => status).sort()).toEqual([303, 410])
  })

  test('opening a link signs nobody in, as chats do with it', async () => {
    const world = await openWorld()
    const { url } = await world.console.link(kim)
    for (let times = 0; times < 5; times++) {
      const cookie = cookiesOf(await ask(url)).join('; ')
      expect((await ask(world.console.url, { headers: { cookie } })).status).toBe(401)
    }
    expect((await ask(`${world.console.url}/sign-in/${'A'.repeat(43)}`)).status).toBe(303)
    const cookie = cookiesOf(await ask(`${world.console.url}/sign-in/${'A'.repeat(43)}`))[0] ?? ''
    expect((await ask(`${world.console.url}/sign-in`, { headers: { cookie } })).status).toBe(410)
  })
})

describe('decides nothing', () => {
  /** An open approval of kim's, and its form. */
  async function asked() {
    const world = await openWorld()
    const { input } = await wantsToSignUp(world, owner)
    const visit = await signIn(world)
    const path = /href="(\/waiting\/[^"]+)"/.exec((await visit.get('/')).text)?.[1] ?? ''
    const form = tokenFor(await visit.get(path), path)
    expect(form).not.toBe('')
    const status = async () => (await world.auth.as(owner).register(input)).status
    const approve = (more: Sent = {}, fields: Record<string, string> = {}) =>
      visit.post(path, visit.cookie, { form, decision: 'approve', ...fields }, more)
    return { world, visit, path, form, status, approve }
  }

  test.each([
    ['another Origin', { origin: 'https://evil.test' }, 403],
    ['an opaque Origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }, 403],
    ['another Host', { host: 'evil.test' }, 421],
    ['no cookie', { cookie: '' }, 401],
    ['JSON', { 'content-type': 'application/json' }, 415],
  ] as [string, Record<string, string>, number][])('%s', async (_, headers, status) => {
    const one = await asked()
    expect((await one.approve({ headers })).status).toBe(status)
    expect(await one.status()).toBe('needs_consent')
    expect((await one.approve()).status).toBe(200)
    expect(await one.status()).toBe('needs_person')
  })

  test('without the token of this very form and of this session', async () => {
    const one = await asked()
    const { visit, path, world } = one
    const other = await signIn(world)
    const foreign = [
      '',
      'x',
      `${one.form}x`,
      tokenFor(await other.get(path), path),
      tokenFor(await visit.get('/'), '/sign-out'),
    ]
    expect(foreign[3]).not.toBe('')
    for (const form of foreign) expect((await one.approve({}, { form })).status).toBe(403)
    expect((await one.approve({ body: 'decision=approve' })).status).toBe(403)
    expect(await one.status()).toBe('needs_consent')
  })

  test('GET, HEAD, another method, another word, a megabyte', async () => {
    const one = await asked()
    const { visit, path, form, world } = one
    const at = `${world.console.url}${path}?form=${form}&decision=approve`
    const headers = { cookie: visit.cookie }
    expect((await ask(at, { headers })).status).toBe(200)
    expect(await ask(at, { method: 'HEAD', headers })).toMatchObject({ status: 200, text: '' })
    expect((await ask(at, { method: 'PUT', headers })).status).toBe(405)
    expect((await one.approve({}, { decision: 'yes' })).status).toBe(422)
    expect((await one.approve({}, { decision: 'x'.repeat(1024 * 1024) })).status).toBe(413)
    expect(await one.status()).toBe('needs_consent')
  })

  test('somebody else, though they know the address', async () => {
    const one = await asked()
    const other = await signIn(one.world, lee)
    const { path, form } = one
    expect((await other.post(path, other.cookie, { form, decision: 'approve' })).status).toBe(403)
    expect((await other.get(path)).status).toBe(404)
    // By an owner of their own in the address.
    const tag = await tagOf(one.world, other)
    expect((await other.get(path.replace(/waiting\/[^/]+/, `waiting/${tag}`))).status).toBe(410)
    expect(await one.status()).toBe('needs_consent')
  })

  async function tagOf(world: World, other: Awaited<ReturnType<typeof signIn>>): Promise<string> {
    const [theirs] = lee.owners as [(typeof lee.owners)[0]]
    await importKey(world, theirs, 'KEY0SANDBOX0OF0LEE0002')
    const { text } = await other.get('/credentials')
    return /\/credentials\/([\w-]+)\/cred_/.exec(text)?.[1] ?? ''
  }
})

describe('a form whose session has ended meanwhile', () => {
  type Visited = Awaited<ReturnType<typeof signIn>>
  const signOut = async ({ get, post, cookie }: Visited) => {
    const form = tokenFor(await get('/'), '/sign-out')
    expect((await post('/sign-out', cookie, { form })).status).toBe(200)
  }
  const endings: [string, (world: World, visit: Visited) => unknown][] = [
    ['by a sign-out in another tab', (_, visit) => signOut(visit)],
    ['since nobody did anything', ({ sandbox }) => sandbox.clock.advance(16 * minute)],
  ]

  test.each(endings)(
    '%s: it says so, takes nothing, and the same can be done again',
    async (_, end) => {
      const world = await openWorld()
      const registration = await wantsKey(world, owner)
      const secret = await makeKey(world)
      const path = async ({ get }: Visited) =>
        /href="(\/waiting\/[^"]+)"/.exec((await get('/')).text)?.[1] ?? ''
      const hand = async (visit: Visited, at: string, form: string) =>
        visit.post(at, visit.cookie, { form, given: secret })
      const visit = await signIn(world)
      const at = await path(visit)
      const form = tokenFor(await visit.get(at), at)
      expect(form).not.toBe('')
      await end(world, visit)
      const answer = await hand(visit, at, form)
      expect(answer.status).toBe(401)
      expect(answer.text).toContain('You are not signed in any more')
      expect(answer.text).toContain('Nothing was taken')
      expect(answer.text).not.toContain(secret)
      expect(await world.auth.admin.list(owner)).toEqual([])
      const again = await signIn(world)
      // Of a session that is over, also for who has another one.
      expect((await hand(again, at, form)).status).toBe(403)
      expect(await path(again)).toBe(at)
      expect((await hand(again, at, tokenFor(await again.get(at), at))).status).toBe(200)
      expectStatus(await world.auth.as(owner).claim({ registration }), 'ready')
    },
  )

  test('a page that is only looked at says no more than that nobody is signed in', async () => {
    const { console: server } = await openWorld()
    const { text } = await ask(server.url)
    expect(text).toContain('You are not signed in')
    expect(text).not.toContain('Nothing was taken')
  })
})

test('a credential is revoked by its button, whatever was said to the agent that asked for it', async () => {
  const world = await openWorld()
  const { handle } = await importKey(world, owner, 'KEY0SANDBOX0DENIED0001')
  const session = world.auth.as(owner)
  const { consent } = expectStatus(await session.revoke({ credential: handle }), 'needs_consent')
  await world.auth.people.answer(consent, { approve: false }, { approver: 'kim' })
  const { get, post, cookie } = await signIn(world)
  const href =
    /href="(\/credentials\/[^"]+\/revoke)"/.exec((await get('/credentials')).text)?.[1] ?? ''
  const form = tokenFor(await get(href), href)
  const { status, text } = await post(href, cookie, { form })
  expect(status).toBe(200)
  expect(text).not.toContain('said no')
  expect((await world.auth.admin.list(owner)).map(({ state }) => state)).toEqual(['forgotten'])
})

test('a service and an agent write nothing but text into a page', async () => {
  const world = await openWorld()
  const bad = `https://api.vendor.example/<script>"'&\u202e\u200b`
  const session = world.auth.as(owner)
  const service = 'https://api.vendor.example'
  await session.import({ service, audience: service, secret: 'KEY0VENDOR0IMPORTED0002' })
  const json = { text: `<img src=x onerror=alert(1)>\u202e${bad}` }
  expectStatus(await session.use({ service, method: 'POST', path: '/x', json }), 'needs_consent')
  const { get } = await signIn(world)
  for (const path of ['/', '/history', `/history?text=${encodeURIComponent('"><script>')}`]) {
    const { text } = await get(path)
    expect(text).not.toMatch(/<img|[\u202e\u200b]|"><script>/)
    expect(text.match(/<script/g)).toHaveLength(1)
  }
  expect((await get('/')).text).toContain('&lt;img src=x onerror=alert(1)&gt;\\u202e')
})

test('the stream says what is new and ends with the session', async () => {
  const world = await openWorld()
  const { cookie } = await signIn(world)
  const stop = new AbortController()
  const stream = await fetch(`${world.console.url}/live`, {
    headers: { cookie },
    signal: stop.signal,
  })
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  const next = async () => (await reader?.read())?.value
  const first = await next()
  expect(first).toMatch(/^data: [\w-]{22}\n\n$/)
  await wantsToSignUp(world, owner)
  const second = await next()
  expect(second).toMatch(/^data: /)
  expect(second).not.toBe(first)
  world.sandbox.clock.advance(16 * minute)
  let last = await next()
  while (last?.startsWith('data: ')) last = await next()
  expect(last).toBe('event: ended\ndata: session\n\n')
  stop.abort()
  expect((await ask(`${world.console.url}/live`)).status).toBe(401)
})

describe('behind a sign-in of one’s own', () => {
  const auth = createAgentAuth({ store: memoryStore() })
  const baseUrl = 'https://agents.operator.example/console'
  const people: Readonly<Record<string, ConsolePerson>> = { kim, lee }
  const panel = createConsole(auth, {
    baseUrl,
    identify: (one) => people[one.headers.get('x-signed-identity') ?? ''],
    signOutUrl: 'https://sso.operator.example/out',
  })
  const as = (who: string, path = '/', init: RequestInit = {}) =>
    panel.handle(
      new Request(`${baseUrl}${path}`, {
        ...init,
        headers: { 'x-signed-identity': who, ...init.headers },
      }),
    )

  test('who is identified is let in, and nobody else', async () => {
    expect((await as('')).status).toBe(403)
    expect((await as('mallory')).status).toBe(403)
    const response = await as('kim')
    expect(response.status).toBe(200)
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-authmd_console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    )
    const text = await response.text()
    expect(text).toContain('kim@operator.test')
    expect(text).toContain('<a class="button no" href="https://sso.operator.example/out">Sign out')
  })

  test('a form is one person’s: with the cookie of another it is not taken', async () => {
    const session = auth.as(owner)
    const service = 'https://api.vendor.example'
    const secret = 'KEY0VENDOR0IMPORTED0003'
    canary.watch(secret, 'an imported key')
    const { handle } = await session.import({ service, audience: service, secret })
    const first = await as('kim', '/credentials')
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? ''
    const path = /href="\/console(\/credentials\/[^"]+)"/.exec(await first.text())?.[1] ?? ''
    const page = await (await as('kim', path, { headers: { cookie } })).text()
    const [form = ''] = [...page.matchAll(/name="form" value="([^"]+)"/g)].map(([, one]) => one)
    const send = (who: string, cookieSent: string) =>
      as(who, path, {
        method: 'POST',
        body: new URLSearchParams({ form }),
        headers: {
          cookie: cookieSent,
          origin: 'https://agents.operator.example',
          'sec-fetch-site': 'same-origin',
        },
      })
    expect((await send('lee', cookie)).status).toBe(403)
    expect((await send('kim', '')).status).toBe(403)
    expect((await auth.admin.list(owner)).map(({ state }) => state)).toEqual(['active'])
    expect((await send('kim', cookie)).status).toBe(200)
    expect(await auth.admin.list(owner)).toMatchObject([{ handle, state: 'forgotten' }])
  })

  test('there are no links, and no page of a history that nobody reads', async () => {
    await expect(panel.link(kim)).rejects.toMatchObject({ code: 'invalid_input' })
    expect((await as('kim', '/history')).status).toBe(404)
    expect((await as('kim', `/sign-in/${'A'.repeat(43)}`)).status).toBe(404)
    const root = await panel.handle(
      new Request(baseUrl, { headers: { 'x-signed-identity': 'kim' } }),
    )
    expect(root.headers.get('location')).toBe('/console/')
  })
})

describe('refuses', () => {
  const auth = createAgentAuth({ store: memoryStore() })

  test.each([
    { baseUrl: 'http://agents.operator.example' },
    { baseUrl: 'https://kim@agents.operator.example' },
    { baseUrl: 'https://agents.operator.example/?a=1' },
    { baseUrl: 'agents.operator.example' },
    { baseUrl: 'https://agents.operator.example', identify: 'kim' },
    { baseUrl: 'https://agents.operator.example', signOutUrl: 'https://sso.operator.example' },
    { baseUrl: 'https://agents.operator.example', signIn: true },
  ])('the options %j', (options) => {
    const make = () => createConsole(auth, options as unknown as ConsoleOptions)
    expect(make).toThrow(AuthError)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })

  test.each([
    { approver: '', owners: kim.owners },
    { approver: 'kim', owners: [] },
    { approver: 'kim', owners: [{ tenant: '' }] },
    { approver: 'kim'.repeat(100), owners: kim.owners },
  ])('a link for %j', async (person) => {
    const panel = createConsole(auth, { baseUrl: 'http://127.0.0.1:8420' })
    await expect(panel.link(person)).rejects.toThrow(AuthError)
  })

  test('a link for more owners than a page can show', async () => {
    const panel = createConsole(auth, { baseUrl: 'http://127.0.0.1:8420' })
    const owners = [...Array(101).keys()].map((at) => ({ tenant: `tenant-${at}` }))
    const invalid = { code: 'invalid_input' }
    await expect(panel.link({ approver: 'kim', owners })).rejects.toMatchObject(invalid)
    expect(await panel.link({ approver: 'kim', owners: owners.slice(1) })).toHaveProperty('url')
  })
})

test('a page never says that it is newer than what it shows', async () => {
  const world = await openWorld()
  const { get } = await signIn(world)
  const waiting = world.auth.people.waiting.bind(world.auth.people)
  let late: Promise<unknown> | undefined
  let reads = 0
  world.auth.people.waiting = async (...of) => {
    const found = await waiting(...of)
    // Something comes to wait between the two looks of one page.
    if (++reads === 1) {
      late = wantsToSignUp(world, owner)
      await late
    }
    return found
  }
  const versionOf = ({ text }: Answer) => /data-live="([^"]+)"/.exec(text)?.[1]
  const first = versionOf(await get('/'))
  expect(late).toBeDefined()
  expect(versionOf(await get('/'))).not.toBe(first)
})

test('a failure is no promise that nothing was taken, and is kept out of caches', async () => {
  const world = await openWorld()
  await wantsToSignUp(world, owner)
  const { get, post, cookie } = await signIn(world)
  const path = /href="(\/waiting\/[^"]+)"/.exec((await get('/')).text)?.[1] ?? ''
  const form = tokenFor(await get(path), path)
  world.auth.people.form = () => Promise.reject(new Error('made up'))
  const sent = await post(path, cookie, { form, decision: 'approve' })
  const looked = await get(path)
  expect([sent.text, looked.text]).toEqual([
    'Something is broken here. What you sent may have been taken all the same: look at the page again before you send it once more.\n',
    'Something is broken here. Load the page again in a moment.\n',
  ])
  for (const { status, headers } of [sent, looked]) {
    expect(status).toBe(500)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  }
})
