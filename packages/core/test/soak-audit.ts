import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LedgerEntry, Sandbox } from '@authmd/sandbox'
import type { Registration } from '../src/engine/registration.ts'
import { fileStore } from '../src/node/file-store.ts'
import { keyFromFile } from '../src/node/keys.ts'
import { recordKinds } from '../src/vault/store-check.ts'
import type { SoakMethod } from './soak-agent.ts'
import { doubledRegistrations, lostRegistrations } from './soak-audit-auth-md.ts'
import type { Operator } from './soak-operator.ts'

/** What a run left behind, held against the ledger of the sandbox. */
export interface Tally {
  readonly lost: number
  readonly double: number
  readonly unreadable: number
  readonly uncertain: number
  readonly orphansListed: number
  /** What is wrong, one line each. */
  readonly faults: readonly string[]
}

export async function audit(
  sandbox: Sandbox,
  operator: Operator,
  dir: string,
  doubts: ReadonlySet<string>,
  method: SoakMethod,
): Promise<Tally> {
  const { texts, unreadable } = await readStore(dir)
  const registrations = (texts.get('registration') ?? []).map((one) => JSON.parse(one))
  const faults = unreadable.map((one) => `unreadable: ${one}`)
  const orphans = (registrations as Registration[]).flatMap((one) => one.orphans)
  const [lost, double] =
    method === 'agent-auth'
      ? [lostRegistrations(sandbox, texts, registrations), doubledRegistrations(sandbox, operator)]
      : [lostOf(sandbox, operator, texts, registrations, orphans), doubled(sandbox, operator)]
  const inDoubt = (registrations as Registration[]).flatMap(({ journal }) =>
    journal.filter((entry) => entry.lost === 'unknown' && entry.effect !== 'none'),
  )
  const used = [...doubts].filter((one) => one.startsWith('POST '))
  return {
    lost: lost.length,
    double: double.length,
    unreadable: unreadable.length,
    uncertain: inDoubt.length + used.length,
    orphansListed: orphans.length,
    faults: [...faults, ...lost, ...double],
  }
}

async function readStore(dir: string) {
  const store = fileStore({ dir: join(dir, 'store'), key: await keyFromFile(join(dir, 'key')) })
  const texts = new Map<string, string[]>()
  const unreadable: string[] = []
  for (const kind of recordKinds) {
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await store.list({ kind, ...(after ? { after } : {}) })
      found.push(...page.records.map((record) => record.value))
      unreadable.push(...page.damaged.map((ref) => `${ref.kind} ${ref.id}`))
      if (page.next === undefined) break
      after = page.next
    }
    texts.set(kind, found)
  }
  const files = await readdir(join(dir, 'store'), { recursive: true })
  unreadable.push(...files.filter((name) => name.includes('.damaged-')))
  return { texts, unreadable }
}

/** What the service gave out and nobody holds, ended or knows to be in doubt. */
function lostOf(
  sandbox: Sandbox,
  operator: Operator,
  texts: ReadonlyMap<string, readonly string[]>,
  registrations: readonly Registration[],
  orphans: readonly { readonly request: string }[],
): string[] {
  const held = ['registration', 'credential'].flatMap((kind) => texts.get(kind) ?? []).join('\n')
  const listed = (name: string) => orphans.filter(({ request }) => request === name).length
  const nowhere = (entry: LedgerEntry) => !held.includes(entry.value)
  const keys = sandbox.ledger.filter(
    (entry) => entry.kind === 'api_key' && entry.revokedAt === undefined && nowhere(entry),
  )
  const own = keys.filter(({ value }) => !operator.made.has(value))
  const handed = keys.filter(({ value }) => operator.made.has(value))
  const sessions = sandbox.ledger.filter(
    (entry) => entry.kind === 'session' && entry.usedAt === undefined && nowhere(entry),
  )
  const lost = handed.map(({ id }) => `lost: the key ${id} that a person handed over`)
  const inDoubt = listed('api_keys') + listed('described_request')
  lost.push(...own.slice(inDoubt).map(({ id }) => `lost: the key ${id}`))
  lost.push(...sessions.slice(listed('bot_sessions')).map(({ id }) => `lost: the session ${id}`))
  const signedUp = sandbox.log.some(({ name, effect }) => name === 'bot_signup' && effect)
  const known = registrations.some(
    (one) => one.status !== 'failed' || one.orphans.length > 0 || one.credential !== undefined,
  )
  if (signedUp && !known) lost.push('lost: the account')
  return lost
}

/** What was done more often than somebody agreed to it. */
function doubled(sandbox: Sandbox, operator: Operator): string[] {
  const requests = [
    ['bot_signup', 'accept-terms'],
    ['prose_signup', 'create-credential'],
    ['api_keys', 'create-credential'],
    ['messages', 'unsafe-request'],
  ] as const
  return requests.flatMap(([name, kind]) => {
    const done = sandbox.log.filter((one) => one.name === name && one.effect).length
    const agreed = operator.agreed.get(kind)?.size ?? 0
    const what = `double: ${name} was done ${done} times, agreed to ${agreed} times`
    return Array.from({ length: Math.max(0, done - agreed) }, () => what)
  })
}
