import { open } from 'node:fs/promises'
import { AuthError } from '@authmd/core'
import { withoutHidden } from '@authmd/core/reading'
import { type DiagnoseOptions, diagnose } from './diagnose.ts'
import { renderMarkdown } from './render/markdown.ts'
import { renderTable } from './render/table.ts'
import { type Report, type Severity, severities } from './report.ts'

/** Where output goes: `process.stdout`, or anything with a `write`. */
export interface DoctorOutput {
  write(text: string): unknown
  readonly columns?: number
  readonly isTTY?: boolean
  hasColors?(): boolean
}

/** Settings of {@link doctor}. */
export interface DoctorOptions extends DiagnoseOptions {
  readonly json?: boolean
  readonly markdown?: boolean
  /** From which severity on the exit code is 1. Default: `error`. */
  readonly failOn?: Severity | 'never'
  /** Where the file is (or will be) published. */
  readonly publishedAt?: string
  /** Default: `process.stdout`. */
  readonly out?: DoctorOutput
  /** Default: `process.stderr`. */
  readonly err?: DoctorOutput
}

/** More of a file is not read; a reader of the convention gives up at 1 MiB. */
const maxFileBytes = 2 * 1024 * 1024

/**
 * The command: checks a URL, or a file, writes the report, and gives the exit code. 0: nothing at or above
 * `failOn`; 1: something is; 2: it could not be checked, and `err` says why.
 *
 * @example process.exitCode = await doctor('https://api.vendor.example', { failOn: 'warning' })
 */
export async function doctor(target: string, options: DoctorOptions = {}): Promise<0 | 1 | 2> {
  const { json, markdown, failOn = 'error', publishedAt, out = process.stdout } = options
  let report: Report
  try {
    if (failOn !== 'never' && !severities.includes(failOn)) {
      throw new AuthError('invalid_input', `failOn is ${severities.join(', ')} or never`)
    }
    const subject = /^https?:\/\//i.test(target)
      ? { service: target }
      : { text: await readFile(target), ...(publishedAt !== undefined && { url: publishedAt }) }
    report = await diagnose(subject, options)
  } catch (error) {
    const err = options.err ?? process.stderr
    err.write(`doctor: ${withoutHidden(wordsFor(error, target)).replace(/\s+/g, ' ')}\n`)
    return 2
  }
  if (json) out.write(`${JSON.stringify(report, null, 2)}\n`)
  else if (markdown) out.write(renderMarkdown(report))
  else {
    const color = out.isTTY === true && (out.hasColors?.() ?? false)
    out.write(
      renderTable(report, { color, ...(out.columns !== undefined && { columns: out.columns }) }),
    )
  }
  if (failOn === 'never') return 0
  const heavy = severities.slice(0, severities.indexOf(failOn) + 1)
  return heavy.some((one) => report.counts[one] > 0) ? 1 : 0
}

async function readFile(path: string): Promise<string> {
  const file = await open(path)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new AuthError('invalid_input', `${path} is no file`)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(maxFileBytes) })
    const bytes = buffer.subarray(0, bytesRead)
    if (bytes.includes(0)) throw new AuthError('invalid_input', `${path} is no text`)
    return new TextDecoder().decode(bytes)
  } finally {
    await file.close()
  }
}

function wordsFor(error: unknown, target: string): string {
  if (AuthError.isInstance(error)) return error.message
  const { code } = (error ?? {}) as { code?: unknown }
  if (code === 'ENOENT') {
    const host = /^[\w-]+(?:\.[\w-]+)+(?:[:/]|$)/.test(target)
    return `there is no file ${target}${host ? `; a URL begins with https://` : ''}`
  }
  if (typeof code === 'string') return `${target} cannot be read: ${code}`
  throw error
}
