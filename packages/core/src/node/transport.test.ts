import { createServer as createNetServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { serve, serveRaw, trap } from '../../test/loopback-servers.ts'
import { checkAddress } from '../net/address.ts'
import { nodeTransport } from './transport.ts'

const loopback = (address: string) => checkAddress(address, { loopbackAllowed: true })
const publicOnly = (address: string) => checkAddress(address, { loopbackAllowed: false })
/** Stands for "public" in tests: the only address that passes is the server's. */
const only = (allowed: string) => (address: string) => {
  if (address !== allowed) throw new Error(`refused ${address}`)
}

describe('addresses', () => {
  it('a name that resolves to a public and a private address is refused, nothing sent', async () => {
    const { port, connections } = await trap()
    for (const answers of [
      ['1.1.1.1', '127.0.0.1'],
      ['127.0.0.1', '1.1.1.1'],
      ['::ffff:127.0.0.1'],
    ]) {
      const transport = nodeTransport({ lookup: async () => answers })
      await expect(
        transport.request(new Request(`http://svc.test:${port}/`), publicOnly),
      ).rejects.toMatchObject({ code: 'address_refused', details: { sent: false } })
    }
    expect(connections()).toBe(0)
  })

  it('the address that was checked is the one connected to, with the name as Host', async () => {
    const { port, seen } = await serve((_request, response) => response.end('here'))
    const lookup = vi.fn(async () => ['127.0.0.1'])
    const checked: string[] = []
    const response = await nodeTransport({ lookup }).request(
      new Request(`http://svc.test:${port}/a?b`),
      (address) => checked.push(address),
    )
    expect(await response.text()).toBe('here')
    expect(response.url).toBe(`http://svc.test:${port}/a?b`)
    expect(checked).toEqual(['127.0.0.1'])
    expect(lookup).toHaveBeenCalledExactlyOnceWith('svc.test')
    expect(seen).toMatchObject([{ url: '/a?b', headers: { host: `svc.test:${port}` } }])
  })

  it('a name whose second answer differs from the first (rebinding) never leads to the second', async () => {
    const { port, seen, connections } = await serve((_request, response) => {
      response.setHeader('connection', 'close')
      response.end()
    })
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    const transport = nodeTransport({ lookup: async () => answers.shift() ?? [] })
    const request = () =>
      transport.request(new Request(`http://svc.test:${port}/`), only('127.0.0.1'))
    await (await request()).text()
    await vi.waitFor(async () => {
      await expect(request()).rejects.toMatchObject({ details: { sent: false } })
    }, 30_000)
    expect(answers).toEqual([])
    expect(connections()).toBe(seen.length)
  })

  it('of several addresses each is checked, and the first that answers is spoken to (happy eyeballs)', async () => {
    const { port, seen } = await serve((_request, response) => response.end('here'))
    const addresses = ['127.0.0.2', '::1', '127.0.0.1']
    const checked: string[] = []
    const response = await nodeTransport({ lookup: async () => addresses }).request(
      new Request(`http://svc.test:${port}/`),
      (address) => checked.push(address),
    )
    expect(await response.text()).toBe('here')
    expect(checked).toEqual(addresses)
    expect(seen).toHaveLength(1)
  })

  it('checks literal addresses and localhost too', async () => {
    const { port, connections } = await trap()
    const lookup = vi.fn(async () => ['1.1.1.1'])
    for (const host of ['127.0.0.1', '[::1]', 'localhost', 'svc.localhost', '[::ffff:7f00:1]']) {
      const request = new Request(`http://${host}:${port}/`)
      await expect(
        nodeTransport({ lookup }).request(request, publicOnly),
        host,
      ).rejects.toMatchObject({
        code: 'address_refused',
        details: { sent: false },
      })
    }
    expect(connections()).toBe(0)
    expect(lookup).not.toHaveBeenCalled()
  })

  it('dials names under localhost without asking a resolver', async () => {
    const { port } = await serve((_request, response) => response.end('dev'))
    const lookup = vi.fn(async () => ['1.1.1.1'])
    const request = new Request(`http://svc.localhost:${port}/`)
    const response = await nodeTransport({ lookup }).request(request, loopback)
    expect(await response.text()).toBe('dev')
    expect(lookup).not.toHaveBeenCalled()
  })

  it('an open connection made with loopback allowed is closed to a request without', async () => {
    const { port, connections, seen } = await serve((_request, response) => response.end('x'))
    const transport = nodeTransport({ lookup: async () => ['127.0.0.1'] })
    const request = () => new Request(`http://svc.test:${port}/`)
    for (let i = 0; i < 9; i++) await (await transport.request(request(), loopback)).text()
    expect(connections()).toBeLessThan(4)
    await expect(transport.request(request(), publicOnly)).rejects.toMatchObject({
      code: 'address_refused',
      details: { sent: false },
    })
    expect(seen).toHaveLength(9)
  })

  it('concurrent first requests are each checked and share the addresses', async () => {
    const { port, seen } = await serve((_request, response) => response.end('x'))
    const transport = nodeTransport({ lookup: async () => ['127.0.0.1'] })
    const one = () => transport.request(new Request(`http://svc.test:${port}/`), loopback)
    const refused = expect(
      transport.request(new Request(`http://svc.test:${port}/`), publicOnly),
    ).rejects.toMatchObject({ code: 'address_refused' })
    const answers = await Promise.all([one(), one(), one()])
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200])
    await refused
    expect(seen).toHaveLength(3)
  })

  it('uses no proxy from the environment', async () => {
    const proxy = await trap()
    const { origin } = await serve((_request, response) => response.end('direct'))
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY']) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`)
    }
    const response = await nodeTransport().request(new Request(origin), loopback)
    vi.unstubAllEnvs()
    expect(await response.text()).toBe('direct')
    expect(proxy.connections()).toBe(0)
  })
})

describe('what was sent when it fails', () => {
  it('nothing: no such name, no address, refused connection', async () => {
    const { port } = await closedPort()
    const noName = { lookup: () => Promise.reject(new Error('ENOTFOUND')) }
    for (const options of [
      noName,
      { lookup: async () => [] },
      { lookup: async () => ['127.0.0.1'] },
    ]) {
      const request = new Request(`http://svc.test:${port}/p?token=canary`, {
        method: 'POST',
        body: 'x',
      })
      const failed = nodeTransport(options).request(request, loopback)
      await expect(failed).rejects.toMatchObject({
        code: 'network_failed',
        message: `request to http://svc.test:${port}/p failed`,
        details: { sent: false },
        cause: expect.any(Error),
      })
    }
  })

  it('nothing: https to a server that speaks no TLS', async () => {
    const { origin } = await serveRaw((socket) => socket.end('HTTP/1.1 400 no\r\n\r\n'))
    const request = new Request(origin.replace('http:', 'https:'), { method: 'POST', body: 'x' })
    await expect(nodeTransport().request(request, loopback)).rejects.toMatchObject({
      code: 'network_failed',
      details: { sent: false },
    })
  })

  it('perhaps something: the connection breaks after the request', async () => {
    const { origin } = await serveRaw((socket) => socket.destroy())
    await expect(nodeTransport().request(new Request(origin), loopback)).rejects.toMatchObject({
      code: 'network_failed',
      details: { sent: true },
    })
  })

  it('sends a request once, also where the server hangs up on a reused connection', async () => {
    let answers = 0
    const server = await serve((request, response) => {
      if (answers++ < 8) response.end('x')
      else request.socket.destroy()
    })
    const transport = nodeTransport()
    for (let i = 0; i < 8; i++) {
      await (await transport.request(new Request(server.origin), loopback)).text()
    }
    await expect(transport.request(new Request(server.origin), loopback)).rejects.toMatchObject({
      code: 'network_failed',
      details: { sent: true },
    })
    expect(server.seen).toHaveLength(9)
    expect(server.connections()).toBeLessThan(4)
  })

  it('nothing: aborted before and during the look-up', async () => {
    const transport = nodeTransport({ lookup: () => new Promise(() => {}) })
    const aborted = { code: 'aborted', details: { sent: false } }
    const before = new Request('http://svc.test/', { signal: AbortSignal.abort('why') })
    await expect(transport.request(before, loopback)).rejects.toMatchObject({
      ...aborted,
      cause: 'why',
    })
    const controller = new AbortController()
    const during = transport.request(new Request('http://svc.test/', controller), loopback)
    controller.abort()
    await expect(during).rejects.toMatchObject(aborted)
  })

  it('something: aborted while waiting for the answer, and the connection is given up', async () => {
    const controller = new AbortController()
    const closed = Promise.withResolvers<void>()
    const { origin } = await serve((request) => {
      request.socket.on('close', () => closed.resolve())
      controller.abort()
    })
    await expect(
      nodeTransport().request(new Request(origin, controller), loopback),
    ).rejects.toMatchObject({ code: 'aborted', details: { sent: true } })
    await closed.promise
  })
})

async function closedPort(): Promise<{ port: number }> {
  const server = createNetServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return { port }
}
