import { AuthError } from '../errors.ts'
import type { IssuedCredential, Presentation } from '../methods/method.ts'
import { confinedAudience } from '../use/audience.ts'
import { type Credential, Credentials, presentationOf } from '../vault/credentials.ts'
import { keptForRefresh, renewed } from './refresh.ts'
import type { Registration } from './registration.ts'

/** Puts what a registration issued into the vault and returns its handle; safe to do twice. */
export async function keepIssued(
  credentials: Credentials,
  registration: Registration,
  issued: IssuedCredential,
  now: number,
): Promise<string> {
  const secret = issued.secret === undefined ? undefined : registration.secrets[issued.secret]
  if (secret === undefined && issued.kind !== 'none') {
    throw new AuthError('method_failed', `${registration.offer.method} issued no ${issued.secret}`)
  }
  const { kind, issuedBy, bases, probe, revocation, serviceId, expires, scopes } = issued
  const presentation = presentationOf(issued)
  const beside = secretsBeside(presentation, registration)
  const refresh = keptForRefresh(issued, registration.secrets)
  const claim = keptForClaim(issued, registration.secrets)
  const client = keptClient(issued, registration.secrets)
  const { owner, offer, start, id } = registration
  const kept = await credentials.add({
    handle: Credentials.handle(id),
    owner,
    service: offer.service,
    start,
    kind,
    method: offer.method,
    ...presentation,
    ...(secret === undefined ? {} : { secret }),
    ...(beside === undefined ? {} : { secrets: beside }),
    audience: confinedAudience(issuedBy, bases),
    state: 'active',
    registration: id,
    ...(registration.replaces === undefined ? {} : { replaces: registration.replaces }),
    ...(serviceId === undefined ? {} : { serviceId }),
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined ? {} : { revocation }),
    ...(expires === undefined ? {} : { expires }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(claim === undefined ? {} : { claim }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(client === undefined ? {} : { client }),
    issuedAt: now,
    revision: 0,
  })
  return kept.handle
}

function keptForClaim(
  { claim }: IssuedCredential,
  secrets: Registration['secrets'],
): Credential['claim'] {
  if (claim === undefined) return undefined
  const kept = Object.entries(secrets).filter(([name]) => claim.secrets.includes(name))
  return { ...claim, secrets: Object.fromEntries(kept) }
}

/** Whether a person can still claim a credential that is nobody's. One that is refused may be revived so. */
export function isClaimable({ state, claim }: Credential, now: number): boolean {
  const held = state === 'active' || state === 'invalid'
  return held && claim !== undefined && now < (claim.until ?? Number.POSITIVE_INFINITY)
}

/**
 * A person has claimed it: what was issued to that takes the place of the secret, under the same handle;
 * where nothing was issued, the secret serves on. Safe to do twice.
 */
export async function keepClaimed(
  credentials: Credentials,
  { owner, credential: handle = '', secrets }: Registration,
  issued: IssuedCredential,
): Promise<string> {
  await credentials.update(owner, handle, (one) => {
    const claimed = withoutClaim(one)
    if (secrets[issued.secret ?? ''] === undefined) return claimed
    return { ...renewed(claimed, issued, secrets), kind: issued.kind }
  })
  return handle
}

function withoutClaim({ claim: _, ...one }: Credential): Credential {
  return one
}

/**
 * The claim came to nothing: what was issued before stays. Says whether it was claimed all the same, by a
 * process that was killed before it could say so.
 */
export async function keepUnclaimed(
  credentials: Credentials,
  { owner, credential: handle = '', secrets }: Registration,
): Promise<'unclaimed' | 'claimed'> {
  const { claim } = await credentials.get(owner, handle)
  if (claim === undefined) return 'claimed'
  const held = Object.keys(claim.secrets).every((name) => name in secrets)
  if (!held) await credentials.update(owner, handle, withoutClaim)
  return 'unclaimed'
}

function keptClient(
  { client }: IssuedCredential,
  secrets: Registration['secrets'],
): Credential['client'] {
  if (client === undefined) return undefined
  const kept = Object.entries(secrets).filter(([name]) => client.secrets.includes(name))
  return { ...client, secrets: Object.fromEntries(kept) }
}

function secretsBeside(
  { beside = [] }: Presentation,
  { secrets, offer }: Registration,
): Credential['secrets'] {
  const named = beside.flatMap((one) => ('secret' in one ? [one.secret] : []))
  if (named.length === 0) return undefined
  return Object.fromEntries(
    named.map((name) => {
      const secret = secrets[name]
      if (secret) return [name, secret]
      throw new AuthError('method_failed', `${offer.method} issued no ${name}`)
    }),
  )
}
