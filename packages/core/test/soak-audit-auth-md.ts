import type { LedgerEntry, Sandbox } from '@authmd/sandbox'
import type { Registration } from '../src/engine/registration.ts'
import type { Orphan } from '../src/outcome.ts'
import type { Operator } from './soak-operator.ts'

/** What any of gives its holder power over a registration. */
const powers = ['claim_token', 'identity_assertion', 'refresh_token', 'access_token', 'api_key']

/** What gives its holder another token. */
const lasting = ['identity_assertion', 'refresh_token']

/** Registrations at an auth.md service that nobody holds, ended, or knows to be in doubt. */
export function lostRegistrations(
  sandbox: Sandbox,
  texts: ReadonlyMap<string, readonly string[]>,
  registrations: readonly Registration[],
): string[] {
  const credentials = (texts.get('credential') ?? []).join('\n')
  const held = `${(texts.get('registration') ?? []).join('\n')}\n${credentials}`
  const now = sandbox.clock.now()
  const good = ({ revokedAt, expiresAt = Infinity }: LedgerEntry) =>
    revokedAt === undefined && now < expiresAt
  const unheld = madeAt(sandbox).filter((account) => {
    const own = sandbox.ledger.filter((one) => one.account === account)
    const live = own.filter((one) => powers.includes(one.kind) && good(one))
    // A token does not make up for what would give the next one, nor does a credential that is refused.
    const renewing = live.filter((one) => lasting.includes(one.kind))
    const enough = live.filter((one) => renewing.length === 0 || one.kind !== 'access_token')
    const ours = enough.some((one) => isIn(held, one))
    if (ours) return false
    // To end what was held ends nothing that never came.
    if (renewing.some((one) => !isAnswered(sandbox, one))) return true
    return !ended(sandbox, own) && (renewing.length > 0 || !knownDead(texts, account))
  })
  const kept = (texts.get('credential') ?? []).flatMap(
    (one): Orphan[] => JSON.parse(one).orphan ?? [],
  )
  const orphans = [...registrations.flatMap((one) => one.orphans), ...kept]
  const named = (account: string) => orphans.some(({ what }) => what.includes(account))
  const unnamed = orphans.filter(({ what }) => !madeAt(sandbox).some((id) => what.includes(id)))
  return unheld
    .filter((account) => !named(account) && !excused(sandbox, account, unnamed))
    .map((account) => `lost: the registration ${account}`)
}

/** How long after it was asked for, by our clock, a registration may have been made. */
const servedMs = 60_000

/** One that was asked for at that time is in doubt, and each doubt is for one registration alone. */
function excused(
  { ledger }: Sandbox,
  account: string,
  unnamed: { readonly at: number }[],
): boolean {
  const made = ledger.find((one) => one.account === account)?.issuedAt ?? 0
  const doubt = unnamed.findIndex(({ at }) => made >= at - 1_000 && made <= at + servedMs)
  if (doubt !== -1) unnamed.splice(doubt, 1)
  return doubt !== -1
}

/** More registrations than somebody agreed to, or a claim that was paid out more than once. */
export function doubledRegistrations(sandbox: Sandbox, operator: Operator): string[] {
  const made = madeAt(sandbox)
  const agreed = operator.agreed.get('create-credential')?.size ?? 0
  const completed = sandbox.log.filter((one) => one.name === 'agent_claim_complete' && one.effect)
  // An agent completes it with the one, a person's page with the other.
  const tokens = sandbox.ledger.filter(({ kind }) =>
    ['claim_token', 'claim_attempt_token'].includes(kind),
  )
  const claims = completed.map(
    ({ n, body }) => tokens.find((one) => body.includes(one.value))?.account ?? `request ${n}`,
  )
  const again = claims.filter((account, at) => claims.indexOf(account) !== at)
  return [
    ...made.slice(agreed).map((id) => `double: the registration ${id}, agreed to ${agreed} times`),
    ...again.map((account) => `double: the claim of ${account} was completed twice`),
  ]
}

/** The ledger calls them accounts; each was made by a request of its own. */
function madeAt({ ledger }: Sandbox): readonly string[] {
  const own = ledger.filter(({ kind }) => powers.includes(kind))
  return [...new Set(own.map(({ account }) => account))]
}

function isIn(text: string, { value }: LedgerEntry): boolean {
  return text.includes(value)
}

/** The answer that held it went out whole. */
function isAnswered({ log }: Sandbox, { request }: LedgerEntry): boolean {
  return log.some(({ n, status }) => n === request && status !== undefined)
}

/** The agent has revoked what it held of it. */
function ended({ log }: Sandbox, own: readonly LedgerEntry[]): boolean {
  const revoked = log.some((one) => one.name === 'agent_revoke' && one.effect)
  return revoked && own.some((one) => one.kind === 'access_token' && one.revokedAt !== undefined)
}

/** The vault says of its credential that it is good for nothing any more. */
function knownDead(texts: ReadonlyMap<string, readonly string[]>, account: string): boolean {
  const all = (texts.get('credential') ?? []).map((one) => JSON.parse(one))
  return all.some(({ serviceId, state }) => serviceId === account && state !== 'active')
}
