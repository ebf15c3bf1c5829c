import type { Call } from './consent/ledger.ts'
import { outcomeOf } from './engine/outcome-of.ts'
import type { Loaded, Registration } from './engine/registration.ts'
import type { Push } from './engine/step.ts'
import { AuthError } from './errors.ts'
import type { Outcome } from './outcome.ts'
import { readMail } from './people/mailbox.ts'
import { wantedInput } from './people/people.ts'
import type { SessionParts } from './session-parts.ts'

/**
 * What a call to claim says to a registration: that time has passed, or the code that a person read out
 * in the chat. An outcome where the code is not taken. One that is not waited for any more says nothing.
 */
export function claimPush(
  registration: Registration,
  code: string | undefined,
  codesThroughModel: boolean,
): Push | Outcome {
  if (code === undefined) return { type: 'tick' }
  if (!codesThroughModel) {
    const reason = 'The person hands a code over outside this chat. Nothing was sent.'
    const next = `auth_claim { registration: "${registration.id}" }, without a code, when they have done it`
    return refused(registration, reason, next)
  }
  const { wait } = registration
  if (wait?.for !== 'person' || wait.need.kind !== 'read-code') return { type: 'tick' }
  try {
    return { type: 'person', input: wantedInput(registration, { code }) }
  } catch (error) {
    if (!AuthError.isInstance(error) || error.code !== 'secret_refused') throw error
    return refused(registration, `${error.message}.`, withCode(registration.id))
  }
}

/** Moves a registration on by what was said, by time, and by mail. */
export async function moveOn(
  { engine, credentials, now, identity }: SessionParts,
  loaded: Loaded,
  push: Push,
  call: Call,
): Promise<Outcome> {
  const { registration } = loaded
  const { wait, status, inFlight } = registration
  if (inFlight) return engine.run(loaded, push, 'claim', call)
  const early = wait?.for === 'time' && wait.at > now()
  if (status !== 'waiting' || early) return outcomeOf(registration, credentials, now())
  const { mailbox } = wait?.for === 'mail' ? await identity() : {}
  const mail = mailbox && wait?.for === 'mail' ? await readMail(mailbox, wait) : undefined
  return engine.run(loaded, mail ? { type: 'mail', messages: mail } : push, 'claim', call)
}

/** Has the model ask for a code that a person is to read out. */
export function askedHere(outcome: Outcome): Outcome {
  const { status, registration } = outcome
  if (status !== 'needs_person' || outcome.need.kind !== 'read-code') return outcome
  return registration === undefined ? outcome : { ...outcome, next: withCode(registration) }
}

function withCode(registration: string): string {
  return `auth_claim { registration: "${registration}", code: "…" } with the code that the person reads out`
}

function refused({ id, offer }: Registration, reason: string, next: string): Outcome {
  const { service } = offer
  return { status: 'refused', code: 'person_input', registration: id, service, reason, next }
}
