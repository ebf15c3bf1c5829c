import assert from 'node:assert/strict'
import { serveConsole } from '@authmd/console/node'
import { createAgentAuth, memoryStore } from '@authmd/core'
import { owner } from './world.mts'

const server = await serveConsole(createAgentAuth({ store: memoryStore() }))
try {
  const { url } = await server.link({ approver: 'kim@operator.test', owners: [owner] })
  const answer = await fetch(url, { redirect: 'manual' })
  assert.ok(answer.status < 400, `${answer.status}`)
  console.log('console: opened')
} finally {
  await server.close()
}
