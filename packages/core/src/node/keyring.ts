import { randomBytes } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthError } from '../errors.ts'
import { MasterKey } from '../vault/master-key.ts'
import { codeOf } from './file-store-io.ts'
import { takeLease } from './file-store-lease.ts'

/** Which entry of the keyring holds the key. */
export interface KeyringOptions {
  /** The application's name, as the keyring shows it. */
  readonly service: string
  readonly account: string
  /** Makes a random key where there is none yet. */
  readonly create?: boolean
}

/** What is used of an entry of `@napi-rs/keyring`. */
interface Entry {
  getPassword(): Promise<string | null>
  setPassword(password: string): Promise<void>
}

function unavailable(message: string, cause?: unknown): AuthError {
  return new AuthError('key_unavailable', message, { cause })
}

/**
 * The master key in the operating system's keyring: Keychain, Windows Credential Manager, or the Secret
 * Service of a Linux desktop. It needs the optional package `@napi-rs/keyring`. With `create`, a missing
 * entry is made with a random key; of two processes of one user that do so at once, both get the same.
 *
 * On Linux only the Secret Service counts. The kernel's own keyring forgets at a restart, and what was
 * sealed under a forgotten key is lost; where there is no desktop use `keyFromFile`.
 *
 * Throws `AuthError` `key_unavailable` without the package or a keyring that can be opened, `key_invalid`
 * where the entry is missing or holds no key.
 *
 * @example
 * ```ts
 * const key = keyFromKeyring({ service: 'my-agent', account: 'authmd', create: true })
 * fileStore({ dir: '.authmd', key })
 * ```
 */
export async function keyFromKeyring(options: KeyringOptions): Promise<MasterKey> {
  const { service, account, create = false } = options
  for (const text of [service, account]) {
    if (typeof text === 'string' && text !== '' && !text.includes('\0')) continue
    throw new AuthError('key_invalid', 'a keyring entry needs a service and an account')
  }
  const entry = await open(service, account)
  const there = await keyIn(entry)
  if (there !== undefined) return there
  if (create) return made(entry, service, account)
  throw new AuthError('key_invalid', `the keyring has no entry ${account} of ${service}`)
}

async function open(service: string, account: string): Promise<Entry> {
  let keyring: typeof import('@napi-rs/keyring')
  try {
    keyring = await import('@napi-rs/keyring')
  } catch (error) {
    if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') {
      throw unavailable('keyFromKeyring needs a package: npm install @napi-rs/keyring', error)
    }
    throw unavailable('@napi-rs/keyring does not load on this machine', error)
  }
  return asked(
    async () =>
      new keyring.AsyncEntry(service, account, { linux: { store: 'secret-service' as const } }),
  )
}

async function asked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const hint = process.platform === 'linux' ? ' (without a desktop, use keyFromFile)' : ''
    throw unavailable(`the keyring cannot be opened${hint}`, error)
  }
}

async function keyIn(entry: Entry): Promise<MasterKey | undefined> {
  const text = await asked(() => entry.getPassword())
  if (text === null) return undefined
  try {
    return MasterKey.parse(text)
  } catch {
    throw new AuthError('key_invalid', 'the entry of the keyring holds no key')
  }
}

/** A keyring knows no "only if absent": one process after the other, and each looks first. */
async function made(entry: Entry, service: string, account: string): Promise<MasterKey> {
  const root = join(tmpdir(), `authmd-keyring-${userInfo().uid}`)
  for (let left = 200; left > 0; left--) {
    const there = await keyIn(entry)
    if (there !== undefined) return there
    const lease = await takeLease(root, JSON.stringify([service, account]), 30_000)
    if (lease === undefined) {
      await sleep(50)
      continue
    }
    try {
      const since = await keyIn(entry)
      if (since !== undefined) return since
      await asked(() => entry.setPassword(randomBytes(32).toString('base64url')))
      const kept = await keyIn(entry)
      if (kept !== undefined) return kept
      throw unavailable('the keyring did not keep the key')
    } finally {
      await lease.release()
    }
  }
  throw unavailable('another process does not come to an end with making the key')
}
