import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { createClient } from 'redis'
import { describe, expect, test } from 'vitest'
import { openCli } from './cli.ts'

const postgres = process.env.TEST_POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/test'
const redis = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

/** A place in a server that others use too, which is empty and ours until it is dropped. */
interface Place {
  readonly url: string
  drop(): Promise<void>
}

async function database(): Promise<Place> {
  const name = `authmd_cli_test_${randomBytes(6).toString('hex')}`
  const query = async (text: string) => {
    const client = new Client({ connectionString: postgres, connectionTimeoutMillis: 2_000 })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }
  await query(`create database ${name}`)
  const url = Object.assign(new URL(postgres), { pathname: `/${name}` }).href
  return { url, drop: () => query(`drop database ${name} with (force)`) }
}

/** The program has no setting for a prefix: the test takes one of the server's databases that is empty. */
async function numbered(): Promise<Place> {
  for (let number = 15; number > 0; number--) {
    const url = Object.assign(new URL(redis), { pathname: `/${number}` }).href
    const client = createClient({
      url,
      socket: { reconnectStrategy: false, connectTimeout: 2_000 },
    })
    client.on('error', () => {})
    await client.connect()
    const ours = await client.set('authmd-cli-test', '1', { condition: 'NX' })
    if (ours !== null && (await client.dbSize()) === 1) {
      return {
        url,
        drop: async () => {
          await client.flushDb()
          await client.close()
        },
      }
    }
    if (ours !== null) await client.del('authmd-cli-test')
    await client.close()
  }
  throw new Error('no database of Redis is empty')
}

const places = { PostgreSQL: database, Redis: numbered }

/** In CI the tests fail where there is no server; a contributor's machine skips them. */
async function missing(open: () => Promise<Place>): Promise<boolean> {
  if (process.env.CI === 'true') return false
  try {
    await (await open()).drop()
    return false
  } catch {
    return true
  }
}

for (const [name, open] of Object.entries(places)) {
  const skip = await missing(open)
  if (skip) console.warn(`${name} does not answer: the command line's test with it is skipped`)
  describe.skipIf(skip)(name, () => {
    test('holds what each run leaves to the next, for its owner alone', async () => {
      await using world = await openCli()
      const place = await open()
      try {
        const { authMd: api } = world.sandbox.urls
        const env = { AUTHMD_STORE: place.url, AUTHMD_TENANT: 'acme', AUTHMD_EMAIL: undefined }
        const { digest } = (await world.json(['register', api], { env })).outcome.action
        const ready = await world.json(['register', api, '--approve', digest], { env })
        expect(ready).toMatchObject({ exit: 0, outcome: { status: 'ready' } })
        const { handle } = ready.outcome.credential
        const both = await Promise.all(
          ['acme', 'other'].map((tenant) =>
            world.json(['list', '--tenant', tenant], { env: { ...env, AUTHMD_TENANT: undefined } }),
          ),
        )
        expect(both.map(({ credentials }) => credentials.length)).toEqual([1, 0])
        const used = await world.json(['use', 'GET', `${api}/api/resource`], { env })
        expect(used).toMatchObject({ exit: 0, outcome: { answer: { status: 200 } } })
        const forgotten = await world.json(['revoke', handle, '--forget'], { env })
        expect(forgotten).toMatchObject({ exit: 6, outcome: { verdict: 'forgotten' } })
      } finally {
        await place.drop()
      }
    })
  })
}
