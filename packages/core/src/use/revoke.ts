import { type Action, type Effect, makeAction } from '../consent/action.ts'
import type { Consents } from '../consent/consents.ts'
import type { Call } from '../consent/ledger.ts'
import { needsConsent } from '../engine/outcome-of.ts'
import { sendPlan } from '../engine/send.ts'
import { AuthError } from '../errors.ts'
import { createGuardedFetch } from '../net/guarded-fetch.ts'
import type { NetOptions } from '../net/transport.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import {
  type Credential,
  type Credentials,
  sameSecrets,
  viewCredential,
} from '../vault/credentials.ts'
import type { Secret } from '../vault/secret.ts'
import { sendSigned } from './signer.ts'

const timeoutMs = 10_000

type TokenType = NonNullable<Credential['left']>

export interface RevokeParts {
  readonly net: NetOptions
  readonly credentials: Credentials
  readonly consents: Consents
  readonly now: () => number
}

/** What revoking it would bind; undefined where that was agreed to already. */
export async function revokeAction(credential: Credential): Promise<Action | undefined> {
  const { handle, owner, service, state, revocation, revision } = credential
  if (state !== 'active' && state !== 'invalid') return undefined
  const effect: Effect = {
    kind: 'revoke',
    credential: handle,
    how: howOf(credential),
    ...(revocation === undefined ? {} : { url: revocation.url }),
  }
  return makeAction({ verb: 'revoke', owner, service, revision, effects: [effect] })
}

function howOf({ revocation }: Credential): 'local' | 'guided' | 'programmatic' {
  if (revocation === undefined) return 'local'
  return revocation.mode === 'programmatic' ? 'programmatic' : 'guided'
}

/**
 * Takes a credential out of use at once and ends it: by the service's revocation endpoint (RFC 7009),
 * or a person deletes it where the service says, and one probe then shows whether it is refused. The
 * verdict says what is known, nothing more.
 */
export async function revokeCredential(
  parts: RevokeParts,
  credential: Credential,
  call: Call,
): Promise<Outcome> {
  const { owner, handle, state } = credential
  if (state === 'revoked' || state === 'forgotten') return tombstone(credential)
  const action = await revokeAction(credential)
  if (action === undefined) return confirm(parts, credential)
  const standing = await parts.consents.redeem(action, call)
  // Agreed to and not done, as when a process was killed in between: it is done now.
  if (standing.kind !== 'open' && standing.kind !== 'lost') {
    return needsConsent(standing, action, parts.consents)
  }
  const revoking = await parts.credentials.update(owner, handle, (one) =>
    one.state === 'active' || one.state === 'invalid'
      ? { ...one, state: 'revoking', revision: one.revision + 1 }
      : one,
  )
  const outcome = await begun(parts, revoking)
  await parts.consents.ledger.settle(standing.consent, outcome, false)
  return outcome
}

async function begun(parts: RevokeParts, revoking: Credential): Promise<Outcome> {
  if (revoking.revocation === undefined || revoking.state !== 'revoking') {
    return forget(parts, revoking)
  }
  if (howOf(revoking) === 'programmatic') return endAtService(parts, revoking)
  // That it worked before is half of the later verdict.
  if (revoking.workedAt === undefined && (await probe(parts, revoking)) === 'accepted') {
    await worked(parts, revoking)
  }
  return guide(revoking)
}

/** Deletes the secret without an end at the service: it may still work there. */
export async function forget(parts: RevokeParts, credential: Credential): Promise<Outcome> {
  return bury(parts, credential, 'forgotten')
}

/**
 * The outcome of a credential that replaces another: once a probe shows that it works it is the one
 * that is used, and what is left is to revoke the old one.
 */
export async function verified(
  parts: Pick<RevokeParts, 'net' | 'credentials' | 'now'>,
  ready: Extract<Outcome, { status: 'ready' }>,
  owner: Owner,
): Promise<Outcome> {
  const credential = await parts.credentials.get(owner, ready.credential.handle)
  const { replaces, workedAt, handle, service } = credential
  const old = replaces === undefined ? undefined : await parts.credentials.find(owner, replaces)
  if (old === undefined || (old.state !== 'active' && old.state !== 'invalid')) return ready
  const end = `auth_revoke { credential: "${old.handle}" }`
  const about = { ...ready, service, credential: viewCredential(credential) }
  const seen = workedAt === undefined ? await probe(parts, credential) : 'accepted'
  if (seen === 'accepted') {
    if (workedAt === undefined) await worked(parts, credential)
    return { ...about, next: `${end} ends the old one, which is not used any more` }
  }
  const first = `auth_use { credential: "${handle}", method: "GET", path: "…" }`
  return { ...about, next: `${first} to see that the new one works, and only then ${end}` }
}

async function worked(
  { credentials, now }: Pick<RevokeParts, 'credentials' | 'now'>,
  { owner, handle }: Credential,
): Promise<void> {
  await credentials.update(owner, handle, (one) => ({ ...one, workedAt: now() }))
}

/**
 * RFC 7009: a 200 says that it is ended, whatever it was. The refresh token first, so that no token can
 * come after the one that is ended here. Whoever is killed in between asks both again.
 */
async function endAtService(parts: RevokeParts, credential: Credential): Promise<Outcome> {
  const { secret, refresh, revocation, start } = credential
  if (secret === undefined || revocation === undefined) return tombstone(credential)
  const end = (token: Secret, hint: TokenType) =>
    askToEnd(parts.net, { url: revocation.url, start, token, hint })
  const refreshToken = refresh?.secrets[revocation.refreshToken ?? '']
  const before = refreshToken && (await end(refreshToken, 'refresh_token'))
  const said = await end(secret, 'access_token')
  if (said === 'unclear' || before === 'unclear') {
    return unclear(parts, credential, 'did not say that it is ended')
  }
  // It takes no such request: all that is left is to hold it no more.
  if (said === 'refused') {
    return bury(parts, credential, 'forgotten', before === 'ended' ? 'access_token' : undefined)
  }
  if (before === 'refused') return bury(parts, credential, 'forgotten', 'refresh_token')
  return bury(parts, credential, 'revoked')
}

async function askToEnd(
  net: NetOptions,
  { url, start, token, hint }: { url: string; start: string; token: Secret; hint: TokenType },
): Promise<'ended' | 'refused' | 'unclear'> {
  const form = { token: { secret: 'token' }, token_type_hint: hint } as const
  const plan = {
    name: 'agent_revoke',
    request: { method: 'POST', url, form, redirects: 'none' },
    effect: 'idempotent',
    ifLost: 'repeat',
  } as const
  const sent = await sendPlan(plan, { token }, start, createGuardedFetch(net))
  if (typeof sent !== 'object' || !('status' in sent)) return 'unclear'
  if (sent.status === 200) return 'ended'
  return sent.status < 500 && sent.status !== 429 ? 'refused' : 'unclear'
}

async function confirm(parts: RevokeParts, credential: Credential): Promise<Outcome> {
  if (howOf(credential) === 'programmatic') return endAtService(parts, credential)
  const seen = await probe(parts, credential)
  if (seen === 'refused') return bury(parts, credential, 'revoked')
  if (seen === 'accepted') {
    return guide(credential, 'It still works: it has not been deleted yet, or another one was.')
  }
  if (seen === 'none') return bury(parts, credential, 'forgotten')
  return unclear(parts, credential, 'did not say whether it still accepts it')
}

function unclear({ now }: RevokeParts, { service, handle }: Credential, what: string): Outcome {
  return {
    status: 'pending',
    service,
    notBefore: now() + 30_000,
    reason: `It is out of use here, but the service ${what}.`,
    next: `auth_revoke { credential: "${handle}" } asks the service again`,
  }
}

/** One harmless request: does the service still accept it? Only a 401 is a no and only a 2xx a yes. */
async function probe(
  { net }: Pick<RevokeParts, 'net'>,
  credential: Credential,
): Promise<'accepted' | 'refused' | 'unclear' | 'none'> {
  const url = credential.probe
  if (url === undefined || credential.secret === undefined) return 'none'
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const request = new Request(url, { headers: { accept: 'application/json' }, signal })
    const response = await sendSigned(net, credential, request, false)
    await response.body?.cancel()
    if (response.status === 401) return 'refused'
    return response.ok ? 'accepted' : 'unclear'
  } catch (error) {
    if (AuthError.isInstance(error) && error.code === 'outside_audience') return 'none'
    return 'unclear'
  }
}

async function bury(
  parts: RevokeParts,
  credential: Credential,
  state: 'revoked' | 'forgotten',
  left?: Credential['left'],
): Promise<Outcome> {
  // What a service said, it said of the tokens that it was shown.
  const said = state === 'revoked' || left !== undefined
  const buried = await parts.credentials.update(credential.owner, credential.handle, (one) => {
    const { secret, refresh: _, claim: __, ...rest } = one
    if (secret === undefined || (said && !sameSecrets(one, credential))) return one
    return { ...rest, state, ...(left ? { left } : {}) }
  })
  if (buried.secret !== undefined) return unclear(parts, buried, 'gave new tokens meanwhile')
  return tombstone(buried)
}

/** Without a time at which it worked, a refusal may have been there all along. */
function tombstone(credential: Credential): Outcome {
  const { service, state, workedAt, revocation, handle, left } = credential
  const programmatic = howOf(credential) === 'programmatic'
  const about = { status: 'ended', service } as const
  const url = revocation === undefined || programmatic ? {} : { url: revocation.url }
  if (state === 'revoked' && programmatic) {
    // No request ends more than the one token.
    const rest =
      credential.registration === undefined ? '' : '; the registration stays there until it ends'
    const reason = `The service says that the credential ${handle} is ended${rest}.`
    return { ...about, verdict: 'revoked', reason, next: 'none: it is done' }
  }
  if (state === 'revoked' && workedAt !== undefined) {
    const reason = `The credential ${handle} worked before and is refused now.`
    return { ...about, verdict: 'revoked', reason, next: 'none: it is done' }
  }
  const next = 'tell the person, who can make sure that it is deleted at the service'
  if (state === 'revoked') {
    const reason = `The credential ${handle} is refused, but it was never seen to work.`
    return { ...about, ...url, verdict: 'unknown', reason, next }
  }
  if (left !== undefined) {
    const [ended, kept] =
      left === 'access_token'
        ? ['refresh token', 'access token']
        : ['access token', 'refresh token']
    const reason = `The service has ended the ${ended} of ${handle}, but does not end its ${kept}: that is deleted here and may still work at the service.`
    return { ...about, verdict: 'forgotten', reason, next }
  }
  const reason = `The credential ${handle} is deleted here and may still work at the service.`
  return { ...about, ...url, verdict: 'forgotten', reason, next }
}

function guide(credential: Credential, notice?: string): Outcome {
  const { service, handle, revocation, serviceId } = credential
  const which = serviceId === undefined ? '' : ` (its id there is ${serviceId})`
  return {
    status: 'needs_person',
    service,
    need: {
      kind: 'open-link',
      text: `Delete the key${which} on this page. The agent has stopped using it.`,
      ...(revocation === undefined ? {} : { url: revocation.url }),
    },
    ...(notice === undefined ? {} : { notice }),
    next: `auth_revoke { credential: "${handle}" } when the person has deleted it`,
  }
}
