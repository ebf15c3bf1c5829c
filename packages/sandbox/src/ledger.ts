import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import type { Clock } from './clock.ts'

export type SecretKind =
  | 'api_key'
  | 'session'
  | 'mail_link_token'
  | 'inbox_key'
  | 'redirect_token'
  | 'portal_session'
  | 'access_token'
  | 'refresh_token'
  | 'identity_assertion'
  | 'claim_token'
  | 'claim_attempt_token'
  | 'user_code'
  | 'browser_session'
  | 'id_token'
  | 'id_jag'
  | 'authorization_code'
  | 'device_code'
  | 'client_secret'
  | 'registration_access_token'

/** A secret that a service gave out. Times are ms by the sandbox's clock. */
export interface LedgerEntry {
  id: string
  kind: SecretKind
  value: string
  /** The account's id; for what an auth.md service issues, the registration's. */
  account: string
  issuedAt: number
  expiresAt?: number
  /** When it was first presented and accepted; for one-time tokens, when it was used up. */
  usedAt?: number
  revokedAt?: number
  /** `n` of the request whose handling issued it; 0 where a test had it made without one. */
  request: number
  /** What an API key is called in the portal, and what it may do. */
  name?: string
  scope?: 'full' | 'read'
}

export interface Issue extends Omit<LedgerEntry, 'id' | 'issuedAt' | 'expiresAt'> {
  id?: string
  ttlMs?: number
}

/** Told of each secret as it is issued, so that a test can search for it wherever none may be. */
const issued = channel('authmd.sandbox.issued')

/** Everything ever issued, in order. Nothing is taken out again. */
export class Ledger {
  readonly entries: LedgerEntry[] = []
  readonly #byValue = new Map<string, LedgerEntry>()
  readonly #clock: Clock
  readonly #port: () => number

  /** `port`: where the sandbox listens, the only server to which what it issues may be sent. */
  constructor(clock: Clock, port: () => number) {
    this.#clock = clock
    this.#port = port
  }

  issue({ ttlMs, id = randomUUID(), ...rest }: Issue): LedgerEntry {
    const issuedAt = this.#clock.now()
    const entry: LedgerEntry = { id, ...rest, issuedAt }
    if (ttlMs !== undefined) entry.expiresAt = issuedAt + ttlMs
    this.entries.push(entry)
    this.#byValue.set(entry.value, entry)
    issued.publish({ kind: entry.kind, value: entry.value, port: this.#port() })
    return entry
  }

  find(value: string): LedgerEntry | undefined {
    return this.#byValue.get(value)
  }

  /** The entry that an `Authorization` header carries as a Bearer token, good or not. */
  findBearer(header: string | undefined): LedgerEntry | undefined {
    const token = bearer(header)
    return token === undefined ? undefined : this.find(token)
  }

  /** Not deleted and not past its time. */
  isGood(entry: LedgerEntry): boolean {
    return entry.revokedAt === undefined && !(this.#clock.now() >= (entry.expiresAt ?? Infinity))
  }

  markUsed(entry: LedgerEntry): void {
    entry.usedAt ??= this.#clock.now()
  }

  revoke(entry: LedgerEntry): void {
    entry.revokedAt ??= this.#clock.now()
  }
}

export function bearer(header: string | undefined): string | undefined {
  return header?.match(/^Bearer +(\S+) *$/i)?.[1]
}
