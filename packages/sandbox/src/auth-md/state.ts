import { randomBytes, randomInt } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { createSigner, type Signer } from '../jwt.ts'
import type { LedgerEntry } from '../ledger.ts'
import type { MailServer } from '../mail.ts'
import type { SandboxServer } from '../server.ts'
import type { Dialect } from './dialects.ts'
import type { AuthMdOptions, AuthMdVersion } from './options.ts'

export const supportedScopes = ['api.read', 'api.write'] as const
export const preClaimScopes = ['api.read'] as const

/** How long things last, in ms. */
export const lifetimes = {
  window: 86_400_000,
  attempt: 600_000,
  assertion: 3_600_000,
  accessToken: 3_600_000,
  refreshToken: 2_592_000_000,
  session: 86_400_000,
} as const

export const pollInterval = 5
export const maxAuthAge = 3600
export const skew = 60

export interface Account {
  readonly id: string
  readonly email?: string
  readonly phone?: string
}

/** Who a provider says the user is. */
export interface ProviderIdentity {
  readonly iss: string
  readonly sub: string
}

/** One try of a person to confirm: a page, and mostly a code. */
export interface Attempt {
  readonly id: string
  readonly token: string
  /** The only address that may finish it. */
  readonly email: string
  readonly startedAt: number
  readonly expiresAt: number
  code?: string
  codeExpiresAt?: number
  wrongCodes: number
  /** How often the claim endpoint has told of it. */
  claimAnswers: number
  superseded: boolean
  confirmed: boolean
  denied: boolean
  /** Seconds that must lie between two polls. */
  interval: number
  polledAt?: number
}

export interface Registration {
  /** What the ledger calls the account of its secrets. */
  readonly id: string
  readonly kind: 'anonymous' | 'email' | 'id-jag'
  readonly createdAt: number
  windowEndsAt: number
  claimToken?: string
  /** Of the e-mail kind, and of the account that a step-up is about. */
  email?: string
  provider?: ProviderIdentity
  account?: Account
  claimed: boolean
  /** Killed by its provider, until an ID-JAG revives it. */
  revoked: boolean
  /** The claim grant has paid out. */
  paidOut: boolean
  attempt?: Attempt
  wants: 'access_token' | 'api_key'
  /** Scopes asked for at registration, where a variant takes them. */
  scopes?: readonly string[]
}

export interface TrustedProvider {
  readonly issuer: string
  readonly name: string
  jwks(): Promise<JSONWebKeySet>
}

/** What all parts of one imitated service share. */
export interface AuthMd {
  readonly version: AuthMdVersion
  readonly name: string
  readonly dialect: Dialect
  readonly options: AuthMdOptions
  readonly server: SandboxServer
  readonly mail: MailServer
  /** Origins without a slash at the end. */
  readonly api: string
  readonly issuer: string
  readonly providers: readonly TrustedProvider[]
  readonly signer: Signer
  readonly registrations: Map<string, Registration>
  readonly byClaimToken: Map<string, Registration>
  readonly byAttemptToken: Map<string, { registration: Registration; attempt: Attempt }>
  /** By address in lower case, and by phone number. */
  readonly accounts: Map<string, Account>
  /** Accounts by provider and subject. */
  readonly links: Map<string, Account>
  /** `jti`s of ID-JAGs and events that were taken. */
  readonly seen: Set<string>
  /** Scopes of access tokens that were narrowed when they were asked for, by ledger id. */
  readonly narrowed: Map<string, readonly string[]>
}

export function createAuthMd(
  given: Pick<
    AuthMd,
    'version' | 'name' | 'dialect' | 'options' | 'server' | 'mail' | 'api' | 'issuer' | 'providers'
  >,
): AuthMd {
  return {
    ...given,
    signer: createSigner(),
    registrations: new Map(),
    byClaimToken: new Map(),
    byAttemptToken: new Map(),
    accounts: new Map(),
    links: new Map(),
    seen: new Set(),
    narrowed: new Map(),
  }
}

export function randomId(prefix: string): string {
  return `${prefix}SANDBOX${randomBytes(16).toString('hex')}`
}

export function sixDigits(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

export function isEmail(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim())
}

export function linkOf({ iss, sub }: ProviderIdentity): string {
  return JSON.stringify([iss, sub])
}

/** The account of an address or phone number, new where there was none. */
export function openAccount(
  { accounts }: AuthMd,
  { email, phone }: { email?: string | undefined; phone?: string | undefined },
): Account {
  const keys = [email?.toLowerCase(), phone].filter((key) => key !== undefined)
  const known = keys.map((key) => accounts.get(key)).find((account) => account !== undefined)
  const account: Account = known ?? {
    id: randomId('user_'),
    ...(email === undefined ? {} : { email: email.toLowerCase() }),
    ...(phone === undefined ? {} : { phone }),
  }
  for (const key of keys) if (!accounts.has(key)) accounts.set(key, account)
  return account
}

/** The secrets of a registration of one kind, good or not. */
export function secretsOf(
  { server }: AuthMd,
  registration: Registration,
  ...kinds: LedgerEntry['kind'][]
): LedgerEntry[] {
  return server.ledger.entries.filter(
    ({ account, kind }) => account === registration.id && kinds.includes(kind),
  )
}
