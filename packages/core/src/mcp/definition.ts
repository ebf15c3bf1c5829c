import { z } from 'zod'
import { canonical } from '../consent/action.ts'
import { sha256 } from '../encoding.ts'
import { parseJson } from '../net/json.ts'
import { ownLine } from '../tools/service-text.ts'
import { redactUnseen } from '../use/redactor.ts'

/** Characters of one definition as JSON. */
const maxChars = 64_000

/** One tool as the service describes it. All of it is the service's words. */
export interface Definition {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly inputSchema?: unknown
  /** SHA-256 of the above, base64url. */
  readonly hash: string
}

/** A tool that is not mounted, and why. Its name is cut and cleaned. */
export interface LeftOut {
  readonly name: string
  readonly why: string
}

/** What a service's tool list holds. */
export interface Listing {
  /** By name; a name that is listed twice is under `left`. */
  readonly tools: ReadonlyMap<string, Definition>
  readonly left: readonly LeftOut[]
  /** SHA-256 over the definitions whatever their order, base64url. */
  readonly hash: string
}

const text = z.string().optional().catch(undefined)
const entry = z.object({
  name: z.string(),
  title: text,
  description: text,
  inputSchema: z.unknown().optional(),
})

/** Reads the entries of a tool list. Hints such as `readOnlyHint` are not looked at. */
export async function readListing(entries: readonly unknown[]): Promise<Listing> {
  const tools = new Map<string, Definition>()
  const twice = new Set<string>()
  const left: LeftOut[] = []
  const hashes: string[] = []
  for (const one of entries) {
    const read = readEntry(one)
    if ('why' in read) {
      left.push(read)
      continue
    }
    const hash = await sha256(canonical(read))
    hashes.push(hash)
    if (tools.has(read.name)) twice.add(read.name)
    tools.set(read.name, { ...read, hash })
  }
  for (const name of twice) {
    tools.delete(name)
    left.push({ name: shownName(name), why: 'its name is listed more than once' })
  }
  return { tools, left, hash: await sha256(canonical(hashes.sort())) }
}

function readEntry(one: unknown): z.infer<typeof entry> | LeftOut {
  const known = entry.safeParse(one)
  if (!known.success) return { name: '(without a name)', why: 'it is no tool' }
  const name = shownName(known.data.name)
  try {
    const json = JSON.stringify(known.data)
    if (json.length > maxChars) return { name, why: 'its definition is too large' }
    if (redactUnseen(json).secrets.length > 0) return { name, why: 'its definition holds a secret' }
    // Without what `parseJson` does not let through.
    return entry.parse(parseJson(json))
  } catch {
    return { name, why: 'its definition cannot be read' }
  }
}

export function shownName(name: string): string {
  return ownLine(name, 100)
}
