import { describe, expect, it } from 'vitest'
import { httpsWorld, to } from '../../test/https-world.ts'
import { serve, trap } from '../../test/loopback-servers.ts'
import { nodeTransport } from '../node/transport.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { allowLoopback } from './transport.ts'

const local = createGuardedFetch({ transport: nodeTransport(), [allowLoopback]: true })
const start = 'https://svc.test/'

describe('redirects', () => {
  const outward = [
    'http://169.254.169.254/',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://localhost/',
    'https://[64:ff9b::a00:1]/',
    'https://db.internal/',
    'https://svc.test:22/',
  ]
  const statuses = [301, 302, 303, 307, 308]

  it.each(statuses)('%i to a refused address is refused', async (status) => {
    for (const target of outward) {
      const { guarded, asked } = httpsWorld({ [start]: to(target, status) })
      await expect(
        guarded({ url: start, start, redirects: 'checked' }),
        target,
      ).rejects.toMatchObject({
        code: 'address_refused',
        details: { sent: true },
        message: expect.stringContaining('redirect from https://svc.test/'),
      })
      expect(asked).toHaveLength(1)
    }
  })

  it.each(statuses)(
    '%i to http:, file:, data:, gopher: or with a password is refused',
    async (status) => {
      for (const target of [
        'http://svc.test/b',
        'file:///etc/passwd',
        'data:,x',
        'gopher://svc.test/',
        'https://a:b@svc.test/',
        'https://[',
      ]) {
        const { guarded, asked } = httpsWorld({ [start]: to(target, status) })
        await expect(
          guarded({ url: start, start, redirects: 'checked' }),
          target,
        ).rejects.toMatchObject({
          code: 'redirect_refused',
          details: { sent: true },
        })
        expect(asked).toHaveLength(1)
      }
    },
  )

  it('from https to http is refused on loopback too', async () => {
    const url = 'https://localhost/'
    const { guarded, asked } = httpsWorld({ [url]: to('http://localhost/') })
    await expect(guarded({ url, start: url, redirects: 'checked' })).rejects.toMatchObject({
      code: 'redirect_refused',
    })
    expect(asked).toHaveLength(1)
  })

  it.each(statuses)('%i to another origin is refused by default', async (status) => {
    for (const target of ['https://evil.test/', 'https://a.svc.test/', 'https://svc.test:8443/']) {
      const { guarded, asked } = httpsWorld({ [start]: to(target, status) })
      await expect(guarded({ url: start, start }), target).rejects.toMatchObject({
        code: 'redirect_refused',
        details: { sent: true },
      })
      expect(asked).toHaveLength(1)
    }
  })

  it('no credential crosses an origin, whatever its header is called', async () => {
    // @see apify/crawlee#4134, adobe/fetch#447, whatwg/fetch#944
    const evil = await serve((_request, response) => response.end('got'))
    const target = `http://127.0.0.1:${evil.port}/`
    const service = await serve((_request, response) =>
      response.writeHead(302, { location: target }).end(),
    )
    const headers = {
      Authorization: 'Bearer k',
      'X-Api-Key': 'k',
      cookie: 'k',
      'x-any': 'k',
      Accept: 'text/x',
    }
    const answer = await local({
      url: service.origin,
      start: service.origin,
      headers,
      redirects: 'checked',
    })
    expect(answer).toMatchObject({
      text: 'got',
      url: target,
      hops: [{ url: `${service.origin}/`, status: 302 }],
    })
    expect(service.seen[0]?.headers).toMatchObject({ 'x-api-key': 'k' })
    expect(evil.seen[0]?.headers.accept).toBe('text/x')
    expect(JSON.stringify(evil.seen)).not.toContain('"k"')
    expect(JSON.stringify(evil.seen)).not.toContain('Bearer')
  })

  it('a credential that was left behind does not come back with a second redirect', async () => {
    const { guarded, asked } = httpsWorld({
      [start]: to('https://evil.test/'),
      'https://evil.test/': to('https://svc.test/b'),
      'https://svc.test/b': () => new Response('end'),
    })
    await guarded({ url: start, start, headers: { 'x-key': 'k' }, redirects: 'checked' })
    expect(asked.map((request) => request.headers.get('x-key'))).toEqual(['k', null, null])
  })

  it.each([307, 308])('%i never carries a body to another origin', async (status) => {
    const evil = await trap()
    const target = `http://127.0.0.1:${evil.port}/`
    const { origin } = await serve((_request, response) =>
      response.writeHead(status, { location: target }).end(),
    )
    const request = {
      url: origin,
      start: origin,
      method: 'POST',
      body: 'b',
      redirects: 'checked',
    } as const
    await expect(local(request)).rejects.toMatchObject({
      code: 'redirect_refused',
      details: { sent: true },
    })
    expect(evil.connections()).toBe(0)
  })

  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'b'],
    [307, 'POST', 'POST', 'b'],
    [308, 'PATCH', 'PATCH', 'b'],
  ])(
    '%i makes of %s a %s within the origin and keeps the credential',
    async (status, method, then, body) => {
      const { origin, seen } = await serve((request, response) => {
        if (request.url === '/') response.writeHead(status, { location: 'next?x' })
        response.end()
      })
      const headers = { 'x-key': 'k', 'content-type': 'text/plain' }
      const answer = await local({ url: origin, start: origin, method, body: 'b', headers })
      expect(answer.url).toBe(`${origin}/next?x`)
      expect(seen[1]).toMatchObject({
        method: then,
        url: '/next?x',
        body,
        headers: { 'x-key': 'k' },
      })
      expect(seen[1]?.headers['content-type']).toBe(body === '' ? undefined : 'text/plain')
    },
  )

  it('keeps HEAD a HEAD', async () => {
    const { origin, seen } = await serve((request, response) => {
      if (request.url === '/') response.writeHead(303, { location: '/b' })
      response.end()
    })
    await local({ url: origin, start: origin, method: 'HEAD' })
    expect(seen.map((one) => one.method)).toEqual(['HEAD', 'HEAD'])
  })

  it('30 hops end after the fifth', async () => {
    const { origin, seen } = await serve((request, response) => {
      const at = Number(request.url?.slice(1))
      if (at < 30) response.writeHead(302, { location: `/${at + 1}` })
      response.end('end')
    })
    await expect(local({ url: `${origin}/0`, start: origin })).rejects.toMatchObject({
      code: 'redirect_refused',
      message: expect.stringContaining('more than 5'),
    })
    expect(seen).toHaveLength(6)
    expect(await local({ url: `${origin}/25`, start: origin })).toMatchObject({ text: 'end' })
    const none = local({ url: `${origin}/29`, start: origin, limits: { maxHops: 0 } })
    await expect(none).rejects.toMatchObject({ code: 'redirect_refused' })
  })

  it('a loop ends at once', async () => {
    const { origin, seen } = await serve((request, response) => {
      response.writeHead(302, { location: request.url === '/a' ? '/b#x' : '/a' }).end()
    })
    await expect(local({ url: `${origin}/a`, start: origin })).rejects.toMatchObject({
      code: 'redirect_refused',
      message: expect.stringContaining('a loop'),
    })
    expect(seen).toHaveLength(2)
  })

  it('none gives the redirect itself; a 3xx without a target is an answer', async () => {
    const { guarded } = httpsWorld({
      [start]: to('https://10.0.0.1/'),
      'https://svc.test/c': () => new Response(null, { status: 304 }),
      'https://svc.test/d': () => new Response('d', { status: 302 }),
    })
    const answer = await guarded({ url: start, start, redirects: 'none' })
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://10.0.0.1/'])
    expect(await guarded({ url: 'https://svc.test/c', start })).toMatchObject({
      status: 304,
      text: '',
    })
    expect(await guarded({ url: 'https://svc.test/d', start })).toMatchObject({
      status: 302,
      text: 'd',
    })
  })
})
