import { sha256 } from '../encoding.ts'
import { type Owner, ownerKey } from '../owner.ts'
import type { Call, Consent } from './ledger.ts'

/** A framework's call in the index. */
export async function callKey(owner: Owner, { channel, thread, callId }: Call): Promise<string> {
  const call = JSON.stringify([await ownerKey(owner), channel, thread ?? null, callId ?? null])
  return `call_${await sha256(call)}`
}

/** A framework's call is joined by its id; a channel that knows no ids joins by its name. */
export function hasCall(consent: Consent, call: Call): boolean {
  return consent.calls.some(
    (known) =>
      known.channel === call.channel &&
      (known.callId === undefined || known.callId === call.callId) &&
      (known.thread === undefined || known.thread === call.thread),
  )
}

/** A decision given inside one thread does not count in another; one given out of band counts in all. */
export function sameThread(consent: Consent, call: Call): boolean {
  if (consent.decision?.channel === 'people') return true
  return consent.calls.some((known) => known.thread === call.thread)
}

/** A consent as it is once this call has used it up. */
export function usedUp(consent: Consent, { callId }: Call, now: number): Consent {
  const by = callId === undefined ? {} : { redeemedBy: callId }
  return { ...consent, state: 'redeemed', redeemedAt: now, ...by }
}
