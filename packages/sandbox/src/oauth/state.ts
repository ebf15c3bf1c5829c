import type { JSONWebKeySet } from 'jose'
import { exportJWK, generateKeyPair } from 'jose'
import type { SandboxServer } from '../server.ts'
import type { OAuthGrant, OAuthOptions, OAuthScope } from './options.ts'
import { scopes } from './options.ts'

/** What all parts of one OAuth service share. Origins have no slash at the end. */
export interface OAuth {
  readonly name: string
  readonly options: OAuthOptions
  readonly server: SandboxServer
  readonly api: string
  readonly issuer: string
  /** Identifiers of the protected resources, as their metadata give them. */
  readonly resources: readonly [api: string, mcp: string]
  readonly clients: OAuthClients
  /** How the API asks about a token. */
  readonly introspector: Confidential
  /** By device code: when it was last asked for, ms, and how long to wait, seconds. */
  readonly polls: Map<string, { at: number; interval: number }>
  /** What was written through the API. */
  readonly things: { readonly by: string; readonly text: string }[]
}

interface Confidential {
  readonly id: string
  readonly secret: string
}

/** Clients that the server knows in advance. */
export interface OAuthClients {
  /** A native one without a secret; its redirect URI is `http://127.0.0.1/callback`, at any port. */
  readonly native: { readonly id: string }
  /** One with a secret, by `client_secret_basic`. Its redirect URI is the same, but at no other port. */
  readonly confidential: Confidential
}

/** Where the authorization server's endpoints are. */
export const paths = {
  authorization: '/authorize',
  token: '/token',
  registration: '/register',
  revocation: '/revoke',
  introspection: '/introspect',
  device_authorization: '/device_authorization',
  code_verification: '/device',
  jwks: '/jwks',
} as const

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

const everyGrant: readonly OAuthGrant[] = [
  'authorization_code',
  'device_code',
  'client_credentials',
]

export function hasGrant({ options }: OAuth, grant: OAuthGrant): boolean {
  return (options.grants ?? everyGrant).includes(grant)
}

/** How a client may become known. */
export function takes(
  { options }: OAuth,
  registration: NonNullable<OAuthOptions['registration']>[number],
): boolean {
  return (options.registration ?? ['dynamic', 'document']).includes(registration)
}

export function grantable({ options }: OAuth): readonly OAuthScope[] {
  return options.narrow ?? scopes
}

let keys: Promise<JSONWebKeySet> | undefined

/** The private keys of all servers of the process. The library wants some even where it signs nothing. */
export function privateKeys(): Promise<JSONWebKeySet> {
  keys ??= generateKeyPair('ES256', { extractable: true }).then(async ({ privateKey }) => ({
    keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'sandbox' }],
  }))
  return keys
}
