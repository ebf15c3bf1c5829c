import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { allowLoopback, authTools, createAgentAuth, memoryStore, type Session } from '@authmd/core'
import { Agent, request as rawRequest, fetch as undiciFetch } from 'undici'
import { atMost, type Figure, type Group, inTurns, median, ratioAtLeast, timed } from './figure.ts'

type Read = (path: string) => Promise<void>

/** An owner with a credential for the server, whose secret is redacted out of every textual answer. */
async function sessionFor(service: string): Promise<Session> {
  const session = createAgentAuth({ store: memoryStore(), [allowLoopback]: true }).as({
    tenant: 'acme',
    user: 'kim',
  })
  const secret = 'made-up-key-0001-0002-0003'
  await session.import({ service, secret, audience: service })
  return session
}

async function drained(body: Pick<ReadableStream, 'getReader'> | null): Promise<void> {
  if (body === null) return
  const reader = body.getReader()
  while (!(await reader.read()).done);
}

const times = (count: number, read: Read, path: string) => () =>
  count === 1 ? read(path) : Promise.all(Array.from({ length: count }, () => read(path)))

/** `session.fetch` on kept-alive loopback connections, each answer read to its end as a stream. */
export const fetchGroup: Group = {
  name: 'fetch',
  async *figures({ quick }) {
    const child = fork(join(import.meta.dirname, 'loopback-server.ts'))
    const dispatcher = new Agent({ keepAliveTimeout: 60_000 })
    try {
      const [port] = await once(child, 'message')
      const origin = `http://127.0.0.1:${port}`
      const session = await sessionFor(origin)
      const authorised = session.fetch(origin)
      const headers = { authorization: 'Bearer made-up-key-0001-0002-0003' }
      const ours: Read = async (path) => drained((await authorised(origin + path)).body)
      const asFetch: Read = async (path) =>
        drained((await undiciFetch(origin + path, { dispatcher, headers })).body)
      const raw: Read = async (path) => {
        const { body } = await rawRequest(origin + path, { dispatcher, headers })
        for await (const _ of body);
      }
      const references = [
        ['undici.request', raw],
        ['undici.fetch', asFetch],
      ] as const
      const how = quick ? { rounds: 2, ms: 40 } : { rounds: 9, ms: 700 }
      for (const [against, theirs] of references) {
        for (const [path, what, count] of cases) {
          // To be quick: no rounds that take seconds, and of the second reference what goals speak of.
          if (quick && count > 1) continue
          if (quick && against === 'undici.fetch' && path === '/large') continue
          const pairs = await inTurns(times(count, ours, path), times(count, theirs, path), how)
          const perSecond = ({ mean }: { mean: number }) => (count * 1e3) / mean
          const name = `fetch, ${what}, ${count} at once, against ${against}`
          const goal = path.includes('streamed') ? ratioAtLeast(0.95) : undefined
          yield timed(name, 'calls/s', against, pairs, perSecond, goal)
          if (path === '/small' && count === 1) yield added(against, pairs)
        }
        for (const [path, what] of cases.filter(([, , count]) => count === 1)) {
          if (quick && path === '/large') continue
          const cpu = { rounds: how.rounds, ms: quick ? 40 : 500, cpu: true } as const
          const pairs = await inTurns(times(1, ours, path), times(1, theirs, path), cpu)
          const name = `fetch, processor time, ${what}, against ${against}`
          yield timed(name, 'us', against, pairs, ({ mean }) => mean * 1e3)
        }
      }
      yield await perKilobyte(session, origin, raw, dispatcher, how)
      yield await memory(
        () => ours('/small'),
        () => raw('/small'),
      )
    } finally {
      child.kill()
      await dispatcher.close()
    }
  },
}

const cases = [
  ['/small', 'small', 1],
  ['/small', 'small', 64],
  ['/large', '1 MB', 1],
  ['/large', '1 MB', 64],
  ['/large/streamed/binary', '1 MB streamed, binary', 1],
  ['/large/streamed/binary', '1 MB streamed, binary', 64],
  ['/large/streamed/text', '1 MB streamed, text', 1],
  ['/large/streamed/text', '1 MB streamed, text', 64],
] as const

/** What a call takes longer at the median. */
function added(against: string, pairs: Awaited<ReturnType<typeof inTurns>>): Figure {
  const micros = pairs.map(({ ours, theirs }) => (ours.median - theirs.median) * 1e3)
  const reference = median(pairs.map(({ theirs }) => theirs.median * 1e3))
  const ratios = pairs.map(({ ours, theirs }) => ours.median / theirs.median)
  return {
    name: `fetch, added at the median, against ${against}`,
    unit: 'us',
    value: median(micros),
    reference,
    against: `a call by ${against}`,
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    goal: atMost(25),
  }
}

/** What each further kB of an answer costs `auth_use`, with all that it takes out and cuts off. */
async function perKilobyte(
  session: Session,
  service: string,
  raw: Read,
  dispatcher: Agent,
  how: { rounds: number; ms: number },
): Promise<Figure> {
  const tool = authTools.find(({ verb }) => verb === 'use')
  const use = async (path: string) => {
    const result = await tool?.run(session, { service, path }, { channel: 'code' })
    if (result?.outcome?.status !== 'answered') throw new Error(result?.text)
  }
  const text = async (path: string) => {
    const { body } = await rawRequest(service + path, { dispatcher })
    return body.text()
  }
  await raw('/small')
  const large = await inTurns(
    () => use('/kB256'),
    () => text('/kB256'),
    how,
  )
  const small = await inTurns(
    () => use('/small'),
    () => text('/small'),
    how,
  )
  const micros = (who: 'ours' | 'theirs') =>
    large.map((pair, at) => ((pair[who].median - (small[at]?.[who].median ?? 0)) * 1e3) / 256)
  const [ours, theirs] = [micros('ours'), micros('theirs')]
  const ratios = ours.map((one, at) => one / (theirs[at] ?? Number.NaN))
  return {
    name: 'auth_use, each further kB',
    unit: 'us/kB',
    value: median(ours),
    reference: median(theirs),
    against: 'undici.request as text',
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  }
}

/** What 10,000 calls leave behind once garbage is collected. */
async function memory(ours: () => Promise<void>, theirs: () => Promise<void>): Promise<Figure> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const held = async (work: () => Promise<void>) => {
    await manyAtOnce(work, 1_000)
    collect()
    const before = process.memoryUsage()
    await manyAtOnce(work, 10_000)
    collect()
    const after = process.memoryUsage()
    return (after.heapUsed + after.external - before.heapUsed - before.external) / 1024
  }
  /** 32 at a time. */
  const manyAtOnce = async (work: () => Promise<void>, calls: number) => {
    let left = calls
    const worker = async () => {
      while (left-- > 0) await work()
    }
    await Promise.all(Array.from({ length: 32 }, worker))
  }
  const reference = await held(theirs)
  return {
    name: 'memory kept after 10,000 calls',
    unit: 'kB',
    value: await held(ours),
    reference,
    against: 'undici.request',
    ratio: null,
  }
}
