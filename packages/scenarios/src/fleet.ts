import { type ChildProcess, fork } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Job } from './fleet-worker.ts'

const hour = 3_600_000
const maxAgeMs = 5000

/** What a store's tests bring. */
export interface Fleet {
  /** A program that opens the store and calls `work` with it; `env` is given to it. */
  readonly worker: string
  readonly env: () => Readonly<Record<string, string>>
  /** Ends all leases at the server, as time would. */
  readonly endLeases: () => Promise<void>
}

/** One process of the fleet. */
class Worker {
  readonly child: ChildProcess
  readonly ready: Promise<unknown>
  readonly #waiting = new Map<number, (said: unknown) => void>()
  #jobs = 0

  constructor(file: string, env: Readonly<Record<string, string>>) {
    const execArgv = ['--conditions=@authmd/source', '--no-warnings']
    this.child = fork(file, [String(maxAgeMs)], { execArgv, env: { ...process.env, ...env } })
    this.ready = this.said(0)
    this.child.on('message', ({ id, said }: { id: number; said: unknown }) => {
      this.#waiting.get(id)?.(said)
    })
  }

  /** What it says by itself: 0 when it is ready, -1 when it has taken something. */
  said(id: number): Promise<unknown> {
    return new Promise((done) => this.#waiting.set(id, done))
  }

  do(verb: Job['verb'], on: string, now: number): Promise<unknown> {
    const id = ++this.#jobs
    this.child.send({ id, now, verb, on } satisfies Job)
    return this.said(id)
  }
}

type Answer = (response: ServerResponse, renew: () => object) => void

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A service with a token endpoint that gives each refresh token's holder the next pair, once. */
async function startService() {
  const tokens = { count: 0, accepted: '', answer: undefined as Answer | undefined }
  const seen = { calls: 0, refreshes: 0 }
  const next = () => {
    const n = ++tokens.count
    tokens.accepted = `made-up-access-${n}`
    const refresh_token = `made-up-refresh-${n}`
    return { access_token: tokens.accepted, refresh_token, expires_in: 3600 }
  }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    if (request.url === '/token') {
      const form = new URLSearchParams(body)
      if (form.get('grant_type') !== 'refresh_token') return json(response, 200, next())
      seen.refreshes++
      if (tokens.answer) return tokens.answer(response, next)
      const known = form.get('refresh_token') === `made-up-refresh-${tokens.count}`
      return known ? json(response, 200, next()) : json(response, 400, { error: 'invalid_grant' })
    }
    if (!request.url?.startsWith('/api')) return json(response, 404, {})
    seen.calls++
    const right = request.headers.authorization === `Bearer ${tokens.accepted}`
    json(response, right ? 200 : 401, {})
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  return { origin, tokens, seen }
}

async function until(there: () => boolean): Promise<void> {
  while (!there()) await new Promise((done) => setTimeout(done, 20))
}

/** Four processes on one store, each with a cache: what holds between them. */
export function fleetCases(fleet: Fleet): void {
  const workers: Worker[] = []
  const start = async () => {
    const worker = new Worker(fleet.worker, fleet.env())
    workers.push(worker)
    await worker.ready
    return worker
  }
  beforeAll(() => Promise.all([1, 2, 3, 4].map(start)), 120_000)
  afterAll(() => {
    for (const { child } of workers) child.kill('SIGKILL')
  })

  /** The workers' clock: a day from test to test, after which nobody remembers what was read before. */
  let now = Date.now()

  /** A credential that worker 1 got at a service of its own. */
  async function held() {
    const service = await startService()
    now += 24 * hour
    const [one, two, three, four] = workers as [Worker, Worker, Worker, Worker]
    const handle = String(await one.do('register', service.origin, now))
    expect(handle).toMatch(/^cred_/)
    return { ...service, now, handle, one, two, three, four }
  }

  test('a revocation in one process is seen in the others after the stated time', async () => {
    const { origin, handle, now, one, two, seen } = await held()
    expect(await two.do('fetch', origin, now)).toBe(200)
    expect(await two.do('fetch', origin, now)).toBe(200)
    expect(await one.do('forget', handle, now)).toBe('ended')
    expect(await one.do('fetch', origin, now)).toBe('not_found')
    const { calls } = seen
    expect(await two.do('fetch', origin, now + maxAgeMs + 1)).toBe('not_found')
    expect(await two.do('use', handle, now + maxAgeMs + 1)).toBe('refused')
    expect(seen.calls).toBe(calls)
  })

  test('a token that another process has renewed is read again, not renewed again', async () => {
    const { origin, now, one, two, tokens, seen } = await held()
    expect(await two.do('fetch', origin, now)).toBe(200)
    expect(await two.do('fetch', origin, now)).toBe(200)
    tokens.accepted = 'none'
    expect(await one.do('fetch', origin, now)).toBe(200)
    expect(seen.refreshes).toBe(1)
    // What it remembers is refused; what it reads then is not.
    expect(await two.do('fetch', origin, now)).toBe(200)
    expect(seen.refreshes).toBe(1)
  })

  test('four processes renew an expired token once', async () => {
    const { origin, handle, now, tokens, seen, ...four } = await held()
    tokens.answer = (response, renew) => void setTimeout(() => json(response, 200, renew()), 500)
    const all = [four.one, four.two, four.three, four.four].flatMap((worker) => [
      worker.do('use', handle, now + hour),
      worker.do('use', handle, now + hour),
      worker.do('fetch', origin, now + hour),
    ])
    expect(new Set(await Promise.all(all))).toEqual(new Set(['answered', 200]))
    expect(seen.refreshes).toBe(1)
  })

  test('a process that is killed while it renews is followed by another', async () => {
    const { handle, now, tokens, seen, two } = await held()
    const dying = await start()
    tokens.answer = () => {}
    void dying.do('use', handle, now + hour)
    await until(() => seen.refreshes === 1)
    dying.child.kill('SIGKILL')
    tokens.answer = undefined
    const using = two.do('use', handle, now + hour)
    await fleet.endLeases()
    expect(await using).toBe('answered')
    expect(seen.refreshes).toBe(2)
  })

  test('a process that was stopped while it renewed is fenced', async () => {
    const { handle, now, tokens, seen, two, three } = await held()
    const waiting: ((answer: Answer) => void)[] = []
    tokens.answer = (response, renew) => waiting.push((answer) => answer(response, renew))
    const late = three.do('use', handle, now + hour)
    await until(() => seen.refreshes === 1)
    three.child.kill('SIGSTOP')
    await fleet.endLeases()
    const using = two.do('use', handle, now + hour)
    await until(() => seen.refreshes === 2)
    waiting[1]?.((response, renew) => json(response, 200, renew()))
    expect(await using).toBe('answered')
    // What the stopped one is told now must kill nothing: it goes on with what the other one got.
    waiting[0]?.((response) => json(response, 400, { error: 'invalid_grant' }))
    three.child.kill('SIGCONT')
    expect(await late).toBe('answered')
    expect(await two.do('use', handle, now + hour)).toBe('answered')
    expect(seen.refreshes).toBe(2)
  })

  /** Something waits, and its person has done their part. */
  async function settled() {
    const { origin } = await startService()
    const now = Date.now()
    const [one] = workers as [Worker]
    const registration = String(await one.do('wait', origin, now))
    const all = (queue: string, at: number) =>
      Promise.all(workers.slice(0, 4).map((worker) => worker.do('watch', queue, at)))
    expect(await all('fleet', now)).toEqual([0, 0, 0, 0])
    expect(await one.do('done', registration, now)).toMatchObject({ status: 'ready' })
    return { now, all }
  }

  test('four processes that watch resume what waits once, and no other queue does', async () => {
    const { now, all } = await settled()
    expect(await all('another', now)).toEqual([0, 0, 0, 0])
    expect((await all('fleet', now)).sort()).toEqual([0, 0, 0, 1])
    expect(await all('fleet', now + hour)).toEqual([0, 0, 0, 0])
  })

  test('a process that is killed while it resumes is followed by another', async () => {
    const { now, all } = await settled()
    const dying = await start()
    const taken = dying.said(-1)
    void dying.do('hang', 'fleet', now)
    await taken
    dying.child.kill('SIGKILL')
    expect(await all('fleet', now)).toEqual([0, 0, 0, 0])
    expect((await all('fleet', now + 60_001)).sort()).toEqual([0, 0, 0, 1])
  })
}
