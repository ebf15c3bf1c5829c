import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileStore } from '../src/node/file-store.ts'
import {
  AuthError,
  allowLoopback,
  createAgentAuth,
  defaultMethods,
  MasterKey,
  memoryStore,
  type Store,
} from '../src/node/main.ts'
import { ownerKey } from '../src/owner.ts'
import { serve } from './loopback-servers.ts'
import { tokenMethod } from './refresh-method.ts'
import { expectStatus, owner } from './world.ts'

const key = new MasterKey(new Uint8Array(32).fill(7))
const hour = 3_600_000

type Answer = (response: ServerResponse, renew: () => object) => void

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** A service with a token endpoint that gives each refresh token's holder the next pair, once. */
async function held(lifetime: unknown, given?: (clock: () => number) => Store) {
  let now = Date.now()
  const tokens = {
    count: 0,
    accepted: '',
    answer: undefined as Answer | undefined,
    api: undefined as Answer | undefined,
  }
  const next = () => {
    const n = ++tokens.count
    tokens.accepted = `made-up-access-${n}`
    const refresh_token = `made-up-refresh-${n}`
    return {
      access_token: tokens.accepted,
      refresh_token,
      token_type: 'bearer',
      expires_in: lifetime,
    }
  }
  const service = await serve((request, response) => {
    const path = request.url ?? ''
    if (path === '/token') {
      const form = new URLSearchParams(service.seen.at(-1)?.body)
      if (form.get('grant_type') !== 'refresh_token') return json(response, 200, next())
      if (tokens.answer) return tokens.answer(response, next)
      const known = form.get('refresh_token') === `made-up-refresh-${tokens.count}`
      return known ? json(response, 200, next()) : json(response, 400, { error: 'invalid_grant' })
    }
    if (!path.startsWith('/api')) return json(response, 404, {})
    if (tokens.api) return tokens.api(response, next)
    const given = request.headers.authorization
    const right = given === `Bearer ${tokens.accepted}`
    return json(response, right ? 200 : 401, { given, refresh: `made-up-refresh-${tokens.count}` })
  })
  const dir = await mkdtemp(join(tmpdir(), 'authmd-refresh-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const store = given?.(() => now) ?? fileStore({ dir, key })
  const open = () =>
    createAgentAuth({
      store,
      [allowLoopback]: true,
      clock: () => now,
      methods: [...defaultMethods, tokenMethod],
    })
  const session = open().as(owner)
  const registered = await session.register({ service: service.origin, method: 'test-token' })
  const { handle } = expectStatus(registered, 'ready').credential
  const use = (one = session) => one.use({ credential: handle, path: '/api/thing' })
  const ref = { kind: 'credential', owner: await ownerKey(owner), id: handle } as const
  return {
    ...{ dir, service, tokens, open, session, handle, use },
    pass: (ms: number) => {
      now += ms
    },
    now: () => now,
    refreshes: () => service.seen.filter(({ body }) => body.includes('refresh_token')).length,
    calls: () => service.seen.filter(({ url }) => url.startsWith('/api')),
    record: async () => JSON.parse((await store.get(ref))?.value ?? '{}'),
  }
}

const ok = { status: 'answered', answer: { status: 200 } }

test('one that has expired is renewed before it is sent, and the old secrets are gone', async () => {
  const { use, pass, refreshes, calls, record } = await held(3600)
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(0)
  pass(hour)
  const outcome = await use()
  expect(outcome).toMatchObject(ok)
  expect(refreshes()).toBe(1)
  const sent = calls().map(({ headers }) => headers.authorization)
  expect(sent).toEqual(['Bearer made-up-access-1', 'Bearer made-up-access-2'])
  // The service echoes both new secrets.
  expect(JSON.stringify(outcome)).not.toContain('made-up')
  const stored = await record()
  expect(stored).toMatchObject({ generation: 1, accepted: 1, state: 'active' })
  expect(JSON.stringify(stored)).not.toMatch(/-(access|refresh)-1/)
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(1)
})

/** @see anomalyco/opencode#34074, anomalyco/opencode#34523 and Cometline/cometline#35 */
test('five at once share one refresh', async () => {
  const { use, pass, refreshes } = await held(3600)
  pass(hour)
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => use()))
  for (const outcome of outcomes) expect(outcome).toMatchObject(ok)
  expect(refreshes()).toBe(1)
})

/** @see anomalyco/opencode#34074 */
test('five at once share the failure of one refresh, and the next call tries again', async () => {
  const { use, pass, refreshes, tokens, calls } = await held(3600)
  pass(hour)
  tokens.answer = (response) => void setTimeout(() => json(response, 503, {}), 100)
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => use()))
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'refused', code: 'service_unreachable' })
    expect(outcome).toHaveProperty('notBefore')
  }
  expect(refreshes()).toBe(1)
  expect(calls()).toEqual([])
  tokens.answer = undefined
  expect(await use()).toMatchObject(ok)
})

const passing: [string, Answer][] = [
  ['a reset', (response) => response.destroy()],
  ['503', (response) => json(response, 503, { error: 'invalid_grant' })],
  ['429', (response) => json(response, 429, { error: 'slow_down' })],
  ['invalid_request', (response) => json(response, 400, { error: 'invalid_request' })],
  ['invalid_client', (response) => json(response, 401, { error: 'invalid_client' })],
  ['a page', (response) => response.writeHead(200).end('<html>')],
]

/** @see google-gemini/gemini-cli#29048 */
test.each(passing)('%s at the token endpoint keeps the credential', async (_, answer) => {
  const { use, pass, tokens, session } = await held(3600)
  pass(hour)
  tokens.answer = answer
  expect(await use()).toMatchObject({ status: 'refused', code: 'service_unreachable' })
  expect(await session.list()).toMatchObject([{ state: 'active' }])
  tokens.answer = undefined
  expect(await use()).toMatchObject(ok)
})

/** @see google-gemini/gemini-cli#29048 */
test('invalid_grant ends it: nothing asks for it any more', async () => {
  const { use, pass, tokens, session, refreshes, record } = await held(3600)
  pass(hour)
  tokens.accepted = 'none'
  tokens.answer = (response) => json(response, 400, { error: 'invalid_grant' })
  for (let times = 0; times < 3; times++) {
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  }
  expect(refreshes()).toBe(1)
  expect(await session.list()).toMatchObject([{ state: 'invalid' }])
  expect(JSON.stringify(await record())).not.toContain('made-up-refresh')
})

/** @see panva/oauth4webapi#47 */
test.each([undefined, null, -1, 'abc', 0])(
  'with a lifetime of %j it is used until it is refused, and then renewed',
  async (lifetime) => {
    const { use, pass, tokens, refreshes, session } = await held(lifetime)
    pass(1000 * hour)
    expect(await use()).toMatchObject(ok)
    expect(refreshes()).toBe(0)
    for (const times of [1, 2]) {
      tokens.accepted = 'none'
      expect(await use()).toMatchObject(ok)
      expect(refreshes()).toBe(times)
    }
    expect(await session.list()).toMatchObject([{ state: 'active' }])
  },
)

/** @see anthropics/claude-code#89862 */
test('one that is refused after it was renewed is not renewed again and again', async () => {
  const { use, tokens, refreshes, calls } = await held(undefined)
  tokens.answer = (response, renew) => {
    json(response, 200, renew())
    tokens.accepted = 'none'
  }
  tokens.accepted = 'none'
  for (let times = 1; times <= 3; times++) {
    expect(await use()).toMatchObject({ status: 'refused', code: 'credential_invalid' })
  }
  expect(refreshes()).toBe(1)
  expect(calls()).toHaveLength(4)
})

/** @see anthropics/claude-code#89862 */
test('one whose scope does not suffice is not renewed, and the answer says which scopes it lacks', async () => {
  const { use, tokens, refreshes, calls, session } = await held(3600)
  const challenge = 'Bearer error="insufficient_scope", scope="read write"'
  tokens.api = (response) =>
    void response.writeHead(403, { 'www-authenticate': challenge }).end('{"error":"no"}')
  for (let times = 1; times <= 2; times++) {
    expect(await use()).toMatchObject({
      status: 'refused',
      code: 'permission_denied',
      errors: [{ code: 'insufficient_scope', detail: 'scope: read write' }, { code: 'no' }],
    })
    expect(calls()).toHaveLength(times)
  }
  expect(refreshes()).toBe(0)
  expect(await session.list()).toMatchObject([{ state: 'active' }])
})

test('near its end it is used as it is where it cannot be renewed yet', async () => {
  const { use, pass, tokens, refreshes } = await held(3600)
  pass(hour - 10_000)
  tokens.answer = (response) => json(response, 503, {})
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(1)
})

test('a fetch with a body is sent again for the renewed one, and its echo is clean', async () => {
  const { session, service, tokens, refreshes, calls } = await held(undefined)
  tokens.accepted = 'none'
  const fetch = session.fetch(service.origin)
  const response = await fetch(`${service.origin}/api/thing`, { method: 'POST', body: 'made' })
  expect(response.status).toBe(200)
  expect(await response.text()).not.toContain('made-up')
  expect(refreshes()).toBe(1)
  expect(calls().map(({ body }) => body)).toEqual(['made', 'made'])
})

test('one that is shared is renewed for all who share it, and lies with its owner alone', async () => {
  const { open, handle, pass, refreshes, record, service, use } = await held(3600)
  const lee = { tenant: 'acme', user: 'lee' }
  const auth = open()
  await auth.share({ owner, handle }, lee, { verbs: ['use'] })
  pass(hour)
  const fetch = auth.as(lee).fetch(service.origin)
  expect((await fetch(`${service.origin}/api/thing`)).status).toBe(200)
  expect(await use(auth.as(lee))).toMatchObject(ok)
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(1)
  expect(await record()).toMatchObject({ generation: 1, owner })
  expect(await record()).not.toHaveProperty('shared')
})

test('a fetch says that it cannot be renewed yet, rather than that it was refused', async () => {
  const { session, service, tokens } = await held(undefined)
  tokens.accepted = 'none'
  tokens.answer = (response) => json(response, 503, {})
  const fetch = session.fetch(service.origin)
  await expect(fetch(`${service.origin}/api/thing`)).rejects.toMatchObject({
    code: 'refresh_failed',
    details: { sent: false },
  })
})

/** Two that share a store; the first one's request hangs until its lease is over. */
async function stalled() {
  const world = await held(3600, (clock) => memoryStore({ clock }))
  const { pass, tokens, use, open, refreshes } = world
  pass(hour)
  const waiting: ((answer: Answer) => void)[] = []
  tokens.answer = (response, renew) => waiting.push((answer) => answer(response, renew))
  const seen = async (count: number) => {
    while (refreshes() < count) await new Promise((done) => setTimeout(done, 5))
  }
  const first = use()
  await seen(1)
  pass(61_000)
  const second = use(open().as(owner))
  await seen(2)
  return { ...world, waiting, first, second }
}

const renews: Answer = (response, renew) => void json(response, 200, renew())
const refuses: Answer = (response) => void json(response, 400, { error: 'invalid_grant' })

test('a late holder of the lease whose token was used up meanwhile kills nothing', async () => {
  const { waiting, first, second, session } = await stalled()
  waiting[0]?.(refuses)
  expect(await first).toMatchObject({ status: 'refused', code: 'service_unreachable' })
  expect(await session.list()).toMatchObject([{ state: 'active' }])
  waiting[1]?.(renews)
  expect(await second).toMatchObject(ok)
  expect(await session.list()).toMatchObject([{ state: 'active' }])
})

test.each<[string, Answer]>([
  ['invalid_grant', refuses],
  ['503', (response) => json(response, 503, {})],
])('before it fails with %s it looks whether another has renewed it', async (_, answer) => {
  const { waiting, first, second, record } = await stalled()
  waiting[1]?.(renews)
  expect(await second).toMatchObject(ok)
  waiting[0]?.(answer)
  expect(await first).toMatchObject(ok)
  expect(await record()).toMatchObject({ generation: 1, state: 'active' })
})

test('a late answer does not take the place of a later one', async () => {
  const { waiting, first, second, record } = await stalled()
  waiting[1]?.(renews)
  await second
  waiting[0]?.((response) =>
    json(response, 200, { access_token: 'made-up-late', refresh_token: 'made-up-late-too' }),
  )
  expect(await first).toMatchObject(ok)
  expect(JSON.stringify(await record())).not.toContain('late')
})

test('what was given up while it was renewed stays given up', async () => {
  const { use, pass, tokens, session, handle, refreshes, record } = await held(3600)
  pass(hour)
  let answer = () => {}
  tokens.answer = (response, renew) => {
    answer = () => void json(response, 200, renew())
  }
  const using = use()
  while (refreshes() === 0) await new Promise((done) => setTimeout(done, 5))
  await session.forget(handle)
  answer()
  expect(await using).toMatchObject({ status: 'refused' })
  expect(await session.list()).toMatchObject([{ state: 'forgotten' }])
  expect(JSON.stringify(await record())).not.toContain('made-up')
})

/** A store that fails as it is told to: `unmade`, or when the write is made and only its answer is lost. */
function failing() {
  const store = memoryStore({ clock: Date.now })
  const told = {
    /** Asked about each write; how it fails, or undefined. */
    put: (_: Parameters<Store['put']>[0]): 'unmade' | 'made' | undefined => undefined,
    lease: false,
    release: false,
  }
  const no = () => new AuthError('store_failed', 'the server is being started again')
  const own: Store = {
    ...store,
    async put(record, expected) {
      const how = told.put(record)
      if (how === 'unmade') throw no()
      const revision = await store.put(record, expected)
      if (how === 'made') throw no()
      return revision
    },
    async lease(name, ms) {
      if (told.lease) throw no()
      const lease = await store.lease(name, ms)
      return (
        lease && {
          ...lease,
          release: async () => {
            if (told.release) throw no()
            await lease.release()
          },
        }
      )
    },
  }
  return { told, own }
}

test.each(['unmade', 'made'] as const)(
  'what renewing brought is kept though the store fails then, with the write %s',
  async (how) => {
    const { told, own } = failing()
    const { use, pass, refreshes, record } = await held(3600, () => own)
    pass(hour)
    let failures = 0
    told.put = ({ kind }) => {
      if (kind !== 'credential' || refreshes() === 0 || ++failures > 2) return undefined
      return how
    }
    expect(await use()).toMatchObject(ok)
    expect(failures).toBeGreaterThan(1)
    expect(await record()).toMatchObject({ generation: 1 })
    expect(refreshes()).toBe(1)
  },
)

test.each(['credential', 'registration'])(
  'what was issued is kept though the store fails when the %s is written',
  async (kind) => {
    for (const how of ['unmade', 'made'] as const) {
      const { told, own } = failing()
      let asked = 0
      told.put = (record) => {
        const answered = record.kind === 'credential' || record.value.includes('"ready"')
        return record.kind === kind && answered && ++asked === 1 ? how : undefined
      }
      // It is registered here.
      const { use, tokens } = await held(3600, () => own)
      expect(asked).toBe(kind === 'registration' && how === 'made' ? 1 : 2)
      expect(tokens.count).toBe(1)
      expect(await use()).toMatchObject(ok)
    }
  },
)

test('where the store cannot be asked for a lease, nothing is said to have been sent', async () => {
  const { told, own } = failing()
  const { use, pass, session, service, calls } = await held(3600, () => own)
  pass(hour - 10_000)
  told.lease = true
  // It is still good for a while.
  expect(await use()).toMatchObject(ok)
  pass(10_000)
  const fetch = session.fetch(service.origin)
  await expect(
    fetch(`${service.origin}/api/thing`, { method: 'POST', body: 'made' }),
  ).rejects.toMatchObject({ code: 'refresh_failed', details: { sent: false } })
  expect(await use()).toMatchObject({ status: 'refused', code: 'service_unreachable' })
  expect(calls()).toHaveLength(1)
})

test('a lease that cannot be given back spoils nothing, and is given back the next time', async () => {
  const { told, own } = failing()
  const { use, pass, refreshes, tokens } = await held(3600, () => own)
  pass(hour)
  told.release = true
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(1)
  told.release = false
  tokens.accepted = 'none'
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(2)
})

function start(argument: object): { child: ChildProcess; output: Promise<string> } {
  const file = join(import.meta.dirname, 'refresh-child.ts')
  const args = ['--no-warnings', file, JSON.stringify(argument)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return { child, output: new Promise((done) => child.once('close', () => done(text.trim()))) }
}

/** @see anomalyco/opencode#34523 */
test('two processes refresh once', async () => {
  const { dir, handle, pass, now, tokens, refreshes } = await held(3600)
  pass(hour)
  tokens.answer = (response, renew) => void setTimeout(() => json(response, 200, renew()), 1_000)
  const runs = [0, 1].map(() => start({ dir, handle, now: now() }))
  for (const { output } of runs) {
    expect(await output).toBe('["answered","answered","answered"]')
  }
  expect(refreshes()).toBe(1)
})

test('a process that is killed while it refreshes is followed by another one', async () => {
  const { dir, handle, pass, now, tokens, refreshes, use } = await held(3600)
  pass(hour)
  tokens.answer = () => {}
  const { child, output } = start({ dir, handle, now: now() })
  while (refreshes() === 0) await new Promise((done) => setTimeout(done, 20))
  child.kill('SIGKILL')
  await output
  tokens.answer = undefined
  expect(await use()).toMatchObject(ok)
  expect(refreshes()).toBe(2)
})
