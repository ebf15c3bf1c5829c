import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { Store } from '@authmd/core'
import { fileStore, keyFromEnv } from '@authmd/core/node'
import { postgresStore } from '@authmd/store-postgres'
import { redisStore } from '@authmd/store-redis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { type Group, inTurns, ratioAtMost, type Settings, timed } from './figure.ts'
import { inTemporaryDir } from './temporary.ts'

const postgresUrl = process.env.TEST_POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/test'
const redisUrl = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
/** A sealed credential is about as long. */
const value = 'x'.repeat(1_200)
const perOwner = 100

/** A call of the store beside the engine's own way of doing as much, through the same client. */
interface Pair {
  readonly what: 'get' | 'put' | 'list' | 'lease'
  readonly against: string
  readonly ours: () => Promise<unknown>
  readonly theirs: () => Promise<unknown>
}

const refAt = (at: number) => ({
  kind: 'credential' as const,
  owner: `owner-${String(Math.floor(at / perOwner)).padStart(6, '0')}`,
  id: `cred_${String(at).padStart(8, '0')}`,
})

/** Numbers below `count`, spread so that no cache of a page helps one more than the other. */
function spread(count: number): () => number {
  let at = 0
  return () => {
    at = (at + 7_919) % count
    return at
  }
}

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 200) {
    const many = Math.min(200, to - at)
    const puts = Array.from({ length: many }, (_, n) => store.put({ ...refAt(at + n), value }, 0))
    await Promise.all(puts)
  }
}

/** get, put, list (a page of 100) and lease. The engine does each by one plain command of its own. */
export const stores: Group = {
  name: 'stores',
  async *figures(settings) {
    yield* inPostgres(settings)
    yield* inRedis(settings)
    yield* inFiles(settings)
  },
}

async function* measured(
  engine: string,
  store: Store,
  pairs: (count: number) => readonly Pair[],
  { quick }: Settings,
) {
  const how = quick ? { rounds: 3, ms: 60 } : { rounds: 9, ms: 400 }
  let filled = 0
  for (const count of quick ? [1_000] : [1_000, 100_000]) {
    await fill(store, filled, count)
    filled = count
    for (const { what, against, ours, theirs } of pairs(count)) {
      const name = `store, ${engine}, ${what} at ${count}`
      const micros = ({ median }: { median: number }) => median * 1e3
      yield timed(name, 'us', against, await inTurns(ours, theirs, how), micros, ratioAtMost(1.3))
    }
  }
}

async function* inPostgres(settings: Settings) {
  const pool = new Pool({ connectionString: postgresUrl, connectionTimeoutMillis: 2_000 })
  const schema = `authmd_bench_${randomBytes(6).toString('hex')}`
  try {
    await pool.query('select 1')
  } catch {
    settings.note('PostgreSQL does not answer (TEST_POSTGRES_URL): left out')
    return await pool.end()
  }
  try {
    const store = postgresStore({ pool, schema })
    await store.migrate()
    const table = `"${schema}".records`
    const key = 'where kind = $1 and owner = $2 and id = $3'
    await pool.query(`create table "${schema}".locks (name text primary key, until timestamptz)`)
    yield* measured(
      'PostgreSQL',
      store,
      (count) => {
        const [next, lock] = [spread(count), spread(1_000_000)]
        const one = (at: number) => {
          const { kind, owner, id } = refAt(at)
          return [kind, owner, id]
        }
        const revisions = revisionsOf(count)
        return [
          {
            what: 'get',
            against: 'select by key',
            ours: () => store.get(refAt(next())),
            theirs: () => pool.query(`select * from ${table} ${key}`, one(next())),
          },
          {
            what: 'list',
            against: 'select a page',
            ours: () => store.list({ kind: 'credential', owner: refAt(next()).owner, limit: 100 }),
            theirs: () =>
              pool.query(
                `select * from ${table} where kind = $1 and owner = $2 order by id limit 100`,
                one(next()).slice(0, 2),
              ),
          },
          {
            what: 'lease',
            against: 'insert by key',
            ours: () => store.lease(`lock-${lock()}`, 1_000),
            theirs: () =>
              pool.query(
                `insert into "${schema}".locks values ($1, now()) on conflict (name) do update set until = now()`,
                [`lock-${lock()}`],
              ),
          },
          {
            what: 'put',
            against: 'update by key',
            ours: () => revisions.put(store, next()),
            theirs: () => {
              const at = next()
              revisions.skip(at)
              return pool.query(`update ${table} set revision = revision + 1, value = $4 ${key}`, [
                ...one(at),
                Buffer.from(value),
              ])
            },
          },
        ]
      },
      settings,
    )
  } finally {
    await pool.query(`drop schema if exists "${schema}" cascade`)
    await pool.end()
  }
}

async function* inRedis(settings: Settings) {
  const client = createClient({
    url: redisUrl,
    socket: { reconnectStrategy: false, connectTimeout: 2_000 },
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch {
    settings.note('Redis does not answer (TEST_REDIS_URL): left out')
    return
  }
  const prefix = `authmd-bench-${randomBytes(6).toString('hex')}`
  try {
    const store = redisStore({ client, prefix })
    const keyOf = (at: number) => {
      const { kind, owner, id } = refAt(at)
      return `${prefix}:{${owner}}:${kind}:${id}`
    }
    yield* measured(
      'Redis',
      store,
      (count) => {
        const [next, lock] = [spread(count), spread(1_000_000)]
        const revisions = revisionsOf(count)
        return [
          {
            what: 'get',
            against: 'HMGET',
            ours: () => store.get(refAt(next())),
            theirs: () => client.hmGet(keyOf(next()), ['r', 'v', 'd']),
          },
          {
            what: 'list',
            against: 'ZRANGE and 100 HMGET',
            ours: () => store.list({ kind: 'credential', owner: refAt(next()).owner, limit: 100 }),
            theirs: async () => {
              const { owner, kind } = refAt(next())
              const ids = await client.zRange(`${prefix}:{${owner}}:${kind}`, 0, 99)
              const keys = ids.map((id) => `${prefix}:{${owner}}:${kind}:${id}`)
              return Promise.all(keys.map((key) => client.hmGet(key, ['r', 'v', 'd'])))
            },
          },
          {
            what: 'lease',
            against: 'SET NX PX',
            ours: () => store.lease(`lock-${lock()}`, 1_000),
            theirs: () => {
              const options = { condition: 'NX', expiration: { type: 'PX', value: 1_000 } } as const
              return client.set(`${prefix}:lock:${lock()}`, '1', options)
            },
          },
          {
            what: 'put',
            against: 'HSET',
            ours: () => revisions.put(store, next()),
            theirs: () => client.hSet(`${prefix}:plain:${next()}`, { r: '1', v: value, d: '' }),
          },
        ]
      },
      settings,
    )
  } finally {
    for await (const keys of client.scanIterator({ MATCH: `${prefix}:*`, COUNT: 1_000 })) {
      if (keys.length > 0) await client.unlink(keys)
    }
    await client.close()
  }
}

/** Every write waits for the disk, so that 100,000 records are not written here. */
async function* inFiles({ quick, note }: Settings) {
  const count = quick ? 100 : 1_000
  process.env.AUTHMD_BENCH_KEY = randomBytes(32).toString('hex')
  yield* await inTemporaryDir(async (dir) => {
    const plain = `${dir}/plain`
    const store = fileStore({ dir: `${dir}/store`, key: keyFromEnv('AUTHMD_BENCH_KEY') })
    await fill(store, 0, count)
    await writeFile(plain, value)
    const next = spread(count)
    const how = quick ? { rounds: 3, ms: 60 } : { rounds: 9, ms: 400 }
    const pairs = await inTurns(
      () => store.get(refAt(next())),
      () => readFile(plain, 'utf8'),
      how,
    )
    note(`files: ${count} records, get alone`)
    const micros = ({ median }: { median: number }) => median * 1e3
    return [timed(`store, files, get at ${count}`, 'us', 'reading a file', pairs, micros)]
  })
}

/** Follows the revisions, so that each put is one that succeeds. */
function revisionsOf(count: number) {
  const known = new Map<number, number>()
  return {
    put: async (store: Store, at: number) => {
      const record = { ...refAt(at % count), value }
      known.set(at, await store.put(record, known.get(at) ?? (await revisionIn(store, at))))
    },
    skip: (at: number) => known.set(at, (known.get(at) ?? 1) + 1),
  }
}

const revisionIn = async (store: Store, at: number) => (await store.get(refAt(at)))?.revision ?? 0
