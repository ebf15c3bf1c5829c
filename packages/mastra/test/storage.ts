import { readdir, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { InMemoryStore, type MastraCompositeStore } from '@mastra/core/storage'
import { PostgresStore } from '@mastra/pg'
import { openLibSql, temporary } from './libsql.ts'

/** A storage of Mastra: opened as often as there are processes, read as text, and cleaned up. */
export interface Kept {
  open(): Promise<MastraCompositeStore>
  /** All that lies in it. */
  text(): Promise<string>
  remove(): Promise<void>
}

async function libSql(): Promise<Kept> {
  const dir = await temporary()
  return {
    open: () => openLibSql(dir),
    text: async () => {
      const files = await readdir(dir)
      const bytes = await Promise.all(files.map((file) => readFile(join(dir, file), 'latin1')))
      return bytes.join('\n')
    },
    remove: () => rm(dir, { recursive: true }),
  }
}

const connectionString = 'postgresql://postgres@127.0.0.1:5432/test'

async function postgres(): Promise<Kept> {
  const schemaName = `authmd_mastra_${process.pid}_${Date.now()}`
  const opened: PostgresStore[] = []
  const open = async () => {
    const store = new PostgresStore({ id: 'test', connectionString, schemaName, max: 2 })
    await store.init()
    opened.push(store)
    return store
  }
  return {
    open,
    text: async () => {
      const { db } = opened[0] ?? (await open())
      const named =
        'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1'
      const tables = await db.any<{ name: string }>(named, [schemaName])
      const rows = tables.map(({ name }) => {
        return db.any(`SELECT to_jsonb(one)::text AS row FROM "${schemaName}"."${name}" AS one`)
      })
      return JSON.stringify(await Promise.all(rows))
    },
    remove: async () => {
      await opened[0]?.db.none(`DROP SCHEMA "${schemaName}" CASCADE`)
      await Promise.all(opened.map((store) => store.close()))
    },
  }
}

async function memory(): Promise<Kept> {
  const store = new InMemoryStore()
  return {
    open: async () => store,
    text: async () => JSON.stringify(await (await store.getStore('workflows'))?.listWorkflowRuns()),
    remove: async () => {},
  }
}

function reachable(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port, timeout: 2_000 })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  socket.once('timeout', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

const hasPostgres = process.env.CI === 'true' || (await reachable(5432))
if (!hasPostgres)
  console.warn('PostgreSQL does not answer on 127.0.0.1:5432: its tests are skipped')

export const storages: readonly { readonly name: string; readonly make: () => Promise<Kept> }[] = [
  { name: 'memory', make: memory },
  { name: 'LibSQL', make: libSql },
  ...(hasPostgres ? [{ name: 'PostgreSQL', make: postgres }] : []),
]
