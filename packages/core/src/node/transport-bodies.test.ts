import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { serve, serveRaw } from '../../test/loopback-servers.ts'
import { checkAddress } from '../net/address.ts'
import { nodeTransport } from './transport.ts'

const loopback = (address: string) => checkAddress(address, { loopbackAllowed: true })
const publicOnly = (address: string) => checkAddress(address, { loopbackAllowed: false })

describe('requests', () => {
  it('gives a text body its length and lets no caller name the host', async () => {
    const { origin, port, seen } = await serve((_request, response) => response.end())
    const request = new Request(origin, {
      method: 'POST',
      body: '{"é":1}',
      headers: { host: 'evil.test', 'content-length': '999', 'x-api-key': 'k', upgrade: 'h2c' },
    })
    request.headers.delete('content-length')
    await nodeTransport().request(request, loopback)
    expect(seen).toMatchObject([
      {
        method: 'POST',
        body: '{"é":1}',
        headers: { host: `localhost:${port}`, 'content-length': '8', 'x-api-key': 'k' },
      },
    ])
    expect(seen[0]?.headers).not.toHaveProperty('transfer-encoding')
    expect(seen[0]?.headers).not.toHaveProperty('upgrade')
  })

  it('gives an empty body and a form their length', async () => {
    const { origin, seen } = await serve((_request, response) => response.end())
    const form = new FormData()
    form.set('file', new Blob(['x'.repeat(100_000)]), 'x.txt')
    await nodeTransport().request(new Request(origin, { method: 'POST', body: form }), loopback)
    await nodeTransport().request(new Request(origin, { method: 'POST' }), loopback)
    expect(Number(seen[0]?.headers['content-length'])).toBe(seen[0]?.body.length)
    expect(seen[1]?.headers['content-length']).toBe('0')
  })

  it('streams an upload that is large', async () => {
    const { origin, seen } = await serve((_request, response) => response.end())
    const chunk = new Uint8Array(300_000).fill(97)
    let left = 10
    const large = new ReadableStream({
      pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
    })
    const init = { method: 'PUT', body: large, duplex: 'half' } as RequestInit
    await nodeTransport().request(new Request(origin, init), loopback)
    expect(seen[0]?.headers['transfer-encoding']).toBe('chunked')
    expect(seen[0]?.body).toHaveLength(3_000_000)
  })

  it('begins to send before an upload is whole', async () => {
    let finish = () => {}
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('first'))
        finish = () => controller.close()
      },
    })
    const { origin } = await serveRaw((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
      finish()
    })
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit
    expect((await nodeTransport().request(new Request(origin, init), loopback)).status).toBe(200)
  })

  it('keeps the length of a stream whose caller knows it', async () => {
    const { origin, seen } = await serve((_request, response) => response.end())
    const body = new Blob(['12345']).stream()
    const init = { method: 'PUT', body, duplex: 'half', headers: { 'content-length': '5' } }
    await nodeTransport().request(new Request(origin, init as RequestInit), loopback)
    expect(seen).toMatchObject([{ body: '12345', headers: { 'content-length': '5' } }])
  })

  it('lets go of an upload when nothing can be sent', async () => {
    const cancelled = Promise.withResolvers<void>()
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(600_000)),
      cancel: () => cancelled.resolve(),
    })
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit
    const request = new Request('http://127.0.0.1:1/', init)
    await expect(nodeTransport().request(request, publicOnly)).rejects.toThrow()
    await cancelled.promise
  })
})

describe('answers', () => {
  it('shows a redirect as it is and does not follow it', async () => {
    const { origin, seen } = await serve((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const response = await nodeTransport().request(new Request(origin), loopback)
    expect([response.status, response.headers.get('location')]).toEqual([302, '/elsewhere'])
    expect(seen).toHaveLength(1)
  })

  it('is a Response of the platform, with several cookies, Latin-1 header bytes and no body for 204', async () => {
    const { origin } = await serve((_request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('x-latin', 'caf\u00e9')
      response.writeHead(204, 'Fine').end()
    })
    const response = await nodeTransport().request(new Request(origin), loopback)
    expect(response).toBeInstanceOf(Response)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('x-latin')).toBe('caf\u00e9')
    expect([response.status, response.statusText, response.body]).toEqual([204, 'Fine', null])
  })

  it.each([
    ['gzip', gzipSync('text')],
    ['x-gzip', gzipSync('text')],
    ['deflate', deflateSync('text')],
    ['br', brotliCompressSync('text')],
    ['gzip, br', brotliCompressSync(gzipSync('text'))],
    ['identity', 'text'],
    ['unknown', 'text'],
  ])('decodes %s', async (coding, bytes) => {
    const { origin } = await serve((_request, response) => {
      response.setHeader('content-encoding', coding).end(bytes)
    })
    const transport = nodeTransport()
    expect(await (await transport.request(new Request(origin), loopback)).text()).toBe('text')
    const head = await transport.request(new Request(origin, { method: 'HEAD' }), loopback)
    expect(await head.text()).toBe('')
  })

  it('refuses three codings on top of each other and a status that does not exist', async () => {
    const stacked = await serve((_request, response) => {
      response.setHeader('content-encoding', 'gzip, gzip, gzip').end('x')
    })
    const odd = await serveRaw((socket) =>
      socket.end('HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n'),
    )
    for (const { origin } of [stacked, odd]) {
      await expect(nodeTransport().request(new Request(origin), loopback)).rejects.toMatchObject({
        code: 'response_malformed',
        details: { sent: true },
      })
    }
  })

  it('streams an event stream as it comes, and a reader who leaves closes the connection', async () => {
    const closed = Promise.withResolvers<void>()
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      request.socket.on('close', () => closed.resolve())
    })
    const response = await nodeTransport().request(new Request(origin), loopback)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toBe('data: 1\n\n')
    await reader?.cancel()
    await closed.promise
  })

  it('streams a large download whole, no faster than it is read', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let written = 0
    const { origin } = await serve(async (_request, response) => {
      for (; written < 32; written++) {
        if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
    })
    const response = await nodeTransport().request(new Request(origin), loopback)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(written).toBeLessThan(32)
    let size = 0
    for await (const part of response.body ?? []) size += part.byteLength
    expect(size).toBe(32 * 1024 * 1024)
  })

  it('a body that is aborted or breaks off rejects where it is read', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('part')
      if (request.url === '/break') setImmediate(() => request.socket.destroy())
    })
    const controller = new AbortController()
    const aborted = await nodeTransport().request(new Request(origin, controller), loopback)
    controller.abort(new Error('enough'))
    await expect(aborted.text()).rejects.toThrow('enough')
    const closed = { code: 'network_failed', details: { sent: true } }
    const broken = await nodeTransport().request(new Request(`${origin}/break`), loopback)
    await expect(broken.text()).rejects.toMatchObject(closed)
  })
})
