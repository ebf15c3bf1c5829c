import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'
import { giveBack, type ShareParts } from './share.ts'

/** Revokes each credential of a session's owner under a consent of its own, which `approver` gives. */
export async function revokeAll(
  session: Session,
  sharing: ShareParts,
  by: { approver: string },
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { handle, state, shared } of await session.list()) {
    if (shared) await giveBack(sharing, session.owner, handle)
    if (shared || state === 'revoked' || state === 'forgotten') continue
    const action = await session.preview('revoke', { credential: handle })
    const call = { channel: 'admin', callId: `admin-${handle}` }
    if (action !== undefined) {
      const asked = await session.ask(action, call)
      if (asked.kind === 'asked') {
        await session.decide(asked.consent.id, { ...by, approved: true, channel: 'admin' })
      }
    }
    outcomes.push(await session.revoke({ credential: handle }, call))
  }
  return outcomes
}
