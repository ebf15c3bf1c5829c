import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import {
  allowLoopback,
  createAgentAuth,
  defaultMethods,
  MasterKey,
  memoryStore,
} from '../src/node/main.ts'
import type { Store } from '../src/vault/store.ts'
import { agreed } from './held.ts'
import { serve } from './loopback-servers.ts'
import { tokenMethod } from './refresh-method.ts'
import { expectStatus, owner } from './world.ts'

type Hint = 'refresh_token' | 'access_token'

/**
 * A token, and one to renew it, of a service whose revocation endpoint answers as it is told to: 0 is
 * no answer, and never is for ever.
 */
async function revocable(
  answer: (hint: Hint) => number | 'never' | Promise<number>,
  body: object = {},
  store: Store = memoryStore(),
) {
  const tokens = { given: 0, api: 200, held: Promise.resolve() }
  const service = await serve(async (request, response) => {
    const json = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/token') {
      await tokens.held
      const nth = ++tokens.given
      return json(200, {
        access_token: `made-up-access-${nth}`,
        refresh_token: `made-up-refresh-${nth}`,
      })
    }
    if (request.url !== '/revoke') return json(tokens.api, {})
    const hint = new URLSearchParams(service.seen.at(-1)?.body).get('token_type_hint')
    const status = await answer(hint as Hint)
    if (status === 'never') return undefined
    return status === 0 ? response.destroy() : json(status, body)
  })
  const auth = createAgentAuth({
    store,
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
  /** The tokens that it was asked to end, in order. */
  const ended = () => asked().map((one) => new URLSearchParams(one.body).get('token'))
  return { auth, session, handle, tokens, service, use, revoke, asked, ended }
}

const both = ['made-up-refresh-1', 'made-up-access-1']
const gone = { status: 'refused', code: 'credential_revoked' }

/**
 * @see anthropics/claude-ai-mcp#451
 * @see CALLE-AI/awesome-phone-call-agents#775
 * @see modelcontextprotocol/typescript-sdk#739
 * @see clerk/cli#418
 */
describe('a revocation endpoint that answers', () => {
  test('200: it is revoked at the service, the refresh token first, each asked once', async () => {
    const { auth, session, use, revoke, asked, ended } = await revocable(() => 200)
    const outcome = await agreed(auth, revoke)
    expect(outcome).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(await revoke()).toEqual(outcome)
    expect(ended()).toEqual(both)
    expect(asked()[0]?.body).toContain('token_type_hint=refresh_token')
    for (const { url } of asked()) expect(url).not.toContain('made-up')
    expect(await use()).toMatchObject(gone)
    expect(await session.list()).toMatchObject([{ state: 'revoked' }])
  })

  test.each([
    ['400 unsupported_token_type', 400, { error: 'unsupported_token_type' }],
    ['404, for it is absent', 404, {}],
    ['a redirect', 302, {}],
  ])('%s: it is only forgotten here, and that is said', async (_, status, body) => {
    const { auth, session, use, revoke, ended } = await revocable(() => status, body)
    expect(await agreed(auth, revoke)).toMatchObject({
      status: 'ended',
      verdict: 'forgotten',
      reason: expect.stringContaining('may still work at the service'),
    })
    expect(ended()).toEqual(both)
    expect(await use()).toMatchObject(gone)
    expect(await session.list()).toMatchObject([{ state: 'forgotten' }])
  })

  test.each([
    ['access_token', 'ended the refresh token of', 'does not end its access token'],
    ['refresh_token', 'ended the access token of', 'does not end its refresh token'],
  ])('400 to the %s alone: what may still work is said, again too', async (left, first, rest) => {
    const { auth, session, use, revoke, ended } = await revocable(
      (hint) => (hint === left ? 400 : 200),
      { error: 'unsupported_token_type' },
    )
    const outcome = await agreed(auth, revoke)
    const reason = expect.stringMatching(new RegExp(`${first} \\S+, but ${rest}`))
    expect(outcome).toMatchObject({ status: 'ended', verdict: 'forgotten', reason })
    expect(await revoke()).toEqual(outcome)
    expect(ended()).toEqual(both)
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

  test.each(['refresh_token', 'access_token'] as const)(
    '503 to the %s alone: neither is taken for ended, and both are asked again',
    async (failing) => {
      let well = false
      const { auth, session, revoke, ended } = await revocable((hint) =>
        hint === failing && !well ? 503 : 200,
      )
      expect(await agreed(auth, revoke)).toMatchObject({ status: 'pending' })
      expect(await session.list()).toMatchObject([{ state: 'revoking' }])
      well = true
      expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
      expect(ended()).toEqual([...both, ...both])
    },
  )

  test('200 while a renewal brings others: those are ended as well before it is said', async () => {
    let renewed: Promise<unknown> = Promise.resolve()
    const go = Promise.withResolvers<void>()
    const { auth, tokens, service, use, revoke, ended } = await revocable(async () => {
      go.resolve()
      await renewed
      return 200
    })
    Object.assign(tokens, { held: go.promise, api: 401 })
    renewed = use()
    await expect.poll(() => service.seen.filter(({ url }) => url === '/token').length).toBe(2)
    expect(await agreed(auth, revoke)).toMatchObject({
      status: 'pending',
      reason: expect.stringContaining('gave new tokens meanwhile'),
    })
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(ended()).toEqual([...both, 'made-up-refresh-2', 'made-up-access-2'])
  })

  test('only the first, for the process is killed between the two: both are asked again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'authmd-revoke-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    const store = fileStore({ dir, key: new MasterKey(new Uint8Array(32).fill(7)) })
    let killed = false
    const { auth, session, handle, use, revoke, ended } = await revocable(
      (hint) => (hint === 'access_token' && !killed ? 'never' : 200),
      {},
      store,
    )
    const { consent } = expectStatus(await revoke(), 'needs_consent')
    await auth.people.answer(consent, { approve: true }, { approver: 'kim' })
    const file = join(import.meta.dirname, 'refresh-child.ts')
    const argument = JSON.stringify({ dir, handle, now: Date.now(), verb: 'revoke' })
    const child = spawn(process.execPath, ['--no-warnings', file, argument], { stdio: 'inherit' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect.poll(() => ended().length).toBe(2)
    child.kill('SIGKILL')
    await once(child, 'exit')
    killed = true
    expect(await session.list()).toMatchObject([{ state: 'revoking' }])
    expect(await use()).toMatchObject(gone)
    expect(await revoke()).toMatchObject({ status: 'ended', verdict: 'revoked' })
    expect(ended()).toEqual([...both, ...both])
  }, 60_000)
})
