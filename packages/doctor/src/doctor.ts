import { constants, open } from 'node:fs/promises'
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

/** Settings of {@link examine}. */
export interface ExamineOptions extends DiagnoseOptions {
  /** Where the file is (or will be) published. */
  readonly publishedAt?: string
}

/** From which severity on a report fails a build. */
export type FailOn = Severity | 'never'

/** Settings of {@link doctor}. */
export interface DoctorOptions extends ExamineOptions {
  readonly json?: boolean
  readonly markdown?: boolean
  /** From which severity on the exit code is 1. Default: `error`. */
  readonly failOn?: FailOn
  /** Default: `process.stdout`. */
  readonly out?: DoctorOutput
  /** Default: `process.stderr`. */
  readonly err?: DoctorOutput
}

/** More of a file is not read; a reader of the convention gives up at 1 MiB. */
const maxFileBytes = 2 * 1024 * 1024

/**
 * Checks what is named by a URL, or by the path of a file.
 *
 * @throws AuthError what `diagnose` throws; `invalid_input` where a file cannot be read
 * @example const report = await examine('public/auth.md', { publishedAt: 'https://vendor.example/auth.md' })
 */
export async function examine(target: string, options: ExamineOptions = {}): Promise<Report> {
  const { publishedAt } = options
  if (/^https?:\/\//i.test(target)) {
    if (publishedAt !== undefined) {
      throw new AuthError('invalid_input', 'a URL says itself where it is published')
    }
    return diagnose({ service: target }, options)
  }
  const text = await readFile(target)
  return diagnose({ text, ...(publishedAt !== undefined && { url: publishedAt }) }, options)
}

/** Whether something at or above a severity was found. */
export function fails({ counts }: Report, failOn: FailOn): boolean {
  if (failOn === 'never') return false
  const heavy = severities.slice(0, severities.indexOf(failOn) + 1)
  return heavy.some((one) => counts[one] > 0)
}

/**
 * The command: checks a URL, or a file, writes the report, and gives the exit code. 0: nothing at or above
 * `failOn`; 1: something is; 2: it could not be checked, and `err` says why.
 *
 * @example process.exitCode = await doctor('https://api.vendor.example', { failOn: 'warning' })
 */
export async function doctor(target: string, options: DoctorOptions = {}): Promise<0 | 1 | 2> {
  const { json, markdown, failOn = 'error', out = process.stdout } = options
  let report: Report
  try {
    if (failOn !== 'never' && !severities.includes(failOn)) {
      throw new AuthError('invalid_input', `failOn is ${severities.join(', ')} or never`)
    }
    report = await examine(target, options)
  } catch (error) {
    if (!AuthError.isInstance(error)) throw error
    const err = options.err ?? process.stderr
    err.write(`doctor: ${withoutHidden(error.message).replace(/\s+/g, ' ')}\n`)
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
  return fails(report, failOn) ? 1 : 0
}

async function readFile(path: string): Promise<string> {
  // What is no file, such as a named pipe, is not waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (cause: unknown) => {
      throw unreadable(path, cause)
    },
  )
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

function unreadable(path: string, cause: unknown): AuthError {
  const { code } = (cause ?? {}) as { code?: unknown }
  const host = /^[\w-]+(?:\.[\w-]+)+(?:[:/]|$)/.test(path) ? '; a URL begins with https://' : ''
  const why =
    code === 'ENOENT' ? `there is no file ${path}${host}` : `${path} cannot be read: ${code}`
  return new AuthError('invalid_input', why, { cause })
}
