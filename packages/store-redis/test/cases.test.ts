import { storeCases } from '@authmd/core/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { connect, drop, freshPrefix, skip } from './server.ts'

describe.skipIf(skip)('redisStore', () => {
  const prefix = freshPrefix()
  const clients: Awaited<ReturnType<typeof connect>>[] = []

  beforeAll(async () => {
    clients.push(await connect(), await connect())
  })

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await drop(prefix)
  })

  let opened = 0
  const open = () => redisStore({ client: clients[opened++ % 2]!, prefix })
  for (const { name, run } of storeCases) {
    test(name, () => run({ open, leasesEndBy: 'server' }))
  }
})
