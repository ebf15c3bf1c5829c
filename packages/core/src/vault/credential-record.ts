import type { Json } from '../methods/method.ts'
import type { ShareVerb } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import type { Credential } from './credentials.ts'
import { Secret } from './secret.ts'

function mapped<T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}

/** Lies with the owner whom it is given to, under the handle of the credential. */
export interface Grant {
  readonly grant: {
    readonly by: Owner
    /** The key of that owner. */
    readonly key: string
    readonly to: Owner
    readonly verbs: readonly ShareVerb[]
    /** Epoch milliseconds. */
    readonly at: number
  }
}

type Stored = Omit<Credential, 'secret' | 'secrets' | 'refresh' | 'claim' | 'client'> & {
  readonly secret?: string
  readonly secrets?: Readonly<Record<string, string>>
  readonly refresh?: { readonly state: Json; readonly secrets: Readonly<Record<string, string>> }
  readonly claim?: { readonly secrets: Readonly<Record<string, string>>; readonly until?: number }
  readonly client?: Omit<NonNullable<Credential['client']>, 'secrets'> & {
    readonly secrets: Readonly<Record<string, string>>
  }
}

/** To text for a sealing store; this is where secrets are opened. */
export function encodeCredential(credential: Credential): string {
  const { secret, secrets, refresh, claim, client, ...rest } = credential
  const open = (one: Secret) => Secret.open(one)
  const stored: Stored = {
    ...rest,
    ...(secret && { secret: open(secret) }),
    ...(secrets && { secrets: mapped(secrets, open) }),
    ...(refresh && { refresh: { ...refresh, secrets: mapped(refresh.secrets, open) } }),
    ...(claim && { claim: { ...claim, secrets: mapped(claim.secrets, open) } }),
    ...(client && { client: { ...client, secrets: mapped(client.secrets, open) } }),
  }
  return JSON.stringify(stored)
}

export function encodeGrant(grant: Grant): string {
  return JSON.stringify(grant)
}

/** From the text of a sealing store: a credential, or that another owner's is shared. */
export function decodeCredential(text: string): Credential | Grant {
  const stored = JSON.parse(text) as Stored | Grant
  if ('grant' in stored) return stored
  const { secret, secrets, refresh, claim, client, ...rest } = stored
  const close = (one: string) => new Secret(one)
  return {
    ...rest,
    ...(secret !== undefined && { secret: close(secret) }),
    ...(secrets && { secrets: mapped(secrets, close) }),
    ...(refresh && { refresh: { ...refresh, secrets: mapped(refresh.secrets, close) } }),
    ...(claim && { claim: { ...claim, secrets: mapped(claim.secrets, close) } }),
    ...(client && { client: { ...client, secrets: mapped(client.secrets, close) } }),
  }
}
