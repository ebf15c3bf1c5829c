import { AuthError } from '../errors.ts'
import type { IssuedCredential } from '../methods/method.ts'
import { confinedAudience } from '../use/audience.ts'
import { Credentials } from '../vault/credentials.ts'
import { keptForRefresh } from './refresh.ts'
import type { Registration } from './registration.ts'

/** Puts what a registration issued into the vault and returns its handle; safe to do twice. */
export async function keepIssued(
  credentials: Credentials,
  registration: Registration,
  issued: IssuedCredential,
  now: number,
): Promise<string> {
  const secret = registration.secrets[issued.secret]
  if (secret === undefined) {
    throw new AuthError('method_failed', `${registration.offer.method} issued no ${issued.secret}`)
  }
  const { kind, header, prefix, issuedBy, bases, probe, revocation, serviceId, expires } = issued
  const refresh = keptForRefresh(issued, registration.secrets)
  const { owner, offer, start, id } = registration
  const kept = await credentials.add({
    handle: Credentials.handle(id),
    owner,
    service: offer.service,
    start,
    kind,
    method: offer.method,
    header,
    prefix,
    secret,
    audience: confinedAudience(issuedBy, bases),
    state: 'active',
    registration: id,
    ...(registration.replaces === undefined ? {} : { replaces: registration.replaces }),
    ...(serviceId === undefined ? {} : { serviceId }),
    ...(probe === undefined ? {} : { probe }),
    ...(revocation === undefined ? {} : { revocation }),
    ...(expires === undefined ? {} : { expires }),
    ...(refresh === undefined ? {} : { refresh }),
    issuedAt: now,
    revision: 0,
  })
  return kept.handle
}
