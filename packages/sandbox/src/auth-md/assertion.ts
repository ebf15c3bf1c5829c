import { createHash } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import { seconds } from '../jwt.ts'
import { type AuthMdErrorCode, Refusal } from './errors.ts'
import { type AuthMd, maxAuthAge, type ProviderIdentity, type Registration, skew } from './state.ts'

const algorithms = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA']

/** Why a provider's token is not taken. */
export type TokenFault =
  | 'malformed'
  | 'issuer'
  | 'signature'
  | 'key'
  | 'audience'
  | 'noAudience'
  | 'typ'
  | 'noTyp'
  | 'expired'
  | 'replay'
  | 'unverified'
  | 'client'

type Codes = Readonly<Record<TokenFault, AuthMdErrorCode>>

const earlySpec: Codes = {
  malformed: 'invalid_request',
  issuer: 'issuer_not_enabled',
  signature: 'invalid_signature',
  key: 'invalid_signature',
  audience: 'audience_mismatch',
  noAudience: 'audience_mismatch',
  typ: 'invalid_request',
  noTyp: 'invalid_request',
  expired: 'credential_expired',
  replay: 'replay_detected',
  unverified: 'missing_verified_email',
  client: 'invalid_client_id',
}
const lateSpec: Codes = {
  ...(Object.fromEntries(
    Object.keys(earlySpec).map((fault) => [fault, 'invalid_request']),
  ) as Codes),
  issuer: 'issuer_not_enabled',
}
/** The sample looks for "exp" in its library's messages, and finds it in "unexpected" as well. */
const sampleCodes: Codes = {
  ...earlySpec,
  issuer: 'invalid_issuer',
  audience: 'expired',
  noAudience: 'invalid_audience',
  noTyp: 'expired',
  expired: 'expired',
}

const codes = { 'early-spec': earlySpec, 'late-spec': lateSpec, sample: sampleCodes } as const

/** Thrown by the checks below; whoever calls them knows how the surface names it. */
export class TokenProblem extends Error {
  readonly fault: TokenFault

  constructor(fault: TokenFault, message: string) {
    super(message)
    this.fault = fault
  }
}

export interface IdJag extends ProviderIdentity {
  readonly providerName: string
  readonly jti: string
  readonly authTime: unknown
  readonly email?: string
  readonly phone?: string
}

/** Everything that can be known of a provider's token without remembering anything. */
export async function verifyProviderToken(
  site: AuthMd,
  token: string,
  expected: { typ: string; audience: string },
): Promise<JWTPayload & { iss: string }> {
  const { providers, server } = site
  const claims = decoded(() => decodeJwt(token))
  const header = decoded(() => decodeProtectedHeader(token))
  const provider = providers.find(({ issuer }) => issuer === claims.iss)
  if (!provider) throw new TokenProblem('issuer', 'The issuer is not trusted here.')
  if (header.typ !== undefined && header.typ !== expected.typ) {
    throw new TokenProblem('typ', `typ must be ${expected.typ}.`)
  }
  try {
    await jwtVerify(token, createLocalJWKSet(await provider.jwks()), {
      issuer: provider.issuer,
      audience: expected.audience,
      typ: expected.typ,
      clockTolerance: skew,
      currentDate: new Date(server.clock.now()),
      algorithms,
    })
  } catch (error) {
    throw new TokenProblem(faultOf(error), error instanceof Error ? error.message : String(error))
  }
  return { ...claims, iss: provider.issuer }
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch {
    throw new TokenProblem('malformed', 'The assertion is not a JWT.')
  }
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWKSNoMatchingKey) return 'key'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'signature'
  if (error.claim === 'typ') return 'noTyp'
  if (error.claim === 'aud') return error.reason === 'missing' ? 'noAudience' : 'audience'
  return 'malformed'
}

/**
 * Checks an ID-JAG in the order of the published service: issuer, `typ`, signature and times,
 * `jti` and `sub`, `auth_time`. What follows is `takeIdJag`, which remembers.
 */
export async function checkIdJag(
  site: AuthMd,
  token: string,
  at: 'register' | 'claim',
): Promise<IdJag> {
  return named(site, at, async () => {
    const audience = audienceOf(site)
    const typ = 'oauth-id-jag+jwt'
    const claims = await verifyProviderToken(site, token, { typ, audience })
    const { jti, sub, iss } = claims
    if (typeof jti !== 'string' || typeof sub !== 'string') {
      throw new TokenProblem('malformed', 'jti and sub are required.')
    }
    if (site.dialect.quirks.strictIdJag) checkStrictly(site, claims)
    if (site.dialect.needsAuthTime) checkAuthTime(site, claims.auth_time)
    const provider = site.providers.find(({ issuer }) => issuer === iss)
    return {
      iss,
      sub,
      jti,
      providerName: provider?.name ?? iss,
      authTime: claims.auth_time,
      ...(claims.email_verified === true && typeof claims.email === 'string'
        ? { email: claims.email }
        : {}),
      ...(claims.phone_number_verified === true && typeof claims.phone_number === 'string'
        ? { phone: claims.phone_number }
        : {}),
    }
  })
}

/** Uses up the `jti`, whatever becomes of the rest. */
export function takeIdJag(site: AuthMd, idJag: IdJag, at: 'register' | 'claim'): void {
  namedNow(site, at, () => {
    burn(site, idJag.iss, idJag.jti)
    if (idJag.email === undefined && idJag.phone === undefined) {
      throw new TokenProblem('unverified', 'A verified e-mail or phone number is required.')
    }
  })
}

/** Remembers a `jti` of a provider, which must not come again. */
export function burn({ seen }: AuthMd, iss: string, jti: string): void {
  const key = JSON.stringify([iss, jti])
  if (seen.has(key)) throw new TokenProblem('replay', 'This jti was presented before.')
  seen.add(key)
}

function audienceOf({ options, issuer, api }: AuthMd): string {
  return options.audience === 'resource' ? api : issuer
}

/** The id under which an ID-JAG's user is registered, the same at each presentation. */
export function idJagRegistrationId(site: AuthMd, { iss, sub }: ProviderIdentity): string {
  const hash = createHash('sha256').update([iss, sub, audienceOf(site)].join('|'))
  return site.dialect.ids.registration + hash.digest('hex').slice(0, 22)
}

function checkStrictly({ server, providers }: AuthMd, claims: JWTPayload & { iss: string }): void {
  const now = seconds(server.clock.now())
  const malformed = (message: string) => new TokenProblem('malformed', message)
  if (typeof claims.exp !== 'number') throw malformed('exp is required.')
  if (typeof claims.iat !== 'number') throw malformed('iat is required.')
  if (claims.iat > now + skew) throw malformed('iat lies in the future.')
  if (Array.isArray(claims.aud) && claims.aud.length !== 1) {
    throw new TokenProblem('audience', 'There must be one audience.')
  }
  if (!providers.some(({ issuer }) => issuer === claims.client_id)) {
    throw new TokenProblem('client', 'client_id is not known here.')
  }
}

function checkAuthTime({ server }: AuthMd, authTime: unknown): void {
  const age = typeof authTime === 'number' ? seconds(server.clock.now()) - authTime : Number.NaN
  if (age <= maxAuthAge && age >= -skew) return
  throw new Refusal('login_required', 'The person has to sign in at the provider again.', {
    fields: { max_age: maxAuthAge },
  })
}

async function named<T>(
  site: AuthMd,
  at: 'register' | 'claim',
  check: () => Promise<T>,
): Promise<T> {
  try {
    return await check()
  } catch (error) {
    throw refusalOf(site, at, error)
  }
}

function namedNow(site: AuthMd, at: 'register' | 'claim', check: () => void): void {
  try {
    check()
  } catch (error) {
    throw refusalOf(site, at, error)
  }
}

function refusalOf({ dialect }: AuthMd, at: 'register' | 'claim', error: unknown): unknown {
  if (!(error instanceof TokenProblem)) return error
  const { idJagCodes } = dialect.quirks
  const late = idJagCodes === 'late-spec' && at === 'claim'
  // v0.1 to v0.3 of the sample name a wrong `typ` like a wrong audience.
  const typ = error.fault === 'typ' && idJagCodes === 'sample' && dialect.ceremony === 'mailed-link'
  const code = late ? 'invalid_grant' : codes[idJagCodes][typ ? 'noTyp' : error.fault]
  return new Refusal(code, error.message)
}

/** The registration that one of this service's own assertions is about. */
export async function readOwnAssertion(
  site: AuthMd,
  assertion: string,
): Promise<Registration | undefined> {
  const { issuer, signer, server, registrations } = site
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(await signer.jwks()), {
      issuer,
      audience: issuer,
      typ: 'oauth-id-jag+jwt',
      currentDate: new Date(server.clock.now()),
    })
    return registrations.get(payload.sub ?? '')
  } catch {
    return undefined
  }
}
