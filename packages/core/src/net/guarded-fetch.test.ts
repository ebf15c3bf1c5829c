import { describe, expect, it, vi } from 'vitest'
import { httpsWorld } from '../../test/https-world.ts'
import { serve, serveRaw, trap } from '../../test/loopback-servers.ts'
import { AuthError } from '../errors.ts'
import { nodeTransport } from '../node/transport.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { allowLoopback, type GuardedRequest } from './transport.ts'
import { webTransport } from './web-transport.ts'

/** Real connections, loopback allowed. */
const local = createGuardedFetch({ transport: nodeTransport(), [allowLoopback]: true })
/** Real connections, nothing allowed. */
const strict = createGuardedFetch({ transport: nodeTransport() })

const start = 'https://svc.test/'

describe('the first URL', () => {
  it('opens nothing for a refused address, and says so', async () => {
    const { port, connections } = await trap()
    const urls = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      'localhost',
      '[::ffff:7f00:1]',
      '0.0.0.0',
    ]
    for (const host of urls) {
      const url = `https://${host}:${port}/`
      await expect(strict({ url, start: url }), url).rejects.toMatchObject({
        code: 'address_refused',
        details: { sent: false },
      })
    }
    expect(connections()).toBe(0)
  })

  it('opens nothing on loopback where the start was elsewhere, though the application allows it', async () => {
    const { port, connections } = await trap()
    await expect(local({ url: `http://127.0.0.1:${port}/`, start })).rejects.toMatchObject({
      code: 'address_refused',
      details: { sent: false },
    })
    const lookup = async () => ['127.0.0.1']
    const transport = nodeTransport({ lookup })
    const guarded = createGuardedFetch({ transport, [allowLoopback]: true })
    await expect(guarded({ url: `https://svc.test:${port}/`, start })).rejects.toMatchObject({
      code: 'address_refused',
      details: { sent: false, rule: 'range loopback' },
    })
    expect(connections()).toBe(0)
  })

  it('refuses bad URLs, headers and bodies unsent and without quoting them', async () => {
    const { guarded, asked } = httpsWorld({})
    for (const request of [
      { url: 'https://user:canary@svc.test/', start },
      { url: start, start, headers: { authorization: 'Bearer can\nary' } },
      { url: start, start, headers: { 'bad name': 'canary' } },
      { url: start, start, body: 'canary' },
      { url: start, start, method: 'canary canary' },
    ] as GuardedRequest[]) {
      const error = await guarded(request).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ details: { sent: false } })
      expect(error).toMatchObject({ code: expect.stringMatching(/^invalid_(url|input)$/) })
      expect(JSON.stringify(error)).not.toMatch(/canary|ary/)
      expect((error as Error).cause).toBeUndefined()
    }
    expect(asked).toEqual([])
  })

  it('reads an answer with its URL, status, headers and media type, errors included', async () => {
    const { origin, seen } = await serve((_request, response) => {
      response.writeHead(503, { 'content-type': 'Application/JSON; charset=utf-8', 'x-a': 'b' })
      response.end('{"a":1}')
    })
    const request = {
      url: `${origin}/p?q`,
      start: origin,
      method: 'post',
      body: 'b',
      headers: { 'X-Key': 'k' },
    }
    const answer = await local(request)
    expect(answer).toMatchObject({
      url: `${origin}/p?q`,
      status: 503,
      mediaType: 'application/json',
      text: '{"a":1}',
      hops: [],
    })
    expect(answer.headers.get('x-a')).toBe('b')
    expect(seen).toMatchObject([
      { method: 'POST', url: '/p?q', body: 'b', headers: { 'x-key': 'k' } },
    ])
  })
})

describe('failures', () => {
  it('a failure shows origin and path, never the query', async () => {
    const { origin } = await serveRaw((socket) => socket.destroy())
    const error = await local({ url: `${origin}/p?token=canary#canary`, start: origin }).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({
      code: 'network_failed',
      message: `request to ${origin}/p failed`,
      details: { sent: true },
      cause: expect.any(Error),
    })
    expect(JSON.stringify(error)).not.toContain('canary')
  })

  it('a connection refused is unsent, but not after a redirect', async () => {
    const gone = createGuardedFetch({
      transport: nodeTransport({ lookup: async () => [] }),
      [allowLoopback]: true,
    })
    await expect(gone({ url: start, start })).rejects.toMatchObject({
      code: 'network_failed',
      details: { sent: false },
    })
    const { origin } = await serve((_request, response) =>
      response.writeHead(302, { location: start }).end(),
    )
    await expect(gone({ url: origin, start: origin, redirects: 'checked' })).rejects.toMatchObject({
      code: 'network_failed',
      details: { sent: true },
    })
  })

  it('an application fetch that fails may have sent', async () => {
    const url = `${start}p?token=canary`
    for (const error of [new TypeError('fetch failed'), new AuthError('network_failed', 'no')]) {
      const transport = webTransport(() => Promise.reject(error), { vouched: true })
      const failed = await createGuardedFetch({ transport })({ url, start }).catch((e) => e)
      expect(failed).toMatchObject({ code: 'network_failed', details: { sent: true } })
      expect(JSON.stringify(failed)).not.toContain('canary')
    }
  })

  it("the caller's signal gives aborted", async () => {
    const controller = new AbortController()
    const { origin } = await serve(() => controller.abort('why'))
    const request = { url: origin, start: origin, signal: controller.signal }
    await expect(local(request)).rejects.toMatchObject({
      code: 'aborted',
      cause: 'why',
      details: { sent: true },
    })
    await expect(local(request)).rejects.toMatchObject({
      code: 'aborted',
      details: { sent: false },
    })
  })

  it('an abort and a time limit end also a fetch that ignores its signal', async () => {
    const transport = webTransport(() => new Promise(() => {}), { vouched: true })
    const guarded = createGuardedFetch({ transport, limits: { timeoutMs: 20 } })
    await expect(guarded({ url: start, start })).rejects.toMatchObject({
      code: 'response_timeout',
      details: { sent: true, timeoutMs: 20 },
    })
    const signal = AbortSignal.abort()
    await expect(
      guarded({ url: start, start, signal, limits: { timeoutMs: 5000 } }),
    ).rejects.toMatchObject({ code: 'aborted' })
  })

  it('a time limit ends also a body that ignores the signal', async () => {
    const { guarded } = httpsWorld({ [start]: () => new Response(new ReadableStream()) })
    await expect(guarded({ url: start, start, limits: { timeoutMs: 20 } })).rejects.toMatchObject({
      code: 'response_timeout',
      details: { sent: true },
    })
  })

  it('a TLS handshake that never ends runs into the time limit, unsent', async () => {
    const { origin } = await serveRaw(() => {})
    const url = origin.replace('http:', 'https:')
    await expect(local({ url, start: url, limits: { timeoutMs: 40 } })).rejects.toMatchObject({
      code: 'response_timeout',
      details: { sent: false },
    })
  })

  it('a name that never resolves runs into the time limit, unsent', async () => {
    const transport = nodeTransport({ lookup: () => new Promise(() => {}) })
    const guarded = createGuardedFetch({ transport })
    await expect(guarded({ url: start, start, limits: { timeoutMs: 20 } })).rejects.toMatchObject({
      code: 'response_timeout',
      details: { sent: false },
    })
  })

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { guarded } = httpsWorld({ [start]: () => new Response('a') })
    await guarded({ url: start, start })
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
})
