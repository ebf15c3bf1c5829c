import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AgentAuth,
  AuthError,
  type AuthListener,
  allowLoopback,
  type Call,
  createAgentAuth,
  type DamagedRecord,
  type MasterKey,
  type Owner,
  type Session,
  type Store,
  sealed,
} from '@authmd/core'
import { auditFile, fileStore, keyFromEnv, keyFromFile, keyFromKeyring } from '@authmd/core/node'
import { isUrl, type Settings } from './settings.ts'

/** What a command works with. */
export interface World {
  readonly auth: AgentAuth
  readonly session: Session
  readonly owner: Owner
  /** This run of the program: the same action in another run is another question. */
  readonly call: Call
  /** Where the audit is, beside a store that is a directory. */
  readonly audit: string | undefined
  /** What of the store could not be read since it was opened. It was left as it is. */
  readonly damaged: readonly DamagedRecord[]
  /** Tells somebody of what happens from now on. */
  hear(listener: AuthListener): void
  close(): Promise<void>
}

interface Opened {
  readonly store: Store
  readonly audit?: string
  close(): Promise<void>
}

/**
 * Opens the store and makes an `AgentAuth` of the settings.
 *
 * @throws AuthError `key_invalid`, `key_unavailable`, `store_failed`, `invalid_input`
 */
export async function openWorld(settings: Settings): Promise<World> {
  const { owner, email, policy, loopback } = settings
  const { store, audit, close } = await openStore(settings)
  const listeners: AuthListener[] = []
  const damaged: DamagedRecord[] = []
  try {
    const auth = createAgentAuth({
      store,
      onEvent: [
        ...(audit === undefined ? [] : [auditFile({ path: audit })]),
        (event) => {
          if (event.type === 'damaged') damaged.push(event.record)
          for (const one of listeners) one(event)
        },
      ],
      ...(policy === undefined ? {} : { policy }),
      ...(email === undefined ? {} : { identity: () => ({ email }) }),
      ...(loopback ? { [allowLoopback]: true as const } : {}),
    })
    const call = { channel: 'cli', callId: `cli_${randomUUID()}` }
    const hear = (listener: AuthListener) => void listeners.push(listener)
    return { auth, session: auth.as(owner), owner, call, audit, damaged, hear, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openStore({ store, keyFile }: Settings): Promise<Opened> {
  const key = await masterKey(keyFile)
  if (!isUrl(store)) {
    makeDirectory(store)
    const audit = join(store, 'audit.jsonl')
    return { store: fileStore({ dir: store, key }), audit, close: async () => {} }
  }
  // No program that is started from here has any use for the password in it.
  delete process.env.AUTHMD_STORE
  const opened = await openServer(store)
  return { ...opened, store: sealed(opened.store, key) }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new AuthError('store_failed', `the store ${path} cannot be made (${code})`, { cause })
  }
}

/** An environment variable, a file, or else the keyring of the operating system. */
async function masterKey(keyFile: string | undefined): Promise<MasterKey> {
  if (process.env.AUTHMD_KEY !== undefined) return keyFromEnv('AUTHMD_KEY')
  if (keyFile !== undefined) return keyFromFile(keyFile, { create: true })
  try {
    return await keyFromKeyring({ service: 'authmd', account: 'vault', create: true })
  } catch (cause) {
    if (!AuthError.isInstance(cause) || cause.code !== 'key_unavailable') throw cause
    throw new AuthError(
      'key_unavailable',
      'There is no key to encrypt the vault with. Set AUTHMD_KEY_FILE to a path outside the store (a missing file is made with a random key), or AUTHMD_KEY to 32 bytes (openssl rand -hex 32), or install @napi-rs/keyring for the keyring of this desktop',
      { cause },
    )
  }
}

async function openServer(url: string): Promise<Opened> {
  if (/^postgres(ql)?:/i.test(url)) return openPostgres(url)
  if (/^rediss?:/i.test(url)) return openRedis(url)
  throw new AuthError('invalid_input', 'AUTHMD_STORE is a directory, postgres://… or redis://…')
}

async function openPostgres(connectionString: string): Promise<Opened> {
  const [{ default: pg }, { postgresStore }] = await Promise.all([
    import('pg'),
    import('@authmd/store-postgres'),
  ])
  const limits = { statement_timeout: 5_000, connectionTimeoutMillis: 5_000 }
  const pool = new pg.Pool({ connectionString, ...limits })
  // An idle connection that breaks is replaced; a query that fails says so itself.
  pool.on('error', () => {})
  const store = postgresStore({ pool })
  try {
    await store.migrate()
  } catch (error) {
    await pool.end()
    throw error
  }
  return { store, close: () => pool.end() }
}

async function openRedis(url: string): Promise<Opened> {
  const [{ createClient }, { redisStore }] = await Promise.all([
    import('redis'),
    import('@authmd/store-redis'),
  ])
  let connected = false
  const socket = {
    connectTimeout: 5_000,
    reconnectStrategy: () => (connected ? 1_000 : (false as const)),
  }
  const failed = (cause: unknown) =>
    new AuthError('store_failed', 'the store failed: Redis did not answer', { cause })
  try {
    const client = createClient({ url, socket, commandOptions: { timeout: 5_000 } })
    client.on('error', () => {})
    await client.connect()
    connected = true
    return { store: redisStore({ client }), close: async () => client.destroy() }
  } catch (cause) {
    throw failed(cause)
  }
}
