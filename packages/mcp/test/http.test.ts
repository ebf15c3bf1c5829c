import { request as send } from 'node:http'
import { AuthError } from '@authmd/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowRemote, type HttpServer, serveHttp } from '../src/index.ts'
import { overHttp, yes } from './client.ts'
import { otherToken, token } from './wire.ts'
import { email, owner, startWorld, type World } from './world.ts'

let world: World
let server: HttpServer
beforeEach(async () => {
  world = await startWorld()
  const callers = [
    { token, owner },
    { token: otherToken, owner: { tenant: 'acme', user: 'eve' } },
  ]
  server = await serveHttp(world.auth, {
    callers,
    allowedHosts: ['mcp.acme.example'],
    allowedOrigins: ['https://acme.example'],
  })
})
afterEach(async () => {
  await server.close()
  await world.close()
})

interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | undefined>
  readonly body?: unknown
}

const usual = {
  authorization: `Bearer ${token}`,
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
}
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 't', version: '1' },
  },
}
const discover = (service: string) => ({
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'auth_discover', arguments: { service } },
})

/** One request as it is written here, headers that browsers do not let pages set included. */
function ask({ method = 'POST', path = '/mcp', headers = {}, body }: Asked) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    headers: NodeJS.Dict<string | string[]>
    text: string
  }>()
  const given = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== undefined)
  const { port } = new URL(server.url)
  const options = { agent: false, port, method, path, headers: Object.fromEntries(given) }
  const sent = send({ host: '127.0.0.1', ...options }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('error', reject).on('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
    })
  })
  sent.on('error', reject)
  sent.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
  return promise
}

async function session(bearer: string = token): Promise<string> {
  const authorization = `Bearer ${bearer}`
  const { status, headers } = await ask({ headers: { authorization }, body: initialize })
  expect(status).toBe(200)
  return String(headers['mcp-session-id'])
}

describe('who may come in', () => {
  test.each([
    ['no token', undefined],
    ['another scheme', `Basic ${token}`],
    ['a wrong token', `Bearer ${token}x`],
    ['the beginning of a token', `Bearer ${token.slice(0, -1)}`],
    ['an empty token', 'Bearer '],
    ['two tokens', `Bearer ${token} ${token}`],
  ])('%s: 401, and nothing is done', async (_, authorization) => {
    const id = await session()
    for (const headers of [{ authorization }, { authorization, 'mcp-session-id': id }]) {
      for (const body of [initialize, discover(world.service)]) {
        const refused = await ask({ headers, body })
        expect(refused.status).toBe(401)
        expect(refused.headers['www-authenticate']).toBe('Bearer')
        expect(refused.headers['mcp-session-id']).toBeUndefined()
      }
    }
    expect(world.sandbox.log).toEqual([])
  })

  test.each([
    'evil.example',
    'evil.example:80',
    'mcp.acme.example.evil.example',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost',
  ])('the host %s: 403, whatever the token', async (host) => {
    expect((await ask({ headers: { host }, body: initialize })).status).toBe(403)
    expect((await ask({ headers: { host, authorization: undefined } })).status).toBe(403)
  })

  test('its own address in all spellings, and the names that were allowed', async () => {
    const { port } = new URL(server.url)
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      expect((await ask({ headers: { host }, body: initialize })).status).toBe(200)
    }
    expect((await ask({ headers: { host: 'MCP.acme.example' }, body: initialize })).status).toBe(
      200,
    )
  })

  test('pages of other origins', async () => {
    const { port } = new URL(server.url)
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${port}`]) {
      expect((await ask({ headers: { origin }, body: initialize })).status).toBe(403)
    }
    const origin = 'https://acme.example'
    expect((await ask({ headers: { origin }, body: initialize })).status).toBe(200)
  })

  test('a function that knows the callers', async () => {
    await server.close()
    const seen: string[] = []
    const callers = async (bearer: string) => {
      seen.push(bearer)
      if (bearer === 'broken') throw new Error(`the database has ${bearer}`)
      return bearer === token ? { owner } : undefined
    }
    server = await serveHttp(world.auth, { callers })
    expect((await ask({ body: initialize })).status).toBe(200)
    expect((await ask({ headers: { authorization: 'Bearer x' }, body: initialize })).status).toBe(
      401,
    )
    const broken = await ask({ headers: { authorization: 'Bearer broken' }, body: initialize })
    expect([broken.status, broken.text]).toEqual([500, expect.not.stringContaining('database')])
    expect(seen).toEqual([token, 'x', 'broken'])
  })

  test('a token that is taken back ends its sessions', async () => {
    await server.close()
    const good = new Set([token])
    server = await serveHttp(world.auth, {
      callers: (one) => (good.has(one) ? { owner } : undefined),
    })
    const id = await session()
    good.clear()
    const body = discover(world.service)
    expect((await ask({ headers: { 'mcp-session-id': id }, body })).status).toBe(401)
    expect(world.sandbox.log).toEqual([])
  })
})

describe('sessions', () => {
  test("another caller's session is not found, and goes on", async () => {
    const id = await session()
    const foreign = { authorization: `Bearer ${otherToken}`, 'mcp-session-id': id }
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? discover(world.service) : undefined
      expect((await ask({ method, headers: foreign, body })).status).toBe(404)
    }
    expect(world.sandbox.log).toEqual([])
    const own = await ask({ headers: { 'mcp-session-id': id }, body: discover(world.service) })
    expect([own.status, own.text]).toEqual([200, expect.stringContaining('telnyx-signup')])
  })

  test('without a session only one can be begun', async () => {
    for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH']) {
      expect((await ask({ method })).status).toBeGreaterThanOrEqual(400)
    }
    expect((await ask({ body: discover(world.service) })).status).toBe(400)
    const unknown = { 'mcp-session-id': 'made-up' }
    expect((await ask({ headers: unknown, body: discover(world.service) })).status).toBe(404)
    expect((await ask({ method: 'GET', path: '/', headers: unknown })).status).toBe(404)
    expect(world.sandbox.log).toEqual([])
  })

  test('GET opens one stream, DELETE ends the session', async () => {
    const headers = { 'mcp-session-id': await session() }
    const stream = ask({ method: 'GET', headers })
    await ask({ headers, body: { jsonrpc: '2.0', method: 'notifications/initialized' } })
    expect((await ask({ method: 'GET', headers })).status).toBe(409)
    expect((await ask({ method: 'PUT', headers })).status).toBe(405)
    expect((await ask({ method: 'DELETE', headers })).status).toBe(200)
    expect((await stream).status).toBe(200)
    expect((await ask({ headers, body: discover(world.service) })).status).toBe(404)
    expect(world.sandbox.log).toEqual([])
  })

  test('clients that never end theirs do not pile up, nor push out those of others', async () => {
    const others = await session(otherToken)
    const used = await session()
    const unused = [await session(), await session()]
    const ping = { jsonrpc: '2.0', id: 3, method: 'ping' }
    const alive = async (id: string, bearer = token) => {
      const headers = { 'mcp-session-id': id, authorization: `Bearer ${bearer}` }
      return (await ask({ headers, body: ping })).status
    }
    for (let more = 31; more > 0; more--) {
      await session()
      expect(await alive(used)).toBe(200)
    }
    expect(await Promise.all(unused.map((one) => alive(one)))).toEqual([404, 404])
    expect(await alive(others, otherToken)).toBe(200)
  })

  test('there is one endpoint', async () => {
    for (const path of [
      '/',
      '/mcp/',
      '/mcpx',
      '/x/mcp',
      '//mcp',
      '/sse',
      'http://evil.example/mcp',
    ]) {
      expect((await ask({ path, body: initialize })).status).toBe(404)
    }
    expect((await ask({ path: '/mcp?from=here', body: initialize })).status).toBe(200)
  })
})

describe('bodies', () => {
  test('2 MiB, declared or not, before and in a session', async () => {
    const filler = 'x'.repeat(2 * 1024 * 1024)
    const { params } = discover(world.service)
    const huge = { ...discover(world.service), params: { ...params, filler } }
    const headers = { 'mcp-session-id': await session() }
    for (const one of [{}, headers]) {
      for (const more of [{}, { 'transfer-encoding': 'chunked' }]) {
        // The connection may be closed before the client has written all and reads.
        const refused = await ask({ headers: { ...one, ...more }, body: huge }).catch(
          () => undefined,
        )
        expect([413, undefined]).toContain(refused?.status)
      }
    }
    expect(world.sandbox.log).toEqual([])
    expect((await ask({ headers, body: discover(world.service) })).status).toBe(200)
    expect(world.sandbox.log).not.toEqual([])
  })

  test.each([
    ['no JSON', '{'],
    ['no JSON-RPC', '{"a":1}'],
    ['nothing', ''],
    ['a batch of 101', JSON.stringify(Array.from({ length: 101 }, () => discover('x')))],
    ['an array a thousand deep', '['.repeat(1000) + ']'.repeat(1000)],
  ])('%s: 400, in a session and outside', async (_, body) => {
    expect((await ask({ body })).status).toBe(400)
    expect((await ask({ headers: { 'mcp-session-id': await session() }, body })).status).toBe(400)
  })

  test('another media type: 415', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect((await ask({ headers, body: JSON.stringify(initialize) })).status).toBe(415)
  })
})

describe('where it listens', () => {
  const callers = [{ token, owner }]
  test.each(['0.0.0.0', '::', '192.0.2.1', 'mcp.acme.example', ''])(
    '%s needs the symbol and the allowed hosts',
    async (host) => {
      const allowedHosts = ['mcp.acme.example']
      for (const more of [{}, { allowedHosts }, { [allowRemote]: true as const }]) {
        const refused = serveHttp(world.auth, { callers, host, ...more })
        await expect(refused).rejects.toMatchObject({ code: 'invalid_input' })
      }
    },
  )

  test('with both it does, and answers to the allowed names and this machine only', async () => {
    await server.close()
    server = await serveHttp(world.auth, {
      callers,
      host: '0.0.0.0',
      allowedHosts: ['mcp.acme.example'],
      [allowRemote]: true,
    })
    const { port } = new URL(server.url)
    for (const [host, status] of [
      ['mcp.acme.example', 200],
      [`127.0.0.1:${port}`, 200],
      [`0.0.0.0:${port}`, 403],
      [`192.0.2.1:${port}`, 403],
    ] as const) {
      expect((await ask({ headers: { host }, body: initialize })).status).toBe(status)
    }
  })

  test('a short token, an owner without a tenant, a taken port', async () => {
    const short = serveHttp(world.auth, { callers: [{ token: 'short', owner }] })
    await expect(short).rejects.toMatchObject({ code: 'invalid_input' })
    const nobody = serveHttp(world.auth, { callers: [{ token, owner: { tenant: '' } }] })
    await expect(nobody).rejects.toMatchObject({ code: 'owner_invalid' })
    const taken = serveHttp(world.auth, { callers, port: Number(new URL(server.url).port) })
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(AuthError.isInstance(await nobody.catch((error: unknown) => error))).toBe(true)
  })

  test('closing ends what is open', async () => {
    const client = await overHttp(server.url, { answer: yes })
    await server.close()
    await expect(client.text('auth_discover', {})).rejects.toThrow()
    await client.close()
    server = await serveHttp(world.auth, { callers })
  })
})

test('two owners see nothing of each other', async () => {
  const kim = await overHttp(server.url, { answer: yes })
  const eve = await overHttp(server.url, { answer: yes, bearer: otherToken })
  await kim.text('auth_register', { service: world.service })
  expect(await kim.text('auth_discover', {})).toContain('reg_')
  expect(await eve.text('auth_discover', {})).not.toContain('reg_')
  expect(await eve.text('auth_discover', {})).not.toContain(email)
  await kim.close()
  await eve.close()
})
