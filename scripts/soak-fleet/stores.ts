import { createHash } from 'node:crypto'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { fileStore } from '../../packages/core/src/node/file-store.ts'
import { MasterKey, type Store, sealed } from '../../packages/core/src/node/main.ts'
import { postgresStore } from '../../packages/store-postgres/src/index.ts'
import { redisStore } from '../../packages/store-redis/src/index.ts'
import { postgresUrl, type StoreKind } from './servers.ts'

/** Where a store is: a port of this machine, or a directory. */
export interface Place {
  readonly kind: StoreKind
  readonly port: number
  readonly dir: string
}

/** One write that the store has acknowledged, or a value as the store has it. */
export interface Write {
  /** Kind, owner and id. */
  readonly record: string
  readonly revision: number
  readonly digest: string
}

export function writeOf(
  { kind, owner, id }: { kind: string; owner: string; id: string },
  revision: number,
  value: string,
): Write {
  const digest = createHash('sha256').update(value).digest('base64url').slice(0, 16)
  return { record: `${kind}/${owner}/${id}`, revision, digest }
}

/** Nothing that a person has: it seals what a run makes, which goes with it. */
const key = new MasterKey(new Uint8Array(32).fill(9))

/**
 * A store as its README says that it is to be set up, told of each acknowledged write. `raw` is what lies below
 * `store`, whose revisions and values those writes are about.
 */
export async function openStore(
  place: Place,
  acknowledged: (write: Write) => void,
): Promise<{ readonly store: Store; readonly raw: Store; readonly close: () => Promise<void> }> {
  if (place.kind === 'file') {
    // It seals by itself, and counts as those who use it do.
    const store = fileStore({ dir: place.dir, key })
    return { store: recorded(store, acknowledged), raw: store, close: async () => {} }
  }
  const { raw, close } = await (place.kind === 'redis' ? redis(place.port) : postgres(place.port))
  return { store: sealed(recorded(raw, acknowledged), key), raw, close }
}

function recorded(store: Store, acknowledged: (write: Write) => void): Store {
  return {
    ...store,
    async put(record, expected) {
      const revision = await store.put(record, expected)
      acknowledged(writeOf(record, revision, record.value))
      return revision
    },
  }
}

async function postgres(port: number) {
  const pool = new Pool({
    connectionString: postgresUrl(port),
    // Also how long a query waits for a free connection, of which there are few for so many calls.
    connectionTimeoutMillis: 20_000,
    query_timeout: 5_000,
  })
  pool.on('error', () => undefined)
  const raw = postgresStore({ pool })
  await raw.migrate()
  return { raw, close: () => pool.end() }
}

async function redis(port: number) {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    commandOptions: { timeout: 5_000 },
    socket: { socketTimeout: 5_000 },
    pingInterval: 1_000,
  })
  client.on('error', () => undefined)
  await client.connect()
  return { raw: redisStore({ client }), close: async () => client.destroy() }
}
