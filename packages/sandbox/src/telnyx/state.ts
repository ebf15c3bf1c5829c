import { randomBytes, randomUUID } from 'node:crypto'
import type { LedgerEntry } from '../ledger.ts'
import type { MailServer } from '../mail.ts'
import type { SandboxServer } from '../server.ts'
import { Challenges } from './challenge.ts'
import type { TelnyxOptions } from './options.ts'
import { Works } from './work.ts'

export interface Account {
  id: string
  email: string
  placeholder: boolean
  createdAt: number
  balanceCents: number
  numbers: Set<string>
  resends: { count: number; lastAt: number }
}

/** Where the parts of the service are, as absolute URLs without a slash at the end. */
export interface TelnyxUrls {
  api: string
  developers: string
  portal: string
  site: string
}

/** What all parts of the imitated service share. */
export interface Telnyx {
  server: SandboxServer
  mail: MailServer
  options: TelnyxOptions
  urls: TelnyxUrls
  terms: { terms: string; eu: string; privacy: string }
  challenges: Challenges
  works: Works
  /** By address in lower case. */
  accounts: Map<string, Account>
}

export const hostnames = {
  api: 'api.telnyx.localhost',
  developers: 'developers.telnyx.localhost',
  portal: 'portal.telnyx.localhost',
  site: 'telnyx.localhost',
  agentInbox: 'agent-inbox.telnyx.localhost',
} as const

export function createTelnyx(
  server: SandboxServer,
  mail: MailServer,
  options: TelnyxOptions,
): Telnyx {
  const site = server.origin(hostnames.site)
  return {
    server,
    mail,
    options,
    urls: {
      api: server.origin(hostnames.api),
      developers: server.origin(hostnames.developers),
      portal: server.origin(hostnames.portal),
      site,
    },
    terms: {
      terms: `${site}/terms-and-conditions-of-service`,
      eu: `${site}/terms-and-conditions-of-service-eu`,
      privacy: `${site}/privacy-policy`,
    },
    challenges: new Challenges(server.clock, {
      types: options.challenge?.types ?? ['math', 'string', 'binary'],
      garble: options.challenge?.garble ?? true,
      random: options.challenge?.random ?? Math.random,
    }),
    works: new Works(server.clock),
    accounts: new Map(),
  }
}

/** The account of an address, new with trial credit where there was none. */
export function openAccount(telnyx: Telnyx, email: string, placeholder = false): Account {
  const address = email.toLowerCase()
  const existing = telnyx.accounts.get(address)
  if (existing) return existing
  const account: Account = {
    id: randomUUID(),
    email: address,
    placeholder,
    createdAt: telnyx.server.clock.now(),
    balanceCents: 500,
    numbers: new Set(),
    resends: { count: 0, lastAt: Number.NEGATIVE_INFINITY },
  }
  telnyx.accounts.set(address, account)
  return account
}

export function accountOf(telnyx: Telnyx, entry: LedgerEntry): Account {
  const account = [...telnyx.accounts.values()].find(({ id }) => id === entry.account)
  if (!account) throw new Error(`ledger entry ${entry.id} has no account`)
  return account
}

export interface KeyWish {
  name?: string
  scope?: 'full' | 'read'
}

/** Issues an API key whose value cannot be mistaken for a real one. */
export function issueKey(
  { server }: Telnyx,
  account: string,
  request: number,
  { name = 'unnamed', scope = 'full' }: KeyWish,
): LedgerEntry {
  const value = `KEY01SANDBOX${randomBytes(16).toString('hex').toUpperCase()}`
  return server.ledger.issue({ kind: 'api_key', value, account, request, name, scope })
}

/** An API key as the service shows it at creation, the only time that its value is shown. */
export function keyAtCreation(key: LedgerEntry): Record<string, unknown> {
  return { ...keyListed(key), api_key: key.value }
}

export function keyListed({ id, name, scope, issuedAt }: LedgerEntry): Record<string, unknown> {
  const created_at = new Date(issuedAt).toISOString()
  return { record_type: 'api_key', id, name, scope, active: true, created_at }
}
