import { setTimeout as sleep } from 'node:timers/promises'
import { personAtPortal } from '@authmd/sandbox'
import Telnyx from 'telnyx'
import { describe, expect, it } from 'vitest'
import { agreed, canary, hold } from './held.ts'
import { serve } from './loopback-servers.ts'
import { startWorld } from './world.ts'

/** A service that says what it got. */
const echo: Parameters<typeof hold>[0] = async (request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method: request.method, url: request.url }))
}

async function fetching(handler = echo, more: Parameters<typeof hold>[1] = {}) {
  const held = await hold(handler, more)
  return { ...held, origin: held.service.origin, fetch: held.session.fetch(held.service.origin) }
}

describe('takes what fetch takes', () => {
  it('a text, a URL, a Request, and a Request with something changed', async () => {
    const { origin, service, fetch } = await fetching()
    const request = new Request(`${origin}/r`, { headers: { 'x-a': '1' } })
    await fetch(`${origin}/s?a=b#c`)
    await fetch(new URL(`${origin}/u`))
    await fetch(request)
    await fetch(new Request(request), { method: 'PATCH', headers: { 'x-b': '2' }, body: 'text' })
    const got = service.seen.map(({ method, url, body }) => [method, url, body])
    expect(got).toEqual([
      ['GET', '/s?a=b', ''],
      ['GET', '/u', ''],
      ['GET', '/r', ''],
      ['PATCH', '/r', 'text'],
    ])
    expect(service.seen[2]?.headers['x-a']).toBe('1')
    expect(service.seen[3]?.headers).toMatchObject({
      'x-b': '2',
      'content-type': 'text/plain;charset=UTF-8',
    })
    expect(service.seen[3]?.headers).not.toHaveProperty('x-a')
    for (const { headers } of service.seen) expect(headers.authorization).toBe(`Bearer ${canary}`)
  })

  it('forms, parameters, bytes and streams as a body', async () => {
    const { origin, service, fetch } = await fetching()
    const form = new FormData()
    form.set('file', new Blob(['bytes']), 'a.txt')
    const stream = new ReadableStream({
      async start(controller) {
        for (const part of ['one ', 'two ', 'three']) {
          controller.enqueue(new TextEncoder().encode(part))
          await sleep(2)
        }
        controller.close()
      },
    })
    const post = (body: BodyInit) =>
      fetch(origin, { method: 'POST', body, duplex: 'half' } as RequestInit)
    await post(form)
    await post(new URLSearchParams({ a: 'b c' }))
    await post(new Uint8Array([0x61, 0x62]))
    await post(stream)
    const [multi, params, bytes, streamed] = service.seen
    expect(multi?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(multi?.body).toContain('filename="a.txt"')
    expect([params?.body, bytes?.body, streamed?.body]).toEqual(['a=b+c', 'ab', 'one two three'])
  })

  it('the credential in the place of what the caller put there', async () => {
    const headers = {
      Authorization: 'Bearer unused',
      'X-Api-Key': 'unused',
      'Api-Key': 'unused',
      Cookie: 'a=b',
      'Proxy-Authorization': 'unused',
    }
    for (const [more, sent] of [
      [{}, { authorization: `Bearer ${canary}` }],
      [{ header: { name: 'X-Api-Key' } }, { 'x-api-key': canary }],
      [{ header: { name: 'Vendor', prefix: 'Key ' } }, { vendor: `Key ${canary}` }],
    ] as const) {
      const { origin, service, fetch } = await fetching(echo, more)
      await fetch(origin, { headers })
      const seen = service.seen[0]?.headers ?? {}
      const about = Object.entries(seen).filter(([name]) => /auth|key|cookie|vendor/.test(name))
      expect(Object.fromEntries(about)).toEqual(sent)
    }
  })

  it.each(['/v2evil', '/', '/v2/%2e%2e/x', '/v2/../x', '/v2/a%2fb'])(
    'refuses %s, outside of where the credential may go',
    async (path) => {
      const { origin, service, session, handle } = await fetching()
      await session.forget(handle)
      await session.import({ service: origin, audience: `${origin}/v2`, secret: canary })
      await expect(session.fetch(origin)(origin + path)).rejects.toMatchObject({
        code: 'outside_audience',
      })
      expect(service.connections()).toBe(0)
    },
  )

  it('refuses other origins, with a trap there, and what is no URL', async () => {
    const trap = await serve(echo)
    const { fetch, service } = await fetching()
    for (const url of [trap.origin, service.origin.replace('http', 'https')]) {
      const call = fetch(url, { method: 'POST', body: 'x' })
      await expect(call).rejects.toMatchObject({ code: 'outside_audience' })
    }
    await expect(fetch('/relative')).rejects.toBeInstanceOf(TypeError)
    expect(trap.connections() + service.connections()).toBe(0)
  })

  it('says when there is no credential, and of which state the last one is', async () => {
    const { origin, session, handle } = await fetching()
    const none = session.fetch('https://nobody.example')('https://nobody.example/')
    await expect(none).rejects.toMatchObject({ code: 'not_found' })
    await session.forget(handle)
    await expect(session.fetch(origin)(origin)).rejects.toThrow('is forgotten')
  })
})

describe('gives what fetch gives', () => {
  it('status, headers, several cookies, the address', async () => {
    const { origin, fetch } = await fetching((_request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('x-id', 'abc')
      response.writeHead(201, 'Made').end('made')
    })
    const response = await fetch(`${origin}/p?q=1#h`)
    expect([response.status, response.statusText, response.ok]).toEqual([201, 'Made', true])
    expect([response.url, response.redirected]).toEqual([`${origin}/p?q=1`, false])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('x-id')).toBe('abc')
    expect(await response.text()).toBe('made')
  })

  it.each([204, 304])('%i without a body', async (status) => {
    const { origin, fetch } = await fetching((_request, response) => {
      response.writeHead(status).end()
    })
    const response = await fetch(origin)
    expect([response.status, response.body]).toEqual([status, null])
  })

  it('a body piece by piece, before its end is there', async () => {
    let finish = () => {}
    const { origin, fetch } = await fetching((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      finish = () => response.end('data: last\n\n')
    })
    const reader = (await fetch(origin)).body?.getReader()
    const text = async () => new TextDecoder().decode((await reader?.read())?.value)
    expect(await text()).toBe('data: first\n\n')
    finish()
    expect(await text()).toBe('data: last\n\n')
    expect((await reader?.read())?.done).toBe(true)
  })

  it('bytes that are no text as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
    const { origin, fetch } = await fetching((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '256' }).end(bytes)
    })
    const response = await fetch(origin)
    expect(response.headers.get('content-length')).toBe('256')
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  })

  it.each([
    'application/json',
    'application/problem+json',
    'text/html',
    'application/x-ndjson',
    '',
  ])('text of the type %j without the credential', async (type) => {
    const { origin, fetch } = await fetching((request, response) => {
      const half = Math.floor(canary.length / 2)
      if (type !== '') response.setHeader('content-type', type)
      response.writeHead(200, 'OK', { 'x-echo': request.headers.authorization ?? '' })
      response.write(`{"got":"${canary.slice(0, half)}`)
      setTimeout(() => response.end(`${canary.slice(half)}"}`), 5)
    })
    const response = await fetch(origin)
    expect(response.headers.get('x-echo')).toBe('Bearer [secret held by the vault]')
    expect(await response.text()).toBe('{"got":"[secret held by the vault]"}')
  })

  it('the reason of an abort: before, while waiting, and while reading', async () => {
    const { origin, service, session, fetch } = await fetching((request, response) => {
      if (request.url === '/never') return
      response.writeHead(200, { 'content-type': 'text/plain' }).write('begun')
    })
    const reason = new Error('not wanted any more')
    await expect(fetch(origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(service.connections()).toBe(0)
    const nobody = session.fetch('https://nobody.example')
    const signal = AbortSignal.abort(reason)
    await expect(nobody('https://nobody.example', { signal })).rejects.toBe(reason)

    const waiting = new AbortController()
    const call = fetch(`${origin}/never`, { signal: waiting.signal })
    setTimeout(() => waiting.abort(), 20)
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })

    const late = fetch(`${origin}/never`, { signal: AbortSignal.timeout(20) })
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' })

    const reading = new AbortController()
    const response = await fetch(origin, { signal: reading.signal })
    const text = response.text()
    reading.abort(reason)
    await expect(text).rejects.toThrow()
  })

  it('a failure of the network as an error that quotes no secret', async () => {
    const { origin, fetch } = await fetching((request) => void request.socket.destroy())
    const error = await fetch(`${origin}/x?k=v`).catch((error: unknown) => error)
    expect(error).toMatchObject({ name: 'AuthError', code: 'network_failed' })
    expect(JSON.stringify(error)).not.toContain(canary)
  })
})

it('notes what the answers say about the credential', async () => {
  let status = 401
  const { origin, session, fetch } = await fetching((_request, response) => {
    response.writeHead(status).end()
  })
  const state = async () => (await session.list())[0]?.state
  expect((await fetch(origin)).status).toBe(401)
  expect(await state()).toBe('invalid')
  status = 200
  await fetch(origin)
  expect(await state()).toBe('active')
})

describe('the published SDK of the service notices nothing', () => {
  async function client() {
    const { sandbox, auth, session } = await startWorld()
    const made = await personAtPortal(sandbox, 'kim@operator.test').makeKey()
    const { api } = sandbox.urls
    await session.import({ service: api, audience: `${api}/v2`, secret: made.api_key })
    const telnyx = new Telnyx({
      apiKey: 'unused',
      baseURL: `${api}/v2`,
      fetch: session.fetch(api),
      maxRetries: 0,
    })
    return { sandbox, auth, telnyx, session, made }
  }

  it('lists, reads and orders', async () => {
    const { sandbox, telnyx, made } = await client()
    await using _ = sandbox
    const numbers = await telnyx.availablePhoneNumbers.list({ filter: { locality: 'Seattle' } })
    expect(numbers.data).toHaveLength(4)
    const { data: balance } = await telnyx.balance.retrieve()
    expect(balance).toMatchObject({ balance: '5.00', currency: 'USD' })
    const order = await telnyx.numberOrders.create({
      phone_numbers: [{ phone_number: numbers.data?.[0]?.phone_number ?? '' }],
    })
    expect(order.data?.status).toBe('success')
    const names = sandbox.log.map((entry) => entry.name).slice(-3)
    expect(names).toEqual(['available_phone_numbers', 'balance', 'number_orders'])
    for (const entry of sandbox.log.slice(-3)) expect(entry.authorization).toBe(made.id)
  })

  it('maps errors, also those of the network and of its own time limit', async () => {
    const { sandbox, telnyx } = await client()
    await using _ = sandbox
    const wrong = telnyx.messages.send({ to: '+15550100' })
    await expect(wrong).rejects.toBeInstanceOf(Telnyx.BadRequestError)
    await expect(wrong).rejects.toMatchObject({ status: 400 })
    const faults: [Parameters<typeof sandbox.faults.add>[0], new (...args: never[]) => Error][] = [
      [{ name: 'balance', times: 1, status: 401, body: {} }, Telnyx.AuthenticationError],
      [{ name: 'balance', times: 1, status: 429, body: {} }, Telnyx.RateLimitError],
      [{ name: 'balance', times: 1, status: 500, body: 'x' }, Telnyx.InternalServerError],
      [{ name: 'balance', times: 1, cut: 'before' }, Telnyx.APIConnectionError],
      [{ name: 'balance', times: 1, delay: 3_000 }, Telnyx.APIConnectionTimeoutError],
    ]
    for (const [fault, kind] of faults) {
      sandbox.faults.add(fault)
      await expect(telnyx.balance.retrieve({ timeout: 200 })).rejects.toBeInstanceOf(kind)
    }
    sandbox.faults.add({ name: 'balance', delay: 3_000, times: 1 })
    const abort = new AbortController()
    const call = telnyx.balance.retrieve({ signal: abort.signal })
    setTimeout(() => abort.abort(), 20)
    await expect(call).rejects.toBeInstanceOf(Telnyx.APIUserAbortError)
  })

  it('tries again by itself where the service failed', async () => {
    const { sandbox, telnyx } = await client()
    await using _ = sandbox
    sandbox.faults.add({
      name: 'balance',
      times: 1,
      status: 503,
      headers: { 'retry-after-ms': '1' },
    })
    const { data } = await telnyx.withOptions({ maxRetries: 1 }).balance.retrieve()
    expect(data?.balance).toBe('5.00')
  })

  it('is refused at once when the key is being revoked', async () => {
    const { sandbox, auth, telnyx, session } = await client()
    await using _ = sandbox
    const [view] = await session.list()
    await telnyx.balance.retrieve()
    await agreed(auth, () => session.revoke({ credential: view?.handle ?? '' }))
    const sent = sandbox.log.length
    await expect(telnyx.balance.retrieve()).rejects.toMatchObject({
      cause: { code: 'not_found', message: expect.stringContaining('is forgotten') },
    })
    expect(sandbox.log).toHaveLength(sent)
  })
})
