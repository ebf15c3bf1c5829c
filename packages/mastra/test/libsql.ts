import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MastraCompositeStore } from '@mastra/core/storage'
import { LibSQLStore } from '@mastra/libsql'

export function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'authmd-mastra-'))
}

export async function openLibSql(dir: string): Promise<MastraCompositeStore> {
  const store = new LibSQLStore({ id: 'test', url: `file:${join(dir, 'mastra.db')}` })
  await store.init()
  return store
}
