import type { Json } from '../methods/method.ts'
import type { Credential } from './credentials.ts'
import { Secret } from './secret.ts'

function mapped<T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
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

/** From the text of a sealing store. */
export function decodeCredential(text: string): Credential {
  const { secret, secrets, refresh, claim, client, ...rest } = JSON.parse(text) as Stored
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
