import { describe, expect, it } from 'vitest'
import { AuthError } from '../src/errors.ts'
import type { ImportInput } from '../src/inputs.ts'
import { webTransport } from '../src/net/web-transport.ts'
import { allowLoopback, createAgentAuth, memoryStore } from '../src/node/main.ts'
import { canary, hold } from './held.ts'
import { owner } from './world.ts'

const service = 'https://api.svc.example'

/** A session whose network is a trap: whatever is sent is an error. */
function offline() {
  const transport = webTransport(async (request) => {
    throw new Error(`${request.url} was asked for`)
  })
  const auth = createAgentAuth({ store: memoryStore(), transport })
  return { auth, session: auth.as(owner) }
}

/** What the service receives of a key that was pasted like this. */
async function received(secret: string, header?: ImportInput['header']) {
  const { session, service } = await hold((_request, response) => void response.end('{}'), {
    secret,
    ...(header === undefined ? {} : { header }),
  })
  await session.use({ service: service.origin, path: '/' })
  return service.seen[0]?.headers[header?.name.toLowerCase() ?? 'authorization']
}

describe('a pasted key is cleaned where it is certain', () => {
  it.each([
    canary,
    `${canary}\n`,
    `\r\n  ${canary}\t`,
    `"${canary}"`,
    `'${canary}'`,
    `\`${canary}\``,
    `Bearer ${canary}`,
    `bearer   ${canary}\n`,
    `Authorization: Bearer ${canary}`,
    `"Bearer ${canary}"`,
    `Bearer "${canary}"`,
  ])('%j', async (pasted) => expect(await received(pasted)).toBe(`Bearer ${canary}`))

  it('by the scheme of its own header only', async () => {
    const basic = { name: 'Authorization', prefix: 'Basic ' }
    expect(await received(`Basic ${canary}`, basic)).toBe(`Basic ${canary}`)
    await expect(received(`Bearer ${canary}`, basic)).rejects.toMatchObject({
      code: 'secret_refused',
    })
    await expect(received(`Bearer ${canary}`, { name: 'X-Api-Key' })).rejects.toMatchObject({
      code: 'secret_refused',
    })
  })
})

describe('what is no key is refused, nothing stored and nothing quoted', () => {
  it.each([
    ['a line end within', 'made-up\ncanary-1'],
    ['CR LF and a header', 'made-up-canary\r\nx-evil: 1'],
    ['NUL', 'made-up\0canary-1'],
    ['a space within', 'made-up canary-1'],
    ['letters outside ASCII', 'made-up-c\u0430nary-1'],
    ['a hidden character', 'made-up\u200bcanary-1'],
    ['too few characters', 'canary1'],
    ['too many characters', `canary-${'x'.repeat(9_000)}`],
    ['nothing', ''],
    ['only the scheme', 'Bearer '],
    ['a whole command', `curl -H 'Authorization: Bearer canary-1' https://a.example`],
    ['a URL', 'https://portal.svc.example/canary-1'],
    ['an e-mail address', 'canary-1@svc.example'],
    ['a masked value', 'made-up-c***canary'],
    ['a masked value with dots', 'made\u2026canary'],
    ['a placeholder', '<your-canary-key>'],
    ['a template', '{{CANARY_KEY}}'],
    ['our own mark', '[secret]'],
  ])('%s', async (_what, secret) => {
    const { session } = offline()
    const error = await session
      .import({ service, audience: service, secret })
      .catch((error: unknown) => error)
    if (!AuthError.isInstance(error)) throw new Error('it was taken')
    expect(error.code).toBe('secret_refused')
    expect(JSON.stringify([error, error.message, `${error.cause}`])).not.toMatch(/canary|evil/i)
    expect(await session.list()).toEqual([])
  })

  it.each<Partial<ImportInput>>([
    { service: 'ftp://svc.example' },
    { service: 'svc' },
    { audience: [] },
    { audience: 'https://u:p@svc.example' },
    { audience: [service, 'javascript:1'] },
    { header: { name: 'Host' } },
    { header: { name: 'Content-Length' } },
    { header: { name: 'bad name' } },
    { header: { name: 'X-Key', prefix: 'a\r\nb' } },
    { header: { name: 'X-Key', prefix: '\u00e9' } },
    { probe: 'https://elsewhere.example/me' },
    { probe: 'https://api.svc.example.evil.test/me' },
    { revocation: 'javascript:1' },
  ])('%j', async (more) => {
    const { session } = offline()
    const call = session.import({ service, audience: service, secret: canary, ...more })
    await expect(call).rejects.toMatchObject({
      code: expect.stringMatching(/^invalid_(input|url)$/),
      message: expect.not.stringContaining(canary),
    })
    expect(await session.list()).toEqual([])
  })
})

describe('what is held', () => {
  it('is ready at once, without the network, under every name of the service', async () => {
    const { session } = offline()
    const view = await session.import({ service, audience: `${service}/v2/`, secret: canary })
    expect(view).toEqual({
      handle: expect.stringMatching(/^cred_/),
      service,
      kind: 'api_key',
      state: 'active',
      audience: [`${service}/v2`],
      issuedAt: expect.any(Number),
      method: 'import',
    })
    for (const asked of [
      service,
      `${service}/`,
      'api.svc.example',
      'https://www.svc.example/docs',
    ]) {
      expect(await session.discover({ service: asked })).toMatchObject({
        status: 'ready',
        credential: { handle: view.handle },
      })
      expect(await session.register({ service: asked })).toMatchObject({ status: 'ready' })
    }
    expect(await session.discover()).toMatchObject({ credentials: [view] })
  })

  it('is seen by no other owner', async () => {
    const { auth, session } = offline()
    const { handle } = await session.import({ service, audience: service, secret: canary })
    for (const other of [
      { tenant: 'acme' },
      { tenant: 'acme', user: 'lee' },
      { tenant: 'acme', user: 'kim', agent: 'a' },
      { tenant: 'other', user: 'kim' },
    ]) {
      const theirs = auth.as(other)
      expect(await theirs.list()).toEqual([])
      expect(await theirs.discover()).toMatchObject({ credentials: [] })
      expect(await theirs.use({ service, path: '/' })).toMatchObject({ code: 'no_credential' })
      for (const call of [
        () => theirs.use({ credential: handle, path: '/' }),
        () => theirs.revoke({ credential: handle }),
        () => theirs.forget(handle),
        () => theirs.fetch(service)(service),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'not_found' })
      }
    }
  })

  it('is chosen by where the request goes, when a service has two', async () => {
    const { session, service, handle } = await hold((_request, response) => void response.end('{}'))
    const { origin } = service
    await session.forget(handle)
    const keys = { a: 'made-up-key-a', b: 'made-up-key-b' }
    const held: Record<string, string> = {}
    for (const [name, secret] of Object.entries(keys)) {
      const audience = `${origin}/${name}`
      held[name] = (await session.import({ service: origin, audience, secret })).handle
    }
    for (const [name, secret] of Object.entries(keys)) {
      const used = await session.use({ service: origin, path: `/${name}/x` })
      expect(used).toMatchObject({ status: 'answered', credential: held[name] })
      await session.fetch(origin)(`${origin}/${name}/y`)
      for (const { headers } of service.seen.splice(0)) {
        expect(headers.authorization).toBe(`Bearer ${secret}`)
      }
    }
    expect(await session.use({ service: origin, path: '/c' })).toMatchObject({
      code: 'outside_audience',
    })
    expect(await session.use({ credential: held.a, path: '/b/x' })).toMatchObject({
      code: 'outside_audience',
    })
  })

  it('of the very host comes before one of its sibling', async () => {
    const { session } = offline()
    const of = (host: string) => `https://${host}.svc.example`
    for (const host of ['api', 'admin']) {
      await session.import({ service: of(host), audience: of(host), secret: canary })
    }
    for (const host of ['api', 'admin']) {
      expect(await session.discover({ service: of(host) })).toMatchObject({ service: of(host) })
    }
  })

  it('is the newest of two that fit, or the one that is named', async () => {
    let now = 1_700_000_000_000
    const keys = ['made-up-key-1', 'made-up-key-2']
    const { session, service, handle } = await hold(
      (_request, response) => void response.end('{}'),
      { secret: keys[0] ?? '' },
      { clock: () => now },
    )
    now += 1_000
    const { origin } = service
    await session.import({ service: origin, audience: origin, secret: keys[1] ?? '' })
    await session.use({ service: origin, path: '/' })
    await session.use({ credential: handle, path: '/' })
    expect(service.seen.map((one) => one.headers.authorization)).toEqual([
      `Bearer ${keys[1]}`,
      `Bearer ${keys[0]}`,
    ])
  })

  it('does not let a service on the internet lead to this machine', async () => {
    const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
    const session = auth.as(owner)
    await session.import({ service, audience: 'http://localhost:9/', secret: canary })
    expect(await session.use({ service, path: '/' })).toMatchObject({
      status: 'refused',
      code: 'request_refused',
      reason: 'This credential may not go to that address. Nothing was sent.',
    })
  })
})
