import { storeCases } from '@authmd/core/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { postgresStore } from '../src/index.ts'
import { freshSchema, pool, skip } from './server.ts'

const schema = freshSchema()
const one = pool()
const other = pool()

/** As a pooler in transaction mode may have it: each query on another connection, nothing kept between. */
const scattered = pool(8, 1)

describe.skipIf(skip)('postgresStore', () => {
  beforeAll(() => postgresStore({ pool: one, schema }).migrate())

  afterAll(async () => {
    await one.query(`drop schema "${schema}" cascade`)
    await Promise.all([one.end(), other.end(), scattered.end()])
  })

  let opened = 0
  const open = () => postgresStore({ pool: opened++ % 2 === 0 ? one : other, schema })
  // Each write waits for the disk: CI makes ten thousand.
  const few = process.env.CI === undefined ? { owners: 1000 } : {}
  for (const { name, run } of storeCases) {
    test(name, () => run({ open, leasesEndBy: 'server', ...few }))
  }

  describe('each query on a connection of its own', () => {
    const open = () => postgresStore({ pool: scattered, schema })
    for (const { name, run } of storeCases) {
      test(name, () => run({ open, leasesEndBy: 'server', owners: 100 }))
    }
  })
})
