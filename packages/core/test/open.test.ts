import { expect, it } from 'vitest'
import { allowLoopback, createAgentAuth, memoryStore } from '../src/node/main.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { agreed, canary } from './held.ts'
import { serve } from './loopback-servers.ts'
import { owner } from './world.ts'

/** A service whose document says that nothing is needed; `more` is what else it says. */
async function world(more: (origin: string) => string = () => '', status = 200) {
  const service = await serve((request, response) => {
    const { origin } = service
    if (request.url === '/auth.md') {
      response.setHeader('content-type', 'text/markdown')
      return void response.end(
        `# auth.md\n\nFor agents.\n\nBase URL: ${origin}/v1\n\nNo authentication is required.\n\n${more(origin)}\n`,
      )
    }
    if (!request.url?.startsWith('/v1/')) return void response.writeHead(404).end()
    const to = new URL(request.url, origin).searchParams.get('to')
    if (to !== null) return void response.writeHead(302, { location: to }).end()
    const code = request.headers.authorization === undefined ? status : 200
    response.writeHead(code, { 'content-type': 'application/json' }).end(`{"token":"${canary}"}`)
  })
  const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
  return { auth, service, origin: service.origin, session: auth.as(owner) }
}

it('is registered at once and used without a secret, with the guards of any other', async () => {
  const { auth, service, origin, session } = await world()
  const found = await session.discover({ service: origin })
  expect(found).toMatchObject({ offers: [{ method: 'open', needs: ['nothing'] }] })
  const ready = await session.register({ service: origin })
  expect(ready).toMatchObject({
    status: 'ready',
    credential: { kind: 'none', method: 'open', audience: [`${origin}/v1`] },
  })
  expect(renderOutcome(ready)).toContain('needs no credential')
  const used = await session.use({ service: origin, path: '/v1/things' })
  expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
  expect(JSON.stringify(used)).not.toContain(canary)
  expect(service.seen.at(-1)?.headers).not.toHaveProperty('authorization')
  const before = service.seen.length
  expect(await session.use({ service: origin, path: '/v2/x' })).toMatchObject({
    code: 'outside_audience',
  })
  const post = () => session.use({ service: origin, method: 'POST', path: '/v1/x', json: {} })
  expect(await post()).toMatchObject({ status: 'needs_consent' })
  expect(service.seen).toHaveLength(before)
  expect(await agreed(auth, post)).toMatchObject({ status: 'answered' })
})

it('carries nothing that a caller would be known by, and follows fetch within the audience alone', async () => {
  const trap = await serve((_request, response) => void response.end('trap'))
  const { service, origin, session } = await world()
  await session.register({ service: origin })
  await session.fetch(origin)(`${origin}/v1/x`, {
    headers: { authorization: 'Bearer mine', cookie: 'a=b', 'x-api-key': 'mine' },
  })
  const { headers } = service.seen.at(-1) ?? { headers: {} }
  for (const name of ['authorization', 'cookie', 'x-api-key'])
    expect(headers).not.toHaveProperty(name)
  await expect(session.fetch(origin)(`${trap.origin}/x`)).rejects.toMatchObject({
    code: 'outside_audience',
  })
  expect(trap.connections()).toBe(0)
})

it('is given up by forgetting it', async () => {
  const { origin, session, auth } = await world()
  const ready = await session.register({ service: origin })
  const handle = ready.status === 'ready' ? ready.credential.handle : ''
  const ended = await agreed(auth, () => session.revoke({ credential: handle }))
  expect(ended).toMatchObject({ status: 'ended', reason: expect.stringContaining('needs none') })
  expect(await session.use({ credential: handle, path: '/v1/x' })).toMatchObject({
    code: 'credential_revoked',
  })
  await expect(session.fetch(origin)(`${origin}/v1/x`)).rejects.toMatchObject({ code: 'not_found' })
})

it('gives way to a key: by its name at once, by itself once the service has refused', async () => {
  const more = (origin: string) => `Create an API key at ${origin}/keys. Send it as a Bearer token.`
  const { origin, session } = await world(more, 401)
  expect(await session.register({ service: origin })).toMatchObject({
    credential: { kind: 'none' },
  })
  const found = await session.discover({ service: origin })
  expect(found).toMatchObject({
    offers: [{ method: 'open' }, { method: 'manual' }],
    because: 'open comes first: it works without a person.',
    credentials: [{ kind: 'none' }],
  })
  expect(renderOutcome(found)).toContain('open comes first: it works without a person.')
  expect(await session.register({ service: origin, method: 'manual' })).toMatchObject({
    status: 'needs_person',
  })
  const other = await world(more, 401)
  await other.session.register({ service: other.origin })
  expect(await other.session.use({ service: other.origin, path: '/v1/x' })).toMatchObject({
    code: 'credential_invalid',
  })
  expect(await other.session.register({ service: other.origin })).toMatchObject({
    status: 'needs_person',
  })
})

it('is not offered where the document says it of a part, or of nothing', async () => {
  for (const text of ['These endpoints need no key.', 'Nothing about keys.']) {
    const service = await serve((request, response) => {
      if (request.url !== '/auth.md') return void response.writeHead(404).end()
      response.setHeader('content-type', 'text/markdown')
      response.end(`# auth.md\n\nFor agents.\n\nSend it as a Bearer token. ${text}\n`)
    })
    const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
    expect(await auth.as(owner).discover({ service: service.origin })).toMatchObject({ offers: [] })
  }
})
