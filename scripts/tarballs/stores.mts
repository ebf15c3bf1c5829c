import assert from 'node:assert/strict'
import { AuthError, MasterKey, type Store, sealed } from '@authmd/core'
import { postgresStore } from '@authmd/store-postgres'
import { redisStore } from '@authmd/store-redis'
import { Pool } from 'pg'
import { createClient } from 'redis'

// Nothing listens there: what is seen is that each client is one that its store takes, and whose failure is ours.
const pool = new Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 5000 })
pool.on('error', () => undefined)
const client = createClient({ url: 'redis://127.0.0.1:1', disableOfflineQueue: true })
client.on('error', () => undefined)
const key = new MasterKey(new Uint8Array(32).fill(1))
const stores: Readonly<Record<string, Store>> = {
  postgres: sealed(postgresStore({ pool }), key),
  redis: sealed(redisStore({ client }), key),
}
for (const store of Object.values(stores)) {
  const asked = store.get({ kind: 'meta', owner: 'owner', id: 'one' })
  await assert.rejects(
    asked,
    (error) => AuthError.isInstance(error) && error.code === 'store_failed',
  )
}
await pool.end()
console.log(`stores: ${Object.keys(stores).join(' ')}`)
