import type { ConsentLedger } from './consent/ledger.ts'
import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'
import { giveBack, type ShareParts } from './share.ts'

/** What an operator's word needs. */
export interface OrderParts extends ShareParts {
  readonly order: ConsentLedger['order']
}

/** Revokes each credential of a session's owner under a consent of its own, which `approver` gives. */
export async function revokeAll(
  session: Session,
  parts: OrderParts,
  by: { readonly approver: string },
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { handle, state, shared } of await session.list()) {
    if (!shared && (state === 'revoked' || state === 'forgotten')) continue
    const outcome = await revokeFor(session, parts, { handle, shared: !!shared }, by)
    if (outcome) outcomes.push(outcome)
  }
  return outcomes
}

/** The same for one; undefined for what is another owner's and was given back. */
export async function revokeFor(
  session: Session,
  parts: OrderParts,
  { handle, shared }: { readonly handle: string; readonly shared: boolean },
  by: { readonly approver: string },
): Promise<Outcome | undefined> {
  if (shared) {
    await giveBack(parts, session.owner, handle)
    return undefined
  }
  const action = await session.preview('revoke', { credential: handle })
  const call = { channel: 'admin', callId: `admin-${handle}` }
  if (action !== undefined) {
    await parts.order(action, call, { ...by, approved: true, channel: 'admin' })
  }
  return session.revoke({ credential: handle }, call)
}
