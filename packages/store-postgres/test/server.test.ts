import { MasterKey, sealed } from '@authmd/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migration, postgresStore } from '../src/index.ts'
import { freshSchema, pool, skip } from './server.ts'

const schema = freshSchema()
const database = pool()
const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const

describe.skipIf(skip)('beside the server', () => {
  beforeAll(() => postgresStore({ pool: database, schema }).migrate())

  afterAll(async () => {
    await database.query(`drop schema "${schema}" cascade`)
    await database.end()
  })

  test('migrations of many processes at once, and again later, make the tables once', async () => {
    const anew = freshSchema()
    const stores = Array.from({ length: 8 }, () => postgresStore({ pool: database, schema: anew }))
    await Promise.all(stores.map((store) => store.migrate()))
    await stores[0]!.put({ ...ref, value: 'kept' }, 0)
    await Promise.all(stores.map((store) => store.migrate()))
    expect((await stores[1]!.get(ref))?.value).toBe('kept')
    await database.query(`drop schema "${anew}" cascade`)
  })

  test('a migration leaves what another tool would find, and removes leases that ended long ago', async () => {
    const store = postgresStore({ pool: database, schema })
    await (await store.lease('dead', 1))?.release()
    const held = await store.lease('held', 3_600_000)
    await database.query(migration(schema))
    const { rows } = await database.query(`select token from "${schema}".leases`)
    expect(rows.map(({ token }) => Number(token))).toEqual([held?.token])
  })

  test.each(['', 'a"b', 'A', '1a', 'a.b', 'x'.repeat(64)])('no schema: %j', (name) => {
    expect(() => postgresStore({ pool: database, schema: name })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    )
  })

  test('what is sealed is not in the table, and a row that was moved is damage', async () => {
    const records = postgresStore({ pool: database, schema })
    const store = sealed(records, new MasterKey(new Uint8Array(32).fill(1)))
    await store.put({ ...ref, id: 'cred_2', value: 'canary-value' }, 0)
    const { rows } = await database.query(`select value::text from "${schema}".records`)
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(Buffer.from('canary-value').toString('hex'))
    await database.query(`update "${schema}".records set owner = 'owner-b' where id = 'cred_2'`)
    const moved = { ...ref, owner: 'owner-b', id: 'cred_2' }
    await expect(store.get(moved)).rejects.toMatchObject({ code: 'store_damaged' })
    await expect(store.put({ ...moved, value: 'x' }, 1)).rejects.toMatchObject({
      code: 'store_damaged',
    })
  })

  test('without its tables, and without its server, an error says what to do', async () => {
    const nowhere = postgresStore({ pool: database, schema: freshSchema() })
    await expect(nowhere.get(ref)).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('run migrate()'),
    })
    const closed = pool()
    await closed.end()
    await expect(postgresStore({ pool: closed, schema }).get(ref)).rejects.toMatchObject({
      code: 'store_failed',
    })
  })

  test('connections that are killed at any moment lose nothing that was acknowledged', async () => {
    const mine = pool(4)
    mine.on('error', () => undefined)
    const store = postgresStore({ pool: mine, schema })
    const acknowledged = new Map<string, number>()
    let failed = 0
    const writer = async (id: string) => {
      for (let revision = 0; revision < 40; ) {
        try {
          revision = await store.put(
            { kind: 'meta', owner: 'killed', id, value: `${revision + 1}` },
            revision,
          )
          acknowledged.set(id, revision)
        } catch (error) {
          failed++
          expect(error).toMatchObject({ code: expect.stringMatching(/^store_(failed|conflict)$/) })
          // The answer may be lost though the write was made: the record says which.
          const there = await store
            .get({ kind: 'meta', owner: 'killed', id })
            .catch(() => undefined)
          if (there) revision = there.revision
        }
      }
    }
    let over = false
    const killer = async () => {
      while (!over) {
        await database.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where pid <> pg_backend_pid() and query like '%"${schema}".records%'`,
        )
        await new Promise((done) => setTimeout(done, 5))
      }
    }
    const killing = killer()
    await Promise.all(['a', 'b', 'c', 'd'].map(writer))
    over = true
    await killing
    expect(failed).toBeGreaterThan(0)
    const there = await store.list({ kind: 'meta', owner: 'killed' })
    expect(there.records.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    for (const { id, revision } of there.records) {
      expect(revision).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 40)
    }
    for (const { value, revision } of there.records) expect(value).toBe(`${revision}`)
    await mine.end()
  })
})
