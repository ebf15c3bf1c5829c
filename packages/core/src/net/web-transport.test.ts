import { expect, it } from 'vitest'
import { serve } from '../../test/loopback-servers.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { allowLoopback } from './transport.ts'
import { webTransport } from './web-transport.ts'

const start = 'https://svc.test/'

it('works on the fetch of the platform and does not follow redirects', async () => {
  const { origin, seen } = await serve((request, response) => {
    if (request.url === '/') response.writeHead(307, { location: '/b' })
    response.end('end')
  })
  const guarded = createGuardedFetch({ transport: webTransport(fetch), [allowLoopback]: true })
  const answer = await guarded({ url: origin, start: origin, method: 'POST', body: 'b' })
  expect(answer).toMatchObject({ text: 'end', hops: [{ status: 307 }] })
  expect(seen.map((one) => [one.method, one.url, one.body])).toEqual([
    ['POST', '/', 'b'],
    ['POST', '/b', 'b'],
  ])
})

it('asks for the redirect itself, whatever the request says', async () => {
  const { origin, seen } = await serve((_request, response) => {
    response.writeHead(302, { location: '/b' }).end()
  })
  const response = await webTransport(fetch).request(new Request(origin), () => {})
  expect([response.status, response.headers.get('location')]).toEqual([302, '/b'])
  expect(seen).toHaveLength(1)
})

it('without a voucher speaks to the origin of the start only', async () => {
  const asked: string[] = []
  const fetch = async (request: Request) => {
    asked.push(request.url)
    return request.url === start
      ? new Response(null, { status: 302, headers: { location: 'https://a.svc.test/' } })
      : new Response('x')
  }
  const unvouched = createGuardedFetch({ transport: webTransport(fetch) })
  const refused = { code: 'address_refused' }
  expect(await unvouched({ url: 'https://svc.test/x', start })).toMatchObject({ text: 'x' })
  await expect(unvouched({ url: 'https://as.test/', start })).rejects.toMatchObject({
    ...refused,
    details: { sent: false },
  })
  await expect(unvouched({ url: start, start, redirects: 'checked' })).rejects.toMatchObject(
    refused,
  )
  expect(asked).toEqual(['https://svc.test/x', start])
  const vouched = createGuardedFetch({ transport: webTransport(fetch, { vouched: true }) })
  expect(await vouched({ url: start, start, redirects: 'checked' })).toMatchObject({ text: 'x' })
})

it('refuses a fetch that hides or follows redirects', async () => {
  const { origin } = await serve((request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/b' })
    response.end()
  })
  const hidden = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' })
  const following = (request: Request) => fetch(request.url)
  for (const bad of [async () => hidden, following]) {
    const guarded = createGuardedFetch({ transport: webTransport(bad), [allowLoopback]: true })
    await expect(guarded({ url: origin, start: origin })).rejects.toMatchObject({
      code: 'redirect_refused',
      details: { sent: true },
    })
  }
})
