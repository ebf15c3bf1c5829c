import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Lease } from '../vault/store.ts'
import { readHead, writeNext } from './file-store-record.ts'

const holderSchema = z.object({
  token: z.int(),
  expires: z.int(),
  pid: z.int(),
  host: z.string(),
  startedAt: z.string(),
})

type Holder = z.infer<typeof holderSchema>

function read(file: string, reader: (file: string) => string): string {
  try {
    return reader(file).trim()
  } catch {
    return ''
  }
}

/** Process ids mean something only within one boot and one pid namespace (two containers have two). */
function thisHost(): string {
  const boot = read('/proc/sys/kernel/random/boot_id', (file) => readFileSync(file, 'utf8'))
  const namespace = read('/proc/self/ns/pid', (file) => readlinkSync(file))
  return [hostname(), boot, namespace].join(' ')
}

/** State and start time of a process, where the system tells; they unmask a reused process id. */
function processStat(pid: number): { state: string; startedAt: string } {
  const text = read(`/proc/${pid}/stat`, (file) => readFileSync(file, 'utf8'))
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startedAt: fields[19] ?? '' }
}

function isDead(holder: Holder, host: string): boolean {
  if (holder.host !== host) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
  }
  const { state, startedAt } = processStat(holder.pid)
  return state === 'Z' || state === 'X' || (startedAt !== '' && startedAt !== holder.startedAt)
}

/**
 * A lease as a record of its own that is never deleted, so that its revision serves as the token.
 * It is free when it was released, when it is over, or when its holder on this machine is dead.
 */
export async function takeLease(
  root: string,
  name: string,
  ms: number,
): Promise<Lease | undefined> {
  const dir = join(root, 'leases', createHash('sha256').update(name).digest('base64url'))
  const host = thisHost()
  for (;;) {
    const head = await readHead(dir)
    const now = Date.now()
    if (head.live !== undefined) {
      const holder = holderSchema.parse(JSON.parse(head.live.value))
      if (holder.expires > now && !isDead(holder, host)) return undefined
    }
    const token = (head.live?.revision ?? 0) + 1
    const { startedAt } = processStat(process.pid)
    const mine: Holder = { token, expires: now + ms, pid: process.pid, host, startedAt }
    const taken = await writeNext(dir, head, { revision: token, value: JSON.stringify(mine) })
    // When another was first, look again: it may have been a release.
    if (taken) return { token, expires: mine.expires, release: () => release(dir, mine) }
  }
}

async function release(dir: string, mine: Holder): Promise<void> {
  const head = await readHead(dir)
  if (head.live?.revision !== mine.token) return
  const value = JSON.stringify({ ...mine, expires: 0 })
  await writeNext(dir, head, { revision: mine.token + 1, value })
}
