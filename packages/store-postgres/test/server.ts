import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'

const url = process.env.TEST_POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/test'

async function answers(): Promise<boolean> {
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 2000 })
  try {
    await pool.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await pool.end()
  }
}

/** In CI the tests fail where there is no server; a contributor's machine skips them. */
export const skip: boolean = process.env.CI !== 'true' && !(await answers())
if (skip) console.warn('PostgreSQL does not answer (TEST_POSTGRES_URL): its tests are skipped')

/** `maxUses`: after so many queries a connection is closed. */
export function pool(max = 10, maxUses?: number): Pool {
  return new Pool({ connectionString: url, max, ...(maxUses === undefined ? {} : { maxUses }) })
}

/** A schema of its own for each test file, to be dropped after it. */
export function freshSchema(): string {
  return `authmd_test_${randomBytes(6).toString('hex')}`
}
