import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { webTransport } from '../src/net/web-transport.ts'
import { createAgentAuth, memoryStore } from '../src/node/main.ts'
import { canary, canaryForms, type Held, hold } from './held.ts'
import { serve } from './loopback-servers.ts'
import { owner } from './world.ts'

/** Redirects by path: `/go?to=…&status=…`; anything else says which server it is. */
const hops =
  (name: string): RequestListener =>
  (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const to = url.searchParams.get('to')
    if (to === null) return void response.end(name)
    response.writeHead(Number(url.searchParams.get('status') ?? 302), { location: to }).end('moved')
  }

const go = (to: string, status = 302) => `/go?${new URLSearchParams({ to, status: `${status}` })}`

/** The service and a trap elsewhere: on another port, which is another audience. */
async function withTrap(more: Parameters<typeof hold>[1] = {}) {
  const trap = await serve(hops('trap'))
  const held = await hold(hops('service'), more)
  return { ...held, trap, fetch: held.session.fetch(held.service.origin) }
}

function sawNoCredential({ seen }: Held['service']): void {
  for (const { url, headers, body } of seen) {
    const text = JSON.stringify([url, headers, body])
    for (const form of canaryForms) expect(text).not.toContain(form)
    expect(headers).not.toHaveProperty('authorization')
    expect(headers).not.toHaveProperty('x-api-key')
    expect(headers).not.toHaveProperty('cookie')
  }
}

const keyHeaders: readonly [string, Parameters<typeof hold>[1]][] = [
  ['Authorization', {}],
  ['X-Api-Key', { header: { name: 'X-Api-Key' } }],
  ['a header of its own', { header: { name: 'Vendor-Token', prefix: 'key ' } }],
]

/**
 * @see apify/crawlee#4134
 * @see adobe/fetch#447
 * @see whatwg/fetch#944
 * @see modelcontextprotocol/typescript-sdk PR 2465
 */
describe.each(keyHeaders)('with a key in %s', (_name, more) => {
  const header = more?.header?.name.toLowerCase() ?? 'authorization'
  const sent = `${more?.header === undefined ? 'Bearer ' : (more.header.prefix ?? '')}${canary}`

  it('a redirect inside is followed and signed', async () => {
    const { session, service, fetch } = await withTrap(more)
    for (const status of [301, 302, 303, 307, 308]) {
      const path = go('/end?x=1#frag', status)
      expect(await session.use({ service: service.origin, path })).toMatchObject({
        answer: { status: 200, body: 'service' },
      })
      const response = await fetch(`${service.origin}${path}`)
      expect(await response.text()).toBe('service')
      expect([response.url, response.redirected]).toEqual([`${service.origin}/end?x=1`, true])
    }
    expect(service.seen).toHaveLength(20)
    for (const one of service.seen) expect(one.headers[header]).toBe(sent)
  })

  it('a redirect outside is the answer for the model', async () => {
    const { session, service, trap } = await withTrap(more)
    for (const status of [301, 302, 303, 307, 308]) {
      const path = go(`${trap.origin}/x`, status)
      expect(await session.use({ service: service.origin, path })).toMatchObject({
        status: 'answered',
        answer: { status, headers: { location: `${trap.origin}/x` } },
        next: expect.stringContaining('not followed'),
      })
    }
    expect(trap.connections()).toBe(0)
  })

  it('a redirect outside is followed for code, with nothing of the caller', async () => {
    const { service, trap, fetch } = await withTrap(more)
    const headers = {
      accept: 'text/csv',
      authorization: 'Bearer mine',
      cookie: 'a=b',
      'x-api-key': 'mine',
      'x-private': 'mine',
      referer: 'https://a.test',
    }
    for (const status of [301, 302, 303, 307, 308]) {
      const response = await fetch(`${service.origin}${go(`${trap.origin}/x`, status)}`, {
        headers,
      })
      expect(await response.text()).toBe('trap')
      expect(response.url).toBe(`${trap.origin}/x`)
    }
    expect(trap.seen).toHaveLength(5)
    sawNoCredential(trap)
    for (const one of trap.seen) {
      expect(one).toMatchObject({ method: 'GET', url: '/x', headers: { accept: 'text/csv' } })
      expect(one.headers).not.toHaveProperty('x-private')
      expect(one.headers).not.toHaveProperty('referer')
    }
  })

  it('what has left once comes back unsigned', async () => {
    const { service, trap, fetch } = await withTrap(more)
    const back = `${trap.origin}${go(`${service.origin}/secret`)}`
    await fetch(`${service.origin}${go(back)}`)
    expect(service.seen.map((one) => one.headers[header])).toEqual([sent, undefined])
    sawNoCredential(trap)
  })

  it('a POST becomes a GET without its body, or is not sent again', async () => {
    const { service, trap, fetch } = await withTrap(more)
    const init = { method: 'POST', body: 'private', headers: { 'content-type': 'text/x' } }
    for (const status of [301, 302, 303]) {
      await fetch(`${service.origin}${go('/end', status)}`, init)
      expect(service.seen.at(-1)).toMatchObject({ method: 'GET', url: '/end', body: '' })
      expect(service.seen.at(-1)?.headers).not.toHaveProperty('content-type')
      await fetch(`${service.origin}${go(`${trap.origin}/x`, status)}`, init)
      expect(trap.seen.at(-1)).toMatchObject({ method: 'GET', url: '/x', body: '' })
    }
    const before = trap.seen.length
    for (const to of ['/end', `${trap.origin}/x`]) {
      for (const status of [307, 308]) {
        const call = fetch(`${service.origin}${go(to, status)}`, init)
        await expect(call).rejects.toMatchObject({ code: 'redirect_refused' })
      }
    }
    for (const status of [301, 302, 307, 308]) {
      const call = fetch(`${service.origin}${go('/end', status)}`, { ...init, method: 'PUT' })
      await expect(call).rejects.toMatchObject({ code: 'redirect_refused' })
    }
    expect(trap.seen).toHaveLength(before)
    sawNoCredential(trap)
  })
})

describe('redirects that are refused', () => {
  it('with the credential in their address', async () => {
    const { trap } = await withTrap()
    let location = ''
    const { session, service } = await hold((_request, response) => {
      response.writeHead(302, { location }).end()
    })
    for (const form of canaryForms) {
      // Elsewhere and at the service itself: an address is written down in too many places.
      for (const origin of [trap.origin, service.origin]) {
        location = `${origin}/?k=${encodeURIComponent(form)}`
        await expect(session.fetch(service.origin)(service.origin)).rejects.toMatchObject({
          code: 'redirect_refused',
          message: expect.not.stringContaining(form),
        })
        const shown = await session.use({ service: service.origin, path: '/' })
        expect(JSON.stringify(shown)).not.toContain(form)
      }
    }
    expect(trap.connections()).toBe(0)
    expect(service.seen.every(({ url }) => url === '/')).toBe(true)
  })

  it('loops and long chains', async () => {
    const loop: RequestListener = (request, response) => {
      response.writeHead(302, { location: `${request.url}x` }).end()
    }
    const { session, service } = await hold(loop)
    const call = session.fetch(service.origin)(service.origin)
    await expect(call).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(service.seen).toHaveLength(6)
    expect(await session.use({ service: service.origin, path: '/' })).toMatchObject({
      status: 'refused',
      code: 'request_refused',
      reason: expect.stringContaining('redirects'),
    })
  })

  it.each([
    'file:///etc/passwd',
    'data:text/plain,x',
    'http://169.254.169.254/',
    'http://10.0.0.1/',
    'https://u:p@localhost/',
  ])('to %s', async (to) => {
    const { session, service, fetch } = await withTrap()
    await expect(fetch(`${service.origin}${go(to)}`)).rejects.toMatchObject({
      name: 'AuthError',
      code: expect.stringMatching(/^(redirect_refused|address_refused|invalid_url)$/),
    })
    expect(await session.use({ service: service.origin, path: go(to) })).toMatchObject({
      status: 'answered',
      answer: { status: 302 },
    })
  })

  it('to what is no URL, and a redirect without a target is an answer', async () => {
    const { service, fetch } = await withTrap()
    const call = fetch(`${service.origin}${go('http://[')}`)
    await expect(call).rejects.toMatchObject({ code: 'redirect_refused' })
    const bare = await hold((_request, response) => void response.writeHead(302).end('here'))
    const response = await bare.session.fetch(bare.service.origin)(bare.service.origin)
    expect([response.status, await response.text()]).toEqual([302, 'here'])
  })

  it('where the caller says so', async () => {
    const { service, trap, fetch } = await withTrap()
    const url = `${service.origin}${go(`${trap.origin}/?x`)}`
    const manual = await fetch(url, { redirect: 'manual' })
    expect([manual.status, manual.headers.get('location')]).toEqual([302, `${trap.origin}/?x`])
    await expect(fetch(url, { redirect: 'error' })).rejects.toMatchObject({
      code: 'redirect_refused',
    })
    expect(trap.connections()).toBe(0)
  })
})

describe('on https, through a fetch of the application', () => {
  const origin = 'https://api.svc.example'
  async function through(vouched: boolean, answers: Record<string, string>) {
    const asked: Request[] = []
    const transport = webTransport(
      async (request) => {
        asked.push(request)
        const location = answers[request.url]
        return location
          ? new Response(null, { status: 302, headers: { location } })
          : new Response('end')
      },
      { vouched },
    )
    const session = createAgentAuth({ store: memoryStore(), transport }).as(owner)
    await session.import({ service: origin, audience: origin, secret: canary })
    return { asked, session, fetch: session.fetch(origin) }
  }

  it.each(['http://api.svc.example/x', 'http://evil.test/', 'http://localhost/', 'ftp://a.test/'])(
    'a downgrade to %s is refused',
    async (location) => {
      const { asked, session, fetch } = await through(true, { [`${origin}/a`]: location })
      await expect(fetch(`${origin}/a`)).rejects.toMatchObject({ code: 'redirect_refused' })
      expect(asked).toHaveLength(1)
      expect(await session.use({ service: origin, path: '/a' })).toMatchObject({
        answer: { status: 302 },
      })
      expect(asked).toHaveLength(2)
    },
  )

  it('another host is followed only where somebody vouched for the fetch', async () => {
    const there = 'https://files.example/x'
    const { asked, fetch } = await through(true, { [`${origin}/a`]: there })
    expect(await (await fetch(`${origin}/a`)).text()).toBe('end')
    expect(asked.map((one) => [one.url, one.headers.get('authorization')])).toEqual([
      [`${origin}/a`, `Bearer ${canary}`],
      [there, null],
    ])
    const unvouched = await through(false, { [`${origin}/a`]: there, [`${origin}/b`]: '/c' })
    await expect(unvouched.fetch(`${origin}/a`)).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(await (await unvouched.fetch(`${origin}/b`)).text()).toBe('end')
    expect(unvouched.asked.map((one) => one.url)).toEqual(['/a', '/b', '/c'].map((p) => origin + p))
  })
})

describe('a POST of the model that is redirected', () => {
  it('is answered by the redirect where its body would have to go along', async () => {
    const { session, auth, service, trap } = await withTrap()
    for (const to of ['/end', `${trap.origin}/x`]) {
      const call = { service: service.origin, method: 'POST', path: go(to, 307), json: { a: 1 } }
      const asked = await session.use(call)
      if (asked.status !== 'needs_consent') throw new Error(asked.status)
      await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
      expect(await session.use(call)).toMatchObject({ status: 'answered', answer: { status: 307 } })
    }
    expect(service.seen).toHaveLength(2)
    expect(trap.connections()).toBe(0)
  })
})
