import type { Action } from '../consent/action.ts'
import type { Consents, Passage } from '../consent/consents.ts'
import type { CallFacts, Ruling } from '../consent/policy.ts'
import { AuthError } from '../errors.ts'
import type { Failure } from '../methods/method.ts'
import type { Outcome, PersonNeed } from '../outcome.ts'
import { viewCredential } from '../vault/credential-view.ts'
import type { Credential, Credentials } from '../vault/credentials.ts'
import { isClaimable } from './issued.ts'
import type { Registration } from './registration.ts'

/** What a resting registration means for the caller. */
export async function outcomeOf(
  registration: Registration,
  credentials: Credentials,
  now: number,
): Promise<Outcome> {
  if (registration.status === 'ready' && registration.credential !== undefined) {
    const credential = await credentials.get(registration.owner, registration.credential)
    return registration.failed
      ? notClaimed(registration, registration.failed, credential, now)
      : readyOutcome(credential, now, registration)
  }
  return restOutcome(registration, now)
}

/** The outcome `ready` for a credential that may be used. */
export function readyOutcome(
  credential: Credential,
  now: number,
  registration?: Pick<Registration, 'id'>,
): Outcome {
  const use = `auth_use { service: "${credential.service}", method: "GET", path: "…" }`
  const more = claimCall(credential, now)
  return {
    status: 'ready',
    service: credential.service,
    ...(registration === undefined ? {} : { registration: registration.id }),
    credential: viewCredential(credential),
    next: more === undefined ? use : `${use}; it is anonymous: ${more}`,
  }
}

/** The call by which a person comes to claim a credential that is nobody's yet; undefined for any other. */
export function claimCall(credential: Credential, now: number): string | undefined {
  const { service, registration, claim } = credential
  if (registration === undefined || !isClaimable(credential, now)) return undefined
  const until = claim?.until === undefined ? '' : ` until ${new Date(claim.until).toISOString()}`
  return `auth_register { service: "${service}", registration: "${registration}" } has a person claim it, for more rights, which can be done${until || ' now'}`
}

/** A person did not claim it. */
function notClaimed(
  { id }: Registration,
  { reason, ...failed }: Failure,
  { service, state, ...credential }: Credential,
  now: number,
): Outcome {
  const again = claimCall({ service, state, ...credential }, now)
  return {
    status: 'refused',
    registration: id,
    service,
    ...failed,
    reason: `The claim of ${credential.handle} has ended: ${reason} What was held before is kept.`,
    next: `auth_use { service: "${service}", method: "GET", path: "…" } as before${again ? `; ${again}` : ''}`,
  }
}

const personDone: Partial<Readonly<Record<PersonNeed['kind'], string>>> = {
  'enter-code': 'when the person has typed the code there',
  'read-code': 'when the person has handed the code over outside this chat; never ask for it here',
}

function restOutcome(registration: Registration, now: number): Outcome {
  const { id, offer, wait, failed, orphans, status } = registration
  const about = { registration: id, service: offer.service } as const
  const claim = `auth_claim { registration: "${id}" }`
  if (status === 'cancelled') {
    const left = stillThere(registration)
    return {
      ...about,
      status: 'ended',
      verdict: 'cancelled',
      reason: `This registration was cancelled.${left}`,
      next: `auth_register { service: "${offer.service}" } starts a new one`,
    }
  }
  if (status === 'failed' && failed) {
    return {
      ...about,
      status: 'refused',
      ...failed,
      next: `auth_discover { service: "${offer.service}" } shows what else can be tried`,
    }
  }
  switch (wait?.for) {
    case 'model':
      return {
        ...about,
        status: 'needs_answer',
        problem: wait.problem,
        form: wait.form,
        ...(wait.notice === undefined ? {} : { notice: wait.notice }),
        next: `auth_register { service: "${offer.service}", registration: "${id}", answer: "…" }`,
      }
    case 'person':
      return {
        ...about,
        status: 'needs_person',
        need: wait.need,
        ...(wait.notice === undefined ? {} : { notice: wait.notice }),
        next: `${claim} ${personDone[wait.need.kind] ?? 'when the person has done it'}`,
      }
    case 'mail':
      if (wait.inDoubt !== undefined) {
        const { mailbox } = registration.identity
        return {
          ...about,
          status: 'uncertain',
          request: wait.inDoubt,
          check: `The answer to ${wait.inDoubt} was lost. If it was done, a mail comes to ${wait.to}.${mailbox ? '' : ` ${wait.need.text}`}`,
          orphans,
          ...(mailbox ? {} : { need: wait.need }),
          next: mailbox
            ? `${claim} looks for the mail`
            : `${claim} when the person has handed the link over, or later to see what is known`,
        }
      }
      if (registration.identity.mailbox) {
        return {
          ...about,
          status: 'pending',
          notBefore: now + 5_000,
          reason: `Waiting for the service's mail to ${wait.to}, which is read without a person.`,
          next: `${claim} looks whether it has come`,
        }
      }
      return {
        ...about,
        status: 'needs_person',
        need: wait.need,
        ...(wait.notice === undefined ? {} : { notice: wait.notice }),
        next: `${claim} when the person has handed it over`,
      }
    case 'time':
      return {
        ...about,
        status: 'pending',
        notBefore: wait.at,
        reason: wait.reason,
        next: `${claim} not before ${new Date(wait.at).toISOString()}`,
      }
    case 'retry':
      return {
        ...about,
        status: 'uncertain',
        request: wait.request,
        check: wait.check,
        orphans,
        next: `auth_register { service: "${offer.service}", registration: "${id}" } asks the person whether to try again`,
      }
    case 'consent':
      return {
        ...about,
        status: 'pending',
        notBefore: now,
        reason: 'A person must agree before the next request.',
        next: `${claim} asks the person`,
      }
    default:
      return busy(registration, now)
  }
}

/** What its requests made at the service and nobody takes back. */
function stillThere({ journal, orphans }: Registration): string {
  const made = journal.filter(({ effect, lost, status = 0 }) => {
    return effect === 'creates' && lost !== 'unsent' && !(status >= 400 && status < 500)
  })
  const names = [...new Set(made.map(({ name }) => name))].join(', ')
  const places = [...new Set(orphans.flatMap(({ url }) => url ?? []))].join(', ')
  if (names === '') return ' Nothing was made at the service.'
  const look = places === '' ? '' : ` A person can look at ${places}.`
  return ` What ${names} made at the service stays there.${look}`
}

/** Somebody else is at work on it. */
export function busy({ id, offer }: Registration, now: number): Outcome {
  return {
    status: 'pending',
    registration: id,
    service: offer.service,
    notBefore: now + 5_000,
    reason: 'Another process is working on this registration.',
    next: `auth_claim { registration: "${id}" }`,
  }
}

/** What to say where the policy forbids something. Nothing was sent, and nobody is asked. */
export function forbidden(
  { because }: Ruling,
  { service, registration }: Pick<CallFacts, 'service'> & { readonly registration?: string },
): Outcome {
  return {
    status: 'refused',
    service,
    ...(registration === undefined ? {} : { registration }),
    code: 'policy_denied',
    reason: `The operator's policy forbids this${because ? `: ${because}` : ''}. Nothing was sent.`,
    next: 'none: nobody in this chat can allow it; tell the person',
  }
}

/** What to say where a consent is not open: forbidden, asked, denied, or done before. */
export async function needsConsent(
  standing: Passage,
  action: Action,
  consents: Consents,
): Promise<Outcome> {
  if (standing.kind === 'forbidden') return forbidden(standing.ruling, action)
  // Asked through the framework or not at all: what was not decided there is put out of band.
  const now =
    standing.kind === 'none' || standing.kind === 'asked' || standing.kind === 'lost'
      ? await consents.ask(action, { channel: 'people' })
      : standing
  const about = {
    service: action.service,
    ...(action.registration === undefined ? {} : { registration: action.registration }),
  }
  switch (now.kind) {
    case 'done':
      return now.outcome
    case 'denied': {
      const { reason } = now.consent.decision ?? {}
      return {
        ...about,
        status: 'refused',
        code: 'consent_denied',
        reason: 'The person said no to this, and nothing was sent.',
        ...(reason ? { personSays: reason.slice(0, 500) } : {}),
        notBefore: now.until,
        next: 'none, unless the person asks for it; tell them what it would have done',
      }
    }
    case 'asked':
      return {
        ...about,
        status: 'needs_consent',
        consent: now.consent.id,
        action: now.consent.action,
        next: consents.rules.outOfBand
          ? 'the same call again when the person has agreed, who is asked outside this chat: a yes in this chat does not count'
          : 'the same call again when the person has agreed',
      }
    default:
      throw new AuthError('method_failed', 'a consent is open and was not used')
  }
}

/** The service could not be reached; nothing that binds anybody was sent. */
export function unreachable(
  registration: Registration,
  request: string,
  notBefore: number,
): Outcome {
  return {
    status: 'refused',
    code: 'service_unreachable',
    registration: registration.id,
    service: registration.offer.service,
    reason: `The service did not answer to ${request}; nothing was done.`,
    notBefore,
    next: `the same call again, not before ${new Date(notBefore).toISOString()}`,
  }
}
