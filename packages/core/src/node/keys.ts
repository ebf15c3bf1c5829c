import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AuthError } from '../errors.ts'
import { MasterKey } from '../vault/master-key.ts'
import { codeOf, createExclusive, makeDir } from './file-store-io.ts'

function invalid(message: string, cause?: unknown): AuthError {
  return new AuthError('key_invalid', message, { cause })
}

/** Undefined when there is no such file. */
async function readKey(path: string): Promise<MasterKey | undefined> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const stat = await handle.stat()
    const { mode, size } = stat
    if (!stat.isFile()) throw invalid(`this is no key file: ${path}`)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw invalid(`the key file can be read by others; run: chmod 600 ${path}`)
    }
    if (size > 1024) throw invalid(`this is no key file: ${path}`)
    return MasterKey.parse(await handle.readFile('utf8'))
  } finally {
    await handle.close()
  }
}

/**
 * The master key in a file: 64 hex digits, or base64 / base64url of 32 bytes, in a file that only its
 * owner may read (mode 0600 or stricter). With `create`, a missing file is made with a random key; of
 * two processes that do so at once, both get the same key.
 *
 * Throws `AuthError` `key_invalid`.
 *
 * @example
 * ```ts
 * fileStore({ dir: '.authmd', key: keyFromFile('/run/secrets/authmd-key') })
 * ```
 */
export async function keyFromFile(
  path: string,
  options: { create?: boolean } = {},
): Promise<MasterKey> {
  try {
    let key = await readKey(path)
    if (key === undefined && options.create === true) {
      await makeDir(dirname(path))
      await createExclusive(path, `${randomBytes(32).toString('base64url')}\n`)
      key = await readKey(path)
    }
    if (key === undefined) throw invalid(`there is no key file: ${path}`)
    return key
  } catch (error) {
    if (AuthError.isInstance(error)) throw error
    throw invalid(
      `the key file cannot be used (${codeOf(error) || 'unknown error'}): ${path}`,
      error,
    )
  }
}

const taken = new Map<string, MasterKey>()

/**
 * The master key in an environment variable: 64 hex digits, or base64 / base64url of 32 bytes. The
 * variable is removed from `process.env`, so that no child process inherits it; a second call for the
 * same name in this process gets the same key. (The kernel still shows the environment that the process
 * was started with to the same user; where that matters, use `keyFromFile`.)
 *
 * Throws `AuthError` `key_invalid`, which never repeats the value.
 *
 * @example
 * ```ts
 * fileStore({ dir: '.authmd', key: keyFromEnv('AUTHMD_KEY') })
 * ```
 */
export function keyFromEnv(name: string): MasterKey {
  const text = process.env[name]
  if (text === undefined) {
    const key = taken.get(name)
    if (key === undefined) throw invalid(`the environment variable ${name} is not set`)
    return key
  }
  delete process.env[name]
  try {
    const key = MasterKey.parse(text)
    taken.set(name, key)
    return key
  } catch {
    throw invalid(
      `the environment variable ${name} holds no key: it needs 64 hex digits or base64 of 32 bytes`,
    )
  }
}
