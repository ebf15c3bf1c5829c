import { seconds } from '../jwt.ts'
import type { LedgerEntry } from '../ledger.ts'
import { pageUrl } from './claim-mail.ts'
import { type Issued, postClaimScopes, scopesOf } from './registrations.ts'
import { type Attempt, type AuthMd, lifetimes, preClaimScopes, type Registration } from './state.ts'

type Json = Record<string, unknown>

/** What a step gave, which the version then puts into its own words. */
export interface Given {
  assertion?: Issued
  refreshToken?: Issued
  credential?: LedgerEntry
  /** The outer window is told. */
  window?: boolean
  attempt?: Attempt
}

export function time(site: AuthMd, ms: number): string | number {
  return site.dialect.quirks.epochExpiries ? ms : new Date(ms).toISOString()
}

export function claimEndpoint({ issuer, dialect }: AuthMd): string {
  return issuer + dialect.paths.claim
}

/** What the version calls a registration of this kind. */
export function kindName({ dialect }: AuthMd, registration: Registration): string {
  const { kind, claimed, provider } = registration
  if (kind === 'anonymous') return claimed && provider ? dialect.kinds.idJag : kind
  if (kind === 'email') return dialect.kinds.email
  return claimed ? dialect.kinds.idJag : dialect.kinds.stepUp
}

/** The body of a registration, or of a step-up. */
export function registered(site: AuthMd, registration: Registration, given: Given): Json {
  return site.dialect.shape === 'nested'
    ? nestedRegistration(site, registration, given)
    : flatRegistration(site, registration, given)
}

function flatRegistration(site: AuthMd, registration: Registration, given: Given): Json {
  const { dialect } = site
  const { assertion, credential, attempt } = given
  const anonymous = registration.kind === 'anonymous'
  const preClaim = dialect.gives === 'credential' ? 'scopes' : 'pre_claim_scopes'
  return {
    registration_id: registration.id,
    registration_type: kindName(site, registration),
    ...(credential ? directCredential(site, credential) : {}),
    ...(assertion ? assertionFields(site, assertion) : {}),
    ...(registration.claimed ? { scopes: scopesOf(registration) } : {}),
    ...(anonymous ? { [preClaim]: scopesOf(registration) } : {}),
    ...(given.window
      ? {
          claim_url: claimEndpoint(site),
          claim_token: registration.claimToken,
          claim_token_expires: time(site, registration.windowEndsAt),
          post_claim_scopes: postClaimScopes(registration),
        }
      : {}),
    ...(attempt ? ceremonyBlock(site, attempt, 'claim') : {}),
  }
}

/** Nothing where the ceremony runs by mail and the agent is told no more than that. */
function ceremonyBlock(site: AuthMd, attempt: Attempt, name: 'claim' | 'claim_attempt'): Json {
  const { ceremony } = site.dialect
  if (ceremony === 'mailed-code') {
    return {
      [name]: {
        complete_url: `${claimEndpoint(site)}/complete`,
        expires_in: lifetimes.attempt / 1000,
        interval: attempt.interval,
      },
    }
  }
  if (ceremony !== 'typed') return {}
  return {
    [name]: {
      user_code: attempt.code,
      verification_uri: pageUrl(site, attempt),
      expires_in: seconds(attempt.expiresAt) - seconds(attempt.startedAt),
      interval: attempt.interval,
    },
  }
}

function nestedRegistration(site: AuthMd, registration: Registration, given: Given): Json {
  const pre = registration.kind === 'anonymous' ? { pre_claim: preClaimScopes } : {}
  const { attempt } = given
  return {
    id: registration.id,
    type: kindName(site, registration),
    ...identity(site, given),
    // A plain array for an ID-JAG, an object for the rest.
    scopes: registration.claimed
      ? scopesOf(registration)
      : { ...pre, post_claim: postClaimScopes(registration) },
    ...(given.window
      ? {
          claim: {
            token: registration.claimToken,
            expires_at: time(site, registration.windowEndsAt),
            url: site.version === 'hosted' ? `${site.issuer}/claim` : claimEndpoint(site),
            ...(attempt ? { attempt: nestedAttempt(site, attempt) } : {}),
          },
        }
      : {}),
  }
}

function nestedAttempt(site: AuthMd, attempt: Attempt): Json {
  return { verification_uri: pageUrl(site, attempt), expires_at: time(site, attempt.expiresAt) }
}

/** `identity` with the assertion and, once claimed, the token to renew it with. */
export function identity(site: AuthMd, { assertion, refreshToken }: Given): Json {
  if (!assertion) return {}
  return {
    identity: {
      assertion: assertion.value,
      expires_at: time(site, assertion.expiresAt),
      ...(refreshToken
        ? {
            refresh_token: {
              value: refreshToken.value,
              expires_at: time(site, refreshToken.expiresAt),
            },
          }
        : {}),
    },
  }
}

export function assertionFields(site: AuthMd, { value, expiresAt }: Issued): Json {
  return { identity_assertion: value, [site.dialect.assertionExpires]: time(site, expiresAt) }
}

/** The credential itself, as v0.1 gives it. */
export function directCredential(site: AuthMd, { kind, value, expiresAt }: LedgerEntry): Json {
  return {
    credential_type: kind,
    credential: value,
    credential_expires: expiresAt === undefined ? null : time(site, expiresAt),
  }
}

/** The answer of the claim endpoint where a person has to do something. */
export function claimStarted(
  site: AuthMd,
  registration: Registration,
  attempt: Attempt,
  more: Json = {},
): Json {
  const { dialect } = site
  if (dialect.shape === 'nested') {
    return { id: registration.id, type: 'service_auth', attempt: nestedAttempt(site, attempt) }
  }
  const first = dialect.quirks.attemptIdIsRegistration && attempt.claimAnswers === 0
  attempt.claimAnswers += 1
  return {
    registration_id: registration.id,
    ...more,
    claim_attempt_id: first ? registration.id : attempt.id,
    status: 'initiated',
    expires_at: time(site, attempt.expiresAt),
    ...ceremonyBlock(site, attempt, 'claim_attempt'),
  }
}
