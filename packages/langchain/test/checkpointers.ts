import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BaseCheckpointSaver, MemorySaver } from '@langchain/langgraph'
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'

export interface Kept {
  /** The same checkpoints for another agent, as another process opens them. */
  open(): BaseCheckpointSaver
  /** All that lies there, as text. */
  bytes(): Promise<string>
  close(): Promise<void>
}

const url = process.env.AUTHMD_TEST_POSTGRES ?? 'postgresql://postgres@127.0.0.1:5432/test'

/** Asks the database through the checkpointer's own connections: no other driver is installed. */
async function query(text: string): Promise<Record<string, unknown>[]> {
  const saver = PostgresSaver.fromConnString(url)
  const { pool } = saver as unknown as {
    pool: { query(text: string): Promise<{ rows: Record<string, unknown>[] }> }
  }
  try {
    return (await pool.query(text)).rows
  } finally {
    await saver.end()
  }
}

/** Why PostgreSQL cannot be tested with; undefined where it can. */
export async function postgresFault(): Promise<string | undefined> {
  try {
    await query('select 1')
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

export const kinds = ['memory', 'sqlite', 'postgres'] as const
export type Kind = (typeof kinds)[number]

/** A fresh place for checkpoints; `dir` is an empty directory. */
export async function keep(kind: Kind, dir: string): Promise<Kept> {
  if (kind === 'memory') {
    const saver = new MemorySaver()
    return {
      open: () => saver,
      bytes: async () => text([saver.storage, saver.writes]),
      close: async () => undefined,
    }
  }
  if (kind === 'sqlite') {
    const open: SqliteSaver[] = []
    return {
      open: () => {
        const saver = SqliteSaver.fromConnString(join(dir, 'checkpoints.sqlite'))
        open.push(saver)
        return saver
      },
      bytes: async () => {
        const files = (await readdir(dir)).filter((name) => name.startsWith('checkpoints'))
        const read = files.map((name) => readFile(join(dir, name), 'latin1'))
        return (await Promise.all(read)).join('\n')
      },
      close: async () => {
        for (const { db } of open) db.close()
      },
    }
  }
  const schema = `authmd_${process.pid}_${Date.now().toString(36)}`
  const savers: PostgresSaver[] = []
  const make = () => {
    const saver = PostgresSaver.fromConnString(url, { schema })
    savers.push(saver)
    return saver
  }
  await make().setup()
  return {
    open: make,
    bytes: async () => {
      const tables = ['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']
      const rows = tables.map((table) => query(`select * from "${schema}"."${table}"`))
      return text(await Promise.all(rows))
    },
    close: async () => {
      for (const saver of savers) await saver.end()
      await query(`drop schema "${schema}" cascade`)
    },
  }
}

/** Everything in it as one text, bytes as the characters that they stand for. */
function text(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (typeof value !== 'object' || value === null) return String(value)
  const parts = value instanceof Map ? [...value] : Object.entries(value)
  return parts.flat().map(text).join('\n')
}
