import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AuthError } from '../errors.ts'

const windows = process.platform === 'win32'

/** The system's word for what went wrong (`ENOENT`, `ENOSPC` …), or '' for anything else. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** Turns a failure of the file system into an `AuthError`; an `AuthError` passes as it is. */
export function failed(error: unknown, what: string, file: string): AuthError {
  if (AuthError.isInstance(error)) return error
  const code = codeOf(error)
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space left' : code || 'unknown error'
  return new AuthError('store_failed', `${what} failed (${reason}): ${file}`, {
    cause: error,
    details: { file, reason: code },
  })
}

/** Makes the names in a directory survive a power failure. Windows has no such call. */
export async function syncDir(dir: string): Promise<void> {
  if (windows) return
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes `dir` and what is missing above it, for the owner alone, durably. */
export async function makeDir(dir: string): Promise<void> {
  const whole = resolve(dir)
  const first = await mkdir(whole, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = whole; made.length >= first.length; made = dirname(made)) {
    await syncDir(dirname(made))
  }
}

/** Names in a directory; none when there is no such directory. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Removes a file; absent is no error. */
export async function removeFile(file: string): Promise<void> {
  await unlink(file).catch((error) => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
}

/** True where a path may be read or entered by others than its owner. */
export async function isShared(path: string): Promise<boolean> {
  return !windows && ((await stat(path)).mode & 0o077) !== 0
}

const temporary = /^\.tmp-[0-9a-f]{24}$/

/** Writes a text to a new temporary file in `dir`, down to the disk, and returns its path. */
export async function writeTemporary(dir: string, text: string): Promise<string> {
  const file = join(dir, `.tmp-${randomBytes(12).toString('hex')}`)
  const handle = await open(file, 'wx', 0o600)
  try {
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await removeFile(file).catch(() => undefined)
    throw error
  }
  return file
}

/** Removes temporary files that a writer left more than a minute ago. */
export async function removeStale(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((it) => temporary.test(it))) {
    const file = join(dir, name)
    const age = await stat(file).then(
      (it) => Date.now() - it.mtimeMs,
      () => 0,
    )
    if (age > 60_000) await removeFile(file)
  }
}

/**
 * Creates a file with its whole content in one step. False when it exists already: then it is as it was.
 * A link, not a rename, because a rename would replace what another process has just made.
 */
export async function createExclusive(file: string, text: string): Promise<boolean> {
  const dir = dirname(file)
  const temp = await writeTemporary(dir, text)
  try {
    await link(temp, file)
    await syncDir(dir)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await removeFile(temp).catch(() => undefined)
  }
}
