import { Buffer } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { auditLine, auditLines } from '../audit.ts'
import { AuthError } from '../errors.ts'
import type { AuthListener } from '../events.ts'
import { codeOf, failed as storeFailed } from './file-store-io.ts'

export interface AuditFileOptions {
  /** The file to append to. It is made with mode 0600, in a directory that is there; one that is there keeps its mode. */
  readonly path: string
  /** Gets each line that could not be written; without it the process warns once, until it works again. */
  readonly failed?: (line: string, error: unknown) => void
}

/**
 * A listener for `onEvent` that appends a line of JSON for each event to a file (`auditLines`), each by one write,
 * before the verb goes on. So a process that is killed loses no line of what it has done, several processes may
 * share a file on a local disk, and only a machine that loses its power can lose what the system had not
 * written yet.
 *
 * A file that was moved away is made anew with the next line. What could not be written is lost to the
 * file; the next line that can be is preceded by one that says how many are missing (`event: 'gap'`). A line that was
 * cut off, by a full disk or a crash, is ended before the next one begins.
 *
 * @throws AuthError `store_failed` at once, where the file cannot be opened or is none
 * @example
 * const auth = createAgentAuth({ store, onEvent: auditFile({ path: '/var/log/agents/audit.jsonl' }) })
 */
export function auditFile({ path, failed }: AuditFileOptions): AuthListener {
  let file: { readonly fd: number; readonly dev: number; readonly ino: number } | undefined
  let lost = 0

  function close(): void {
    if (file === undefined) return
    const { fd } = file
    file = undefined
    closeSync(fd)
  }

  /** The file that stands there now. */
  function current(): number {
    const there = statSync(path, { throwIfNoEntry: false })
    if (file && (there?.ino !== file.ino || there.dev !== file.dev)) close()
    if (file) return file.fd
    const fd = openSync(path, 'a+', 0o600)
    try {
      const { dev, ino, size } = regular(fd)
      if (size > 0 && lastByte(fd, size) !== newline) append(fd, '\n')
      file = { fd, dev, ino }
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return fd
  }

  function regular(fd: number) {
    const stat = fstatSync(fd)
    if (stat.isFile()) return stat
    throw new AuthError('store_failed', `the audit cannot be appended to ${path}: it is no file`)
  }

  function warn(error: unknown): void {
    if (lost > 1) return
    const why = codeOf(error) || 'unknown error'
    process.emitWarning(`the audit cannot be written (${why}): ${path}`, { code: 'AUTHMD_AUDIT' })
  }

  try {
    current()
  } catch (error) {
    throw storeFailed(error, 'opening the audit', path)
  }
  return auditLines(
    (line) => {
      const gap = lost === 0 ? '' : `${gapLine(lost)}\n`
      try {
        append(current(), `${gap}${line}\n`)
        lost = 0
      } catch (error) {
        lost += 1
        close()
        throw error
      }
    },
    (line, error) => {
      if (failed) failed(line, error)
      else warn(error)
    },
  )
}

const newline = 0x0a

function gapLine(lost: number): string {
  return auditLine({ time: new Date().toISOString(), event: 'gap', what: { lost } })
}

/** One write, unless the system takes less at once. */
function append(fd: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

function lastByte(fd: number, size: number): number | undefined {
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, size - 1)
  return byte[0]
}
