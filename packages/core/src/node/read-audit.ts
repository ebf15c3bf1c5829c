import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import type { AuditRecord } from '../audit.ts'
import { AuthError } from '../errors.ts'
import { codeOf } from './file-store-io.ts'

const chunkBytes = 64 * 1024
/** Longer than any line that `auditLines` makes. */
const maxLineBytes = 1024 * 1024
const newline = 0x0a

/**
 * Reads a file that `auditFile` writes, the newest line first and no more of it than is asked for. What is no such
 * line, as one that was cut off, is left out; a file that is not there yet is an empty one.
 *
 * @throws AuthError `store_failed` where it cannot be read
 * @example for await (const { time, event } of readAudit('/var/log/agents/audit.jsonl')) console.log(time, event)
 */
export async function* readAudit(path: string): AsyncGenerator<AuditRecord> {
  for await (const line of linesFromEnd(path)) {
    const record = recordOf(line)
    if (record !== undefined) yield record
  }
}

async function* linesFromEnd(path: string): AsyncGenerator<string> {
  const file = await opened(path)
  if (file === undefined) return
  try {
    let { size: at } = await file.stat()
    let rest = Buffer.alloc(0)
    while (at > 0) {
      const from = Math.max(0, at - chunkBytes)
      const chunk = Buffer.alloc(at - from)
      await file.read(chunk, 0, chunk.length, from)
      at = from
      rest = Buffer.concat([chunk, rest])
      for (let end = rest.lastIndexOf(newline); end >= 0; end = rest.lastIndexOf(newline)) {
        yield rest.toString('utf8', end + 1)
        rest = rest.subarray(0, end)
      }
      // No line of ours: what is left of it is no record either.
      if (rest.length > maxLineBytes) rest = Buffer.alloc(0)
    }
    yield rest.toString('utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  } finally {
    await file.close()
  }
}

async function opened(path: string) {
  try {
    return await open(path, 'r')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): AuthError {
  const why = codeOf(cause) || 'unknown error'
  return new AuthError('store_failed', `the audit ${path} cannot be read (${why})`, { cause })
}

function recordOf(line: string): AuditRecord | undefined {
  let value: Partial<AuditRecord> | null
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const isRecord = typeof value?.time === 'string' && typeof value.event === 'string'
  return isRecord ? (value as AuditRecord) : undefined
}
