import { describe, expect, test } from 'vitest'
import { allowLoopback, createAgentAuth, defaultMethods, memoryStore } from '../src/node/main.ts'
import { agreed } from './held.ts'
import { serve } from './loopback-servers.ts'
import { tokenMethod } from './refresh-method.ts'
import { expectStatus, owner } from './world.ts'

/** A token of a service whose revocation endpoint answers as it is told to; 0 is no answer. */
async function revocable(answer: () => number, body: object = {}) {
  const service = await serve((request, response) => {
    const json = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/token') {
      return json(200, { access_token: 'made-up-access-1', refresh_token: 'made-up-refresh-1' })
    }
    if (request.url !== '/revoke') return json(200, {})
    return answer() === 0 ? response.destroy() : json(answer(), body)
  })
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    methods: [...defaultMethods, tokenMethod],
  })
  const session = auth.as(owner)
  const registered = await session.register({ service: service.origin, method: 'test-token' })
  const { handle } = expectStatus(registered, 'ready').credential
  const use = () => session.use({ credential: handle, path: '/api/thing' })
  expectStatus(await use(), 'answered')
  const revoke = () => session.revoke({ credential: handle })
  const asked = () => service.seen.filter(({ url }) => url === '/revoke')
  return { auth, session, use, revoke, asked }
}

const gone = { status: 'refused', code: 'credential_revoked' }

/**
 * @see anthropics/claude-ai-mcp#451
 * @see CALLE-AI/awesome-phone-call-agents#775
 * @see modelcontextprotocol/typescript-sdk#739
 * @see clerk/cli#418
 */
describe('a revocation endpoint that answers', () => {
  test('200: it is revoked at the service, and asked once', async () => {
    const { auth, session, use, revoke, asked } = await revocable(() => 200)
    const ended = await agreed(auth, revoke)
    expect(ended).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(await revoke()).toEqual(ended)
    const [request] = asked()
    expect(new URLSearchParams(request?.body).get('token')).toBe('made-up-access-1')
    expect(request?.url).not.toContain('made-up')
    expect(asked()).toHaveLength(1)
    expect(await use()).toMatchObject(gone)
    expect(await session.list()).toMatchObject([{ state: 'revoked' }])
  })

  test.each([
    ['400 unsupported_token_type', 400, { error: 'unsupported_token_type' }],
    ['404, for it is absent', 404, {}],
    ['a redirect', 302, {}],
  ])('%s: it is only forgotten here, and that is said', async (_, status, body) => {
    const { auth, session, use, revoke, asked } = await revocable(() => status, body)
    expect(await agreed(auth, revoke)).toMatchObject({
      status: 'ended',
      verdict: 'forgotten',
      reason: expect.stringContaining('may still work at the service'),
    })
    expect(asked()).toHaveLength(1)
    expect(await use()).toMatchObject(gone)
    expect(await session.list()).toMatchObject([{ state: 'forgotten' }])
  })

  test.each([
    ['503', 503],
    ['429', 429],
    ['nothing', 0],
  ])('%s: it is out of use and not known to be ended, until it says so', async (_, first) => {
    let status = first
    const { auth, session, use, revoke } = await revocable(() => status)
    expect(await agreed(auth, revoke)).toMatchObject({
      status: 'pending',
      reason: expect.stringContaining('did not say that it is ended'),
    })
    expect(await use()).toMatchObject(gone)
    expect(await session.list()).toMatchObject([{ state: 'revoking' }])
    status = 200
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
  })
})
