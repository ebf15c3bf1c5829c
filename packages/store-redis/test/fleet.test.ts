import { join } from 'node:path'
import { fleetCases } from '@authmd/scenarios/fleet'
import { afterAll, describe, vi } from 'vitest'
import { connect, drop, freshPrefix, skip } from './server.ts'

vi.setConfig({ testTimeout: 120_000 })

describe.skipIf(skip)('a fleet on Redis', () => {
  const prefix = freshPrefix()
  fleetCases({
    worker: join(import.meta.dirname, 'fleet-worker.ts'),
    env: () => ({ FLEET_PREFIX: prefix }),
    endLeases: async () => {
      const client = await connect()
      for await (const keys of client.scanIterator({ MATCH: `${prefix}:lease:*`, COUNT: 1000 })) {
        if (keys.length > 0) await client.unlink(keys)
      }
      await client.close()
    },
  })
  afterAll(() => drop(prefix))
})
