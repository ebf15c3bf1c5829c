import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { serve, serveRaw } from '../../test/loopback-servers.ts'
import { nodeTransport } from '../node/transport.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { parseJson } from './json.ts'
import { allowLoopback, type GuardedAnswer, type NetLimits } from './transport.ts'

const guarded = createGuardedFetch({ transport: nodeTransport(), [allowLoopback]: true })
const mebibyte = 1024 * 1024

function read(
  origin: string,
  limits: Partial<NetLimits> = {},
  method = 'GET',
): Promise<GuardedAnswer> {
  return guarded({ url: origin, start: origin, limits, method })
}

const tooLarge = { code: 'response_too_large', details: { sent: true } }
const timeout = { code: 'response_timeout', details: { sent: true } }
const malformed = { code: 'response_malformed', details: { sent: true } }

it('a body that never ends is cut at the limit and its connection closed', async () => {
  const closed = Promise.withResolvers<void>()
  const { origin } = await serve((request, response) => {
    const more = () => {
      while (!request.socket.destroyed && response.write('x'.repeat(10_000)));
    }
    request.socket.on('close', () => closed.resolve())
    response.on('drain', more)
    more()
  })
  await expect(read(origin)).rejects.toMatchObject(tooLarge)
  await closed.promise
})

it('the limit is 1 MiB, to the byte, and can be set', async () => {
  const { origin } = await serve((request, response) => {
    response.write('x')
    response.end('x'.repeat(Number(request.url?.slice(1)) - 1))
  })
  expect((await read(`${origin}/${mebibyte}`)).text).toHaveLength(mebibyte)
  await expect(read(`${origin}/${mebibyte + 1}`)).rejects.toMatchObject(tooLarge)
  expect((await read(`${origin}/${mebibyte + 1}`, { maxBytes: 2 * mebibyte })).status).toBe(200)
  await expect(read(`${origin}/11`, { maxBytes: 10 })).rejects.toMatchObject(tooLarge)
  const smaller = createGuardedFetch({
    transport: nodeTransport(),
    limits: { maxBytes: 10 },
    [allowLoopback]: true,
  })
  await expect(smaller({ url: `${origin}/11`, start: origin })).rejects.toMatchObject(tooLarge)
})

it('10 GiB declared is refused before any of it is read, except in answer to HEAD', async () => {
  const { origin } = await serveRaw((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${10 * 1024 ** 3}\r\n\r\n`)
  })
  await expect(read(origin)).rejects.toMatchObject(tooLarge)
  expect((await read(origin, {}, 'HEAD')).status).toBe(200)
})

it('1 byte a second is cut at the time limit', async () => {
  const { origin } = await serve((request, response) => {
    const timer = setInterval(() => response.write('x'), 40)
    request.socket.on('close', () => clearInterval(timer))
    response.write('x')
  })
  await expect(read(origin, { timeoutMs: 150 })).rejects.toMatchObject(timeout)
})

it('headers that never come are cut at the time limit', async () => {
  const { origin } = await serveRaw((socket) => socket.write('HTTP/1.1 200 OK\r\nx-a:'))
  await expect(read(origin, { timeoutMs: 60 })).rejects.toMatchObject(timeout)
})

it('the time limit covers all redirects together', async () => {
  const { origin } = await serve((request, response) => {
    const location = `/${Number(request.url?.slice(1) || 0) + 1}`
    setTimeout(() => response.writeHead(302, { location }).end(), 60)
  })
  await expect(read(origin, { timeoutMs: 150 })).rejects.toMatchObject(timeout)
})

it('a gzip bomb is cut at the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * mebibyte))
  expect(bomb.byteLength).toBeLessThan(mebibyte)
  const { origin } = await serve((_request, response) => {
    response.setHeader('content-encoding', 'gzip').end(bomb)
  })
  const before = process.memoryUsage.rss()
  await expect(read(origin)).rejects.toMatchObject(tooLarge)
  expect(process.memoryUsage.rss() - before).toBeLessThan(50 * mebibyte)
})

it('broken or half compression is malformed', async () => {
  const whole = gzipSync('x'.repeat(1000))
  const bodies = [Buffer.from('not gzip at all'), whole.subarray(0, -12)]
  const { origin } = await serve((_request, response) => {
    response.setHeader('content-encoding', 'gzip').end(bodies.shift())
  })
  await expect(read(origin)).rejects.toMatchObject(malformed)
  await expect(read(origin)).rejects.toMatchObject(malformed)
})

it('a 50 MB header is cut off', async () => {
  const closed = Promise.withResolvers<number>()
  const { origin } = await serveRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nx-a: ')
    let sent = 0
    const more = () => {
      while (sent < 50 * mebibyte && !socket.destroyed) {
        sent += 65_536
        if (!socket.write('a'.repeat(65_536))) return
      }
    }
    socket.on('drain', more).on('close', () => closed.resolve(sent))
    more()
  })
  await expect(read(origin)).rejects.toMatchObject(tooLarge)
  expect(await closed.promise).toBeLessThan(50 * mebibyte)
})

it('many small headers are cut off too', async () => {
  const { origin } = await serveRaw((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${'x-a: 1\r\n'.repeat(20_000)}\r\n`)
  })
  await expect(read(origin)).rejects.toMatchObject(tooLarge)
})

it.each([
  ['two content lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
  [
    'a length and chunks',
    'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  ],
  ['a chunk without size', 'transfer-encoding: chunked\r\n\r\nzz\r\n'],
  ['a header without colon', 'nonsense\r\n\r\n'],
])('HTTP/1.1 with %s is malformed', async (_name, rest) => {
  const { origin } = await serveRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}`))
  const error = await read(origin).catch((caught: unknown) => caught)
  expect(error).toMatchObject(malformed)
  expect((error as Error).cause, 'which would quote the answer').toBeUndefined()
})

it('a body that breaks off is a network failure', async () => {
  const { origin } = await serveRaw((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'),
  )
  await expect(read(origin)).rejects.toMatchObject({
    code: 'network_failed',
    details: { sent: true },
  })
})

it.each<[string, Uint8Array, string]>([
  ['UTF-8 with BOM', Buffer.from('\uFEFF{"é":1}'), '{"é":1}'],
  ['UTF-16LE with BOM', Buffer.from('\uFEFF{"é":1}', 'utf16le'), '{"é":1}'],
  ['UTF-16BE with BOM', Buffer.from('\uFEFF{"é":1}', 'utf16le').swap16(), '{"é":1}'],
  ['UTF-16LE cut in half', Buffer.from([0xff, 0xfe, 0x61]), '\uFFFD'],
  ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22]), '"\uFFFD(\uFFFD"'],
  ['nothing', Buffer.alloc(0), ''],
])('reads %s', async (_name, bytes, text) => {
  const { origin } = await serve((_request, response) => response.end(bytes))
  expect((await read(origin)).text).toBe(text)
})

it('a character split over two chunks stays whole', async () => {
  const { origin } = await serve((_request, response) => {
    response.write(Buffer.from([0xc3]))
    setTimeout(() => response.end(Buffer.from([0xa9])), 20)
  })
  expect((await read(origin)).text).toBe('é')
})

it('JSON sent as text/html, text/plain or a +json type is there to be read', async () => {
  // @see kanidm/kanidm#4470, identity-model-oidc-client-js#488
  const types = ['text/html', 'text/plain', 'application/jwk-set+json', '']
  for (const type of types) {
    const { origin } = await serve((_request, response) => {
      if (type !== '') response.setHeader('content-type', `${type}; charset=x`)
      response.end('{"error":"invalid_grant"}')
    })
    const answer = await read(origin)
    expect(answer.mediaType).toBe(type)
    expect(parseJson(answer.text)).toEqual({ error: 'invalid_grant' })
  }
})
