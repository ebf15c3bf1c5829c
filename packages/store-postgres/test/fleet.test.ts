import { join } from 'node:path'
import { fleetCases } from '@authmd/scenarios/fleet'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { postgresStore } from '../src/index.ts'
import { freshSchema, pool, skip } from './server.ts'

vi.setConfig({ testTimeout: 120_000 })

describe.skipIf(skip)('a fleet on PostgreSQL', () => {
  const schema = freshSchema()
  const admin = pool(1)
  beforeAll(() => postgresStore({ pool: admin, schema }).migrate())
  fleetCases({
    worker: join(import.meta.dirname, 'fleet-worker.ts'),
    env: () => ({ FLEET_SCHEMA: schema }),
    endLeases: async () => {
      await admin.query(`update "${schema}".leases set expires = clock_timestamp()`)
    },
  })
  afterAll(async () => {
    await admin.query(`drop schema "${schema}" cascade`)
    await admin.end()
  })
})
