import { MasterKey, sealed } from '@authmd/core'
import { storeCases } from '@authmd/core/testing'
import { createCluster } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { OwnServer, skipOwn } from './own-server.ts'
import { connect, drop, freshPrefix, skip } from './server.ts'

const ref = { kind: 'credential', owner: 'owner-a', id: 'cred_1' } as const

describe.skipIf(skip)('beside the server', () => {
  const prefix = freshPrefix()
  let client: Awaited<ReturnType<typeof connect>>

  beforeAll(async () => {
    client = await connect()
  })

  afterAll(async () => {
    await client.close()
    await drop(prefix)
  })

  test('scripts that the server has forgotten are sent again', async () => {
    const store = redisStore({ client, prefix })
    await store.put({ ...ref, value: 'one' }, 0)
    await client.scriptFlush()
    expect((await store.get(ref))?.value).toBe('one')
  })

  test('no record and no index ever expires; an ended lease does', async () => {
    const store = redisStore({ client, prefix })
    await store.put({ ...ref, id: 'kept', value: 'x', due: 5 }, 0)
    await (await store.lease('some', 1000))?.release()
    const expiring: string[] = []
    const staying: string[] = []
    for await (const keys of client.scanIterator({ MATCH: `${prefix}:*` })) {
      for (const key of keys) ((await client.pTTL(key)) < 0 ? staying : expiring).push(key)
    }
    expect(expiring).toEqual([expect.stringContaining(':lease:')])
    expect(staying).toContain(`${prefix}:{owner-a}:credential:kept`)
  })

  test('entries of what was written over or deleted do not pile up', async () => {
    const store = redisStore({ client, prefix })
    const polled = { kind: 'registration', owner: 'owner-a', id: 'reg_1' } as const
    for (let revision = 0; revision < 20; revision++) {
      await store.put({ ...polled, value: '', due: revision }, revision)
    }
    expect(await client.zCard(`${prefix}:{index}:due:registration`)).toBe(1)
    await store.delete(polled)
    expect(await client.zCard(`${prefix}:{index}:due:registration`)).toBe(0)
  })

  test('an entry whose writer died before it wrote hides nothing and goes when it is old', async () => {
    const store = redisStore({ client, prefix })
    const key = `${prefix}:{index}:due:consent`
    const seconds = Math.floor(Date.now() / 1000)
    await client.zAdd(key, [
      { score: 1, value: `owner-a/c-1/${seconds}-young` },
      { score: 1, value: `owner-a/c-1/${seconds - 3600}-old` },
    ])
    await store.put({ kind: 'consent', owner: 'owner-a', id: 'c-1', value: 'x', due: 2 }, 0)
    const taken = await store.takeDue?.({ kind: 'consent', dueBy: 5 }, 60_000)
    expect(taken?.records.map(({ id, due }) => [id, due])).toEqual([['c-1', 2]])
    const left = await client.zRange(key, 0, -1)
    expect(left.filter((member) => member.endsWith('-old'))).toEqual([])
    expect(left).toHaveLength(2)
  })

  test('what is sealed is nowhere in Redis, and a record that was moved is damage', async () => {
    const store = sealed(redisStore({ client, prefix }), new MasterKey(new Uint8Array(32).fill(1)))
    await store.put({ ...ref, id: 'cred_2', value: 'canary-value' }, 0)
    const kept = await client.hGetAll(`${prefix}:{owner-a}:credential:cred_2`)
    expect(JSON.stringify(kept)).not.toContain('canary')
    await client.hSet(`${prefix}:{owner-b}:credential:cred_2`, kept)
    const moved = { ...ref, owner: 'owner-b', id: 'cred_2' }
    await expect(store.get(moved)).rejects.toMatchObject({ code: 'store_damaged' })
  })

  test.each(['', 'a b', 'a{b}', 'a*', 'x'.repeat(101)])('no prefix: %j', (name) => {
    expect(() => redisStore({ client, prefix: name })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    )
  })
})

describe.skipIf(skipOwn)('a server of its own', () => {
  const servers: OwnServer[] = []

  async function start(...more: string[]): Promise<OwnServer> {
    const server = await OwnServer.start(...more)
    servers.push(server)
    return server
  }

  afterEach(() => Promise.all(servers.splice(0).map((server) => server.remove())))

  test('killed again and again while four write, it loses nothing that was acknowledged', async () => {
    const server = await start()
    const client = await connect(server.url)
    const store = redisStore({ client })
    const acknowledged = new Map<string, number>()
    let failed = 0
    let over = false
    const writer = async (id: string) => {
      for (let revision = 0; !over || revision < 40; ) {
        const place = { kind: 'meta', owner: 'killed', id } as const
        try {
          revision = await store.put({ ...place, value: `${revision + 1}`, due: 1 }, revision)
          acknowledged.set(id, revision)
        } catch (error) {
          failed++
          expect(error).toMatchObject({ code: expect.stringMatching(/^store_(failed|conflict)$/) })
          // The answer may be lost though the write was made: the record says which.
          const there = await store.get(place).catch(() => undefined)
          if (there) revision = there.revision
        }
      }
    }
    const ids = ['a', 'b', 'c', 'd']
    const writing = Promise.all(ids.map(writer))
    for (let kills = 0; kills < 3; kills++) {
      await new Promise((done) => setTimeout(done, 150))
      await server.kill()
      await server.up()
    }
    over = true
    await writing
    expect(failed).toBeGreaterThan(0)
    const { records } = await store.list({ kind: 'meta', owner: 'killed' })
    expect(records.map(({ id }) => id)).toEqual(ids)
    for (const { id, revision, value } of records) {
      expect(revision).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 40)
      expect(value).toBe(`${revision}`)
    }
    const due = await store.takeDue?.({ kind: 'meta', dueBy: 1 }, 1000)
    expect(due?.records.map(({ id }) => id).sort()).toEqual(ids)
    await client.close()
  })

  test('without it a call fails with the reason, and works again when it is back', async () => {
    const server = await start()
    const client = await connect(server.url, true)
    const store = redisStore({ client })
    await store.put({ ...ref, value: 'kept' }, 0)
    await server.kill()
    while (client.isReady) await new Promise((done) => setTimeout(done, 10))
    await expect(store.get(ref)).rejects.toMatchObject({
      code: 'store_failed',
      cause: expect.any(Error),
    })
    await server.up()
    while (!client.isReady) await new Promise((done) => setTimeout(done, 10))
    expect((await store.get(ref))?.value).toBe('kept')
    await client.close()
  })

  describe('in a cluster', () => {
    test('all promises hold', async () => {
      const server = await start('--cluster-enabled', 'yes')
      const admin = await connect(server.url)
      await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
      while (!String(await admin.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) {
        await new Promise((done) => setTimeout(done, 50))
      }
      await admin.close()
      const cluster = createCluster({ rootNodes: [{ url: server.url }] })
      cluster.on('error', () => undefined)
      await cluster.connect()
      const open = () => redisStore({ client: cluster })
      for (const { run } of storeCases) await run({ open, leasesEndBy: 'server', owners: 300 })
      await cluster.close()
    })
  })
})
