import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, rename, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AuthError } from '../errors.ts'
import {
  codeOf,
  makeDir,
  namesIn,
  removeFile,
  removeStale,
  syncDir,
  writeTemporary,
} from './file-store-io.ts'

/*
 * A record is a directory with one file a step: `1.json`, `2.json` … The highest counts. A file is never
 * changed: the next step is written aside and linked to the next number, which only one process can
 * do, so there is no lock that a dead process could leave behind. A deletion is a step too, so that a
 * writer who was late finds its number taken.
 *
 * Steps below the highest are removed, lowest first. So a stalled writer may find its number free again
 * and link a step that was long overtaken. It notices by two things: the step that it built on is gone,
 * and the highest step does not name its write among those before it.
 */

/** What the highest step of a record says. */
export interface Head {
  /** Number of the step; 0 when there is none. */
  readonly seq: number
  /** Random names of the writes that led here, newest first. */
  readonly writes: readonly string[]
  /** Absent when the record does not exist or was deleted. */
  readonly live?: Content
}

/** What a record holds. */
export interface Content {
  readonly revision: number
  readonly value: string
  readonly due?: number | undefined
}

const envelopeSchema = z.strictObject({
  v: z.literal(1),
  seq: z.int().positive(),
  writes: z.array(z.string()).min(1),
  deleted: z.literal(true).optional(),
  revision: z.int().positive().optional(),
  due: z.int().optional(),
  value: z.string().optional(),
})

const remembered = 32
const day = 86_400_000
const none: Head = { seq: 0, writes: [] }
const stepName = /^([1-9][0-9]{0,14})\.json$/
const damagedName = /^[0-9]+\.json\.damaged-/

function sumOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url')
}

function serialise(seq: number, writes: readonly string[], content: Content | undefined): string {
  const rest = content ?? { deleted: true }
  const body = JSON.stringify({ v: 1, seq, writes, ...rest })
  return `${body.slice(0, -1)},"sum":"${sumOf(body)}"}\n`
}

/** Undefined when the text is not, to the byte, what was written as step `seq`. */
function parse(text: string, seq: number): Head | undefined {
  const tail = /^,"sum":"([\w-]{43})"\}\n$/.exec(text.slice(-54))
  const body = `${text.slice(0, -54)}}`
  if (tail === null || tail[1] !== sumOf(body)) return undefined
  const parsed = envelopeSchema.safeParse(JSON.parse(body))
  if (!parsed.success || parsed.data.seq !== seq) return undefined
  const { writes, deleted, revision, value, due } = parsed.data
  if (deleted) return { seq, writes }
  if (revision === undefined || value === undefined) return undefined
  return { seq, writes, live: { revision, value, ...(due === undefined ? {} : { due }) } }
}

function isNewer(text: string): boolean {
  try {
    const version: unknown = JSON.parse(text)?.v
    return typeof version === 'number' && version > 1
  } catch {
    return false
  }
}

function damaged(
  file: string,
  what: string,
  code: 'store_damaged' | 'store_version' = 'store_damaged',
): AuthError {
  return new AuthError(code, `${what}: ${file}`, { details: { file } })
}

function stepsIn(names: readonly string[]): number[] {
  const steps = names.map((name) => Number(stepName.exec(name)?.[1] ?? 0))
  return steps.filter((seq) => seq > 0).sort((a, b) => a - b)
}

function fileOf(dir: string, seq: number): string {
  return join(dir, `${seq}.json`)
}

/**
 * Reads a record's highest step. A damaged file is put aside under a name that says so, and as long as
 * it lies there the record is `store_damaged`.
 */
export async function readHead(dir: string): Promise<Head> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const names = await namesIn(dir)
    const aside = names.find((name) => damagedName.test(name))
    if (aside !== undefined) {
      throw damaged(join(dir, aside), 'a record is damaged; look at the file, then remove it')
    }
    const seq = stepsIn(names).at(-1)
    if (seq === undefined) return none
    const file = fileOf(dir, seq)
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue // overtaken and removed since we looked
      throw error
    }
    const head = parse(text, seq)
    if (head !== undefined) return head
    if (isNewer(text)) {
      throw damaged(
        file,
        'a record was written by a newer version of authmd, which is needed to read it',
        'store_version',
      )
    }
    const kept = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`
    await rename(file, kept).catch(() => undefined)
    throw damaged(kept, 'a record is damaged; its file was put aside')
  }
  throw new AuthError('store_failed', `a record changes faster than it can be read: ${dir}`)
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error) => {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    },
  )
}

/** After linking step `seq` on top of `head`: did it count? */
async function counts(dir: string, head: Head, seq: number, write: string): Promise<boolean> {
  const steps = stepsIn(await namesIn(dir))
  if (steps.includes(head.seq)) return true
  if (steps.at(-1) === seq) return head.live === undefined
  const now = await readHead(dir)
  if (now.writes.includes(write)) return true
  if (now.seq - seq < remembered) return false
  throw new AuthError(
    'store_failed',
    `a write was overtaken; whether it counted is unknown: ${dir}`,
  )
}

/** Writes a step aside and links it to its number. False, with nothing left, when that cannot be. */
async function linkStep(dir: string, head: Head, text: string): Promise<boolean> {
  let temp: string | undefined
  try {
    await makeDir(dir)
    temp = await writeTemporary(dir, text)
    // While our temporary file lies here, `forget` leaves the directory alone.
    if (head.seq > 0 && !(await exists(fileOf(dir, head.seq)))) return false
    await link(temp, fileOf(dir, head.seq + 1))
    return true
  } catch (error) {
    // EEXIST: the number is taken. ENOENT: the directory was forgotten, or we slept and were tidied up.
    if (['EEXIST', 'ENOENT'].includes(codeOf(error))) return false
    throw error
  } finally {
    if (temp !== undefined) await removeFile(temp).catch(() => undefined)
  }
}

/**
 * Writes the step after `head`; without content it is a deletion. False when another writer was first:
 * read again. When it returns true the step is on the disk.
 */
export async function writeNext(dir: string, head: Head, content?: Content): Promise<boolean> {
  const seq = head.seq + 1
  const write = randomBytes(9).toString('base64url')
  const text = serialise(seq, [write, ...head.writes].slice(0, remembered), content)
  if (!(await linkStep(dir, head, text))) return false
  if (!(await counts(dir, head, seq, write))) {
    await removeFile(fileOf(dir, seq))
    return false
  }
  await syncDir(dir)
  const tidied = tidy(dir, seq)
  // A deletion is done when the old value is gone; after a write the next one tidies what is left.
  await (content === undefined ? tidied : tidied.catch(() => undefined))
  return true
}

async function tidy(dir: string, seq: number): Promise<void> {
  const names = await namesIn(dir)
  for (const old of stepsIn(names).filter((it) => it < seq)) await removeFile(fileOf(dir, old))
  await removeStale(dir, names)
}

/**
 * Removes a deleted record's directory a day after the deletion: by then no writer that read the record
 * before is still on its way.
 */
export async function forget(dir: string, head: Head): Promise<void> {
  if (head.seq === 0 || head.live !== undefined) return
  const file = fileOf(dir, head.seq)
  if (Date.now() - (await stat(file)).mtimeMs < day) return
  await tidy(dir, head.seq)
  const names = await namesIn(dir)
  if (names.length !== 1 || names[0] !== `${head.seq}.json`) return
  await removeFile(file)
  await rmdir(dir)
}
