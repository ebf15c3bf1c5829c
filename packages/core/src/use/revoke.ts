import { type Action, type Effect, makeAction } from '../consent/action.ts'
import type { Consents } from '../consent/consents.ts'
import type { Call } from '../consent/ledger.ts'
import { needsConsent } from '../engine/outcome-of.ts'
import { orphanOf } from '../engine/refresh.ts'
import { AuthError } from '../errors.ts'
import type { AuthEvent } from '../events.ts'
import { plainId } from '../methods/service-id.ts'
import type { NetOptions } from '../net/transport.ts'
import type { Outcome, OutcomeOf } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { sameSecrets } from '../vault/credential-secrets.ts'
import { viewCredential } from '../vault/credential-view.ts'
import { type Credential, type Credentials, holderOf } from '../vault/credentials.ts'
import { deleteClient, endTokens } from './end-at-service.ts'
import { sendSigned } from './signer.ts'
import { notShared } from './use.ts'

const timeoutMs = 10_000

export interface RevokeParts {
  readonly net: NetOptions
  readonly credentials: Credentials
  readonly consents: Consents
  readonly now: () => number
  readonly emit: (event: AuthEvent) => void
}

/** What revoking it would bind; undefined where that was agreed to already. */
export async function revokeAction(credential: Credential): Promise<Action | undefined> {
  const { handle, service, state, revocation, revision, client } = credential
  const { url = client?.deletion?.request.url } = revocation ?? {}
  if (state !== 'active' && state !== 'invalid') return undefined
  const effect: Effect = {
    kind: 'revoke',
    credential: handle,
    how: howOf(credential),
    ...(typeof url === 'string' ? { url } : {}),
  }
  const owner = holderOf(credential)
  return makeAction({ verb: 'revoke', owner, service, revision, effects: [effect] })
}

/** Of another owner's that is shared: a new one in its place would be of the wrong owner. */
export function mayNotEnd(
  { shared, service }: Credential,
  replace: boolean | undefined,
): Outcome | undefined {
  if (shared === undefined) return undefined
  if (replace) return notShared(service, 'to be replaced, which only its owner can do')
  return shared.verbs.includes('revoke') ? undefined : notShared(service, 'to be revoked')
}

function howOf({ revocation, client }: Credential): 'local' | 'guided' | 'programmatic' {
  if (revocation === undefined) return client?.deletion ? 'programmatic' : 'local'
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
  if (howOf(revoking) === 'local' || revoking.state !== 'revoking') {
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
  return bury(parts, credential, { state: 'forgotten' })
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
 * First its tokens, then the client that was registered for it alone: without that nobody can ask about the
 * tokens any more, so that what was said of them is written down before.
 */
async function endAtService(parts: RevokeParts, credential: Credential): Promise<Outcome> {
  const { owner, handle, secret, client } = credential
  if (secret === undefined) return tombstone(credential)
  const verdict = credential.verdict ?? (await endTokens(parts.net, credential))
  if (verdict === 'unclear') return unclear(parts, credential, 'did not say that it is ended')
  if (client?.deletion === undefined) return bury(parts, credential, verdict)
  const told = await parts.credentials.update(owner, handle, (one) => {
    return sameSecrets(one, credential) ? { ...one, verdict } : one
  })
  if (told.verdict === undefined) return unclear(parts, told, 'gave new tokens meanwhile')
  const deleted = await deleteClient(parts.net, told)
  if (deleted === 'unclear') {
    return unclear(
      parts,
      told,
      'did not say that the client is deleted which was registered for it',
    )
  }
  return bury(parts, told, { ...verdict, ...(deleted === 'refused' ? { client: true } : {}) })
}

async function confirm(parts: RevokeParts, credential: Credential): Promise<Outcome> {
  if (howOf(credential) === 'programmatic') return endAtService(parts, credential)
  const seen = await probe(parts, credential)
  if (seen === 'refused') return bury(parts, credential, { state: 'revoked' })
  if (seen === 'accepted') {
    return guide(credential, 'It still works: it has not been deleted yet, or another one was.')
  }
  if (seen === 'none') return bury(parts, credential, { state: 'forgotten' })
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
    const response = await sendSigned(
      net,
      credential,
      request,
      false,
      {},
      {
        name: 'probe',
        sent: 0,
      },
    )
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
  verdict: NonNullable<Credential['verdict']>,
): Promise<Outcome> {
  const { state, left } = verdict
  // What a service said, it said of the tokens that it was shown.
  const said = state === 'revoked' || left !== undefined
  const buried = await parts.credentials.update(credential.owner, credential.handle, (one) => {
    const { secret, secrets: _, refresh, claim: __, client: ___, ...before } = one
    // What it gave up does not end what a renewal gave that never came.
    const rest = { ...before, ...orphanOf(one, refresh?.unread) }
    if (one.kind === 'none') return { ...rest, state }
    if (secret === undefined || (said && !sameSecrets(one, credential))) return one
    return { ...rest, state, verdict }
  })
  if (buried.secret !== undefined) return unclear(parts, buried, 'gave new tokens meanwhile')
  const ended = tombstone(buried)
  if (buried.state !== credential.state) {
    const { owner, service, handle } = buried
    const { verdict } = ended
    parts.emit({ type: 'ended', at: parts.now(), owner, service, credential: handle, verdict })
  }
  return ended
}

/** Without a time at which it worked, a refusal may have been there all along. */
function tombstone(credential: Credential): OutcomeOf<'ended'> {
  if (credential.kind === 'none') {
    const reason = `${credential.handle} was no secret: the service needs none. It is not used any more.`
    const { service } = credential
    return { status: 'ended', service, verdict: 'forgotten', reason, next: 'none: it is done' }
  }
  const { service, state, workedAt, revocation, handle, verdict } = credential
  const { left } = verdict ?? {}
  const programmatic = revocation?.mode === 'programmatic'
  const about = { status: 'ended', service } as const
  const url = revocation === undefined || programmatic ? {} : { url: revocation.url }
  if (state === 'revoked' && programmatic) {
    // No request ends more than the one token.
    const rest = remains(credential)
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

/** What of its registration lies at the service, once it is ended there itself. */
function remains({ registration, scopes, verdict }: Credential): string {
  if (verdict?.client) return '; the client that was registered for it stays there'
  // A client of OAuth is deleted with it, or is the operator's.
  if (registration === undefined || scopes !== undefined) return ''
  return '; the registration stays there until it ends'
}

function guide(credential: Credential, notice?: string): Outcome {
  const { service, handle, revocation, serviceId } = credential
  const id = plainId(serviceId)
  const which = id === undefined ? '' : ` (its id there is ${id})`
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
