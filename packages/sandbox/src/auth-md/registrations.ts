import { seconds } from '../jwt.ts'
import type { LedgerEntry } from '../ledger.ts'
import type { LogEntry } from '../log.ts'
import { sendClaimMail } from './claim-mail.ts'
import {
  type Account,
  type Attempt,
  type AuthMd,
  lifetimes,
  linkOf,
  pollInterval,
  preClaimScopes,
  type Registration,
  randomId,
  secretsOf,
  sixDigits,
  supportedScopes,
} from './state.ts'

/** A new registration that waits, with nothing issued yet. */
export function createRegistration(
  site: AuthMd,
  entry: LogEntry,
  given: Pick<Registration, 'kind'> &
    Partial<Pick<Registration, 'id' | 'email' | 'wants' | 'scopes' | 'provider'>>,
): Registration {
  const now = site.server.clock.now()
  const registration: Registration = {
    id: randomId(site.dialect.ids.registration),
    createdAt: now,
    windowEndsAt: now + lifetimes.window,
    claimed: false,
    revoked: false,
    paidOut: false,
    wants: 'access_token',
    ...given,
  }
  site.registrations.set(registration.id, registration)
  entry.effect = true
  return registration
}

/** Opens the outer window anew, with a claim token that takes the place of any before. */
export function openWindow(site: AuthMd, entry: LogEntry, registration: Registration): void {
  const { server, dialect, byClaimToken } = site
  closeWindow(site, registration)
  registration.windowEndsAt = server.clock.now() + lifetimes.window
  const { value } = server.ledger.issue({
    kind: 'claim_token',
    value: randomId(dialect.ids.claimToken),
    account: registration.id,
    request: entry.n,
    ttlMs: lifetimes.window,
  })
  registration.claimToken = value
  byClaimToken.set(value, registration)
  entry.effect = true
}

/** Makes the claim token, and with it any attempt, unknown. */
function closeWindow(site: AuthMd, registration: Registration): void {
  if (registration.attempt) dropAttempt(site, registration.attempt)
  delete registration.attempt
  if (registration.claimToken === undefined) return
  site.byClaimToken.delete(registration.claimToken)
  for (const entry of secretsOf(site, registration, 'claim_token')) site.server.ledger.revoke(entry)
  delete registration.claimToken
}

function dropAttempt({ server }: AuthMd, attempt: Attempt): void {
  attempt.superseded = true
  const page = server.ledger.find(attempt.token)
  if (page) server.ledger.revoke(page)
}

/** A new attempt, whose link and code take the place of those before. */
export function startAttempt(
  site: AuthMd,
  entry: LogEntry,
  registration: Registration,
  email: string,
): Attempt {
  const { server, dialect } = site
  if (registration.attempt) dropAttempt(site, registration.attempt)
  const now = server.clock.now()
  const { value } = server.ledger.issue({
    kind: 'claim_attempt_token',
    value: randomId(dialect.ids.attempt),
    account: registration.id,
    request: entry.n,
    ttlMs: lifetimes.attempt,
  })
  const attempt: Attempt = {
    id: randomId('cla_'),
    token: value,
    email: email.trim().toLowerCase(),
    startedAt: now,
    expiresAt: now + lifetimes.attempt,
    wrongCodes: 0,
    claimAnswers: 0,
    superseded: false,
    confirmed: false,
    denied: false,
    interval: pollInterval,
  }
  registration.attempt = attempt
  site.byAttemptToken.set(value, { registration, attempt })
  if (dialect.ceremony !== 'mailed-link') mintCode(site, entry, registration, attempt)
  if (dialect.ceremony === 'mailed-link' || dialect.ceremony === 'mailed-code') {
    sendClaimMail(site, attempt)
  }
  entry.effect = true
  return attempt
}

/** A new code for the attempt; one before is no longer good. */
export function mintCode(
  { server }: AuthMd,
  entry: LogEntry,
  registration: Registration,
  attempt: Attempt,
): string {
  const code = sixDigits()
  attempt.code = code
  attempt.codeExpiresAt = server.clock.now() + lifetimes.attempt
  server.ledger.issue({
    kind: 'user_code',
    value: code,
    account: registration.id,
    request: entry.n,
    ttlMs: lifetimes.attempt,
  })
  entry.effect = true
  return code
}

/** It was never confirmed in time. */
export function isOver({ server }: AuthMd, registration: Registration): boolean {
  return !registration.claimed && server.clock.now() >= registration.windowEndsAt
}

export function hasOpenAttempt({ server }: AuthMd, { attempt }: Registration): boolean {
  return attempt !== undefined && server.clock.now() < attempt.expiresAt && !attempt.denied
}

/** From now on it acts for the account. */
export function bind({ links }: AuthMd, registration: Registration, account: Account): void {
  registration.claimed = true
  registration.revoked = false
  registration.account = account
  if (registration.provider) links.set(linkOf(registration.provider), account)
}

/** The person has confirmed: binds the registration, and ends or widens what it had before. */
export function confirm(site: AuthMd, registration: Registration, account: Account): void {
  const { server, dialect } = site
  bind(site, registration, account)
  if (dialect.onClaim !== 'revoke') return
  const ended = secretsOf(site, registration, 'access_token', 'api_key', 'identity_assertion')
  for (const entry of ended) server.ledger.revoke(entry)
}

/** The provider has ended it: nothing of it is good any more. Gives the number of credentials. */
export function kill(site: AuthMd, registration: Registration): number {
  const { server, links } = site
  const credentials = secretsOf(site, registration, 'access_token', 'api_key')
  const live = credentials.filter((entry) => server.ledger.isGood(entry))
  const others = secretsOf(site, registration, 'identity_assertion', 'refresh_token')
  for (const entry of [...live, ...others]) server.ledger.revoke(entry)
  closeWindow(site, registration)
  registration.revoked = true
  registration.claimed = false
  if (registration.provider) links.delete(linkOf(registration.provider))
  return live.length
}

/** What the registration may do at the moment. */
export function scopesOf(registration: Registration): readonly string[] {
  const all = registration.claimed ? supportedScopes : preClaimScopes
  const { scopes } = registration
  return scopes ? all.filter((scope) => scopes.includes(scope)) : all
}

export function postClaimScopes({ scopes }: Registration): readonly string[] {
  return scopes ? supportedScopes.filter((scope) => scopes.includes(scope)) : supportedScopes
}

export interface Issued {
  readonly value: string
  readonly expiresAt: number
}

/** The service's own assertion, good for any number of exchanges until it expires. */
export async function issueAssertion(
  site: AuthMd,
  entry: LogEntry,
  registration: Registration,
): Promise<Issued> {
  const { server, issuer, signer, dialect } = site
  const now = server.clock.now()
  const email = registration.account?.email
  const value = await signer.sign('oauth-id-jag+jwt', {
    iss: issuer,
    aud: issuer,
    sub: registration.id,
    jti: randomId('jti_'),
    iat: seconds(now),
    exp: seconds(now + lifetimes.assertion),
    registration_type: {
      anonymous: 'anonymous',
      email: dialect.kinds.email,
      'id-jag': dialect.kinds.idJag,
    }[registration.kind],
    ...(email === undefined ? {} : { email, email_verified: true }),
  })
  server.ledger.issue({
    kind: 'identity_assertion',
    value,
    account: registration.id,
    request: entry.n,
    ttlMs: lifetimes.assertion,
  })
  entry.effect = true
  return { value, expiresAt: now + lifetimes.assertion }
}

export function issueRefreshToken(
  { server }: AuthMd,
  entry: LogEntry,
  registration: Registration,
): Issued {
  const { value, issuedAt } = server.ledger.issue({
    kind: 'refresh_token',
    value: randomId('art_'),
    account: registration.id,
    request: entry.n,
    ttlMs: lifetimes.refreshToken,
  })
  entry.effect = true
  return { value, expiresAt: issuedAt + lifetimes.refreshToken }
}

/** A credential for the API, of the kind that the registration or the service gives. */
export async function issueCredential(
  site: AuthMd,
  entry: LogEntry,
  registration: Registration,
  type: 'access_token' | 'api_key' = 'access_token',
): Promise<LedgerEntry> {
  const { server, version } = site
  const isKey = type === 'api_key'
  const value =
    version === 'hosted' && !isKey
      ? await hostedToken(site, registration)
      : randomId(isKey ? 'sk_test_' : 'at_')
  entry.effect = true
  return server.ledger.issue({
    kind: type,
    value,
    account: registration.id,
    request: entry.n,
    ...(isKey ? {} : { ttlMs: lifetimes.accessToken }),
  })
}

/** The hosted product's access tokens are JWTs. */
function hostedToken({ server, signer, issuer, api }: AuthMd, registration: Registration) {
  const now = server.clock.now()
  return signer.sign('at+jwt', {
    iss: issuer,
    aud: api,
    sub: registration.id,
    org_id: 'org_SANDBOX',
    jti: randomId('jti_'),
    iat: seconds(now),
    exp: seconds(now + lifetimes.accessToken),
    scope: scopesOf(registration).join(' '),
    ...(registration.account ? { act: { sub: registration.account.id } } : {}),
  })
}
