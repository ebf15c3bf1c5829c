import type { Failure } from '../method.ts'
import type { Grant } from './options.ts'

/** How a client proves itself at the token endpoint (RFC 7591 §2). */
export type ClientAuth = 'none' | 'client_secret_basic' | 'client_secret_post'

/** What the documents and the operator say. Plain JSON. */
export interface Plan {
  readonly grant: Grant
  /** The resource, as it names itself (RFC 8707, RFC 9728): sent unchanged. */
  readonly service: string
  readonly issuer: string
  /** Where its metadata lies. */
  readonly metadata: string
  /** It names itself in each authorization response (RFC 9207). */
  readonly iss: boolean
  readonly token: string
  readonly authorize?: string
  readonly device?: string
  readonly register?: string
  readonly revoke?: string
  /** What it takes of a client with a secret, and whether it takes one without. */
  readonly auth: ClientAuth
  /** `given`: the operator has one · `document`: it is a client id metadata document · `dynamic`: RFC 7591. */
  readonly client: 'given' | 'document' | 'dynamic'
  readonly clientId?: string
  readonly scopes: readonly string[]
  /** Refresh tokens are given; `offline`: where `offline_access` is among the scopes. */
  readonly refresh: 'yes' | 'no' | 'offline'
  /**
   * The server vouches for the resource: it names it, shares its domain, or the operator has put both
   * together. Else only a grant that names the resource is asked for.
   */
  readonly vouched: boolean
}

/** A client as the server knows it. */
export interface Client {
  readonly id: string
  readonly auth: ClientAuth
  /** Where it is managed (RFC 7592); its token is the secret `registration_access_token`. */
  readonly manage?: string
}

/** A device authorization (RFC 8628 §3.2). */
interface Device {
  readonly uri: string
  readonly code: string
  readonly intervalMs: number
  /** Epoch milliseconds. */
  readonly until: number
}

/** Where a registration stands. Plain JSON; codes and secrets are never in it. */
export interface State {
  readonly step:
    | 'client'
    | 'client-later'
    | 'lost-client'
    | 'server'
    | 'device'
    | 'device-later'
    | 'person'
    | 'poll'
    | 'authorise'
    | 'exchange'
    | 'exchange-later'
    | 'lost-exchange'
    | 'token'
    | 'token-later'
    | 'end-client'
    | 'done'
  readonly plan: Plan
  readonly scopes: readonly string[]
  readonly client?: Client
  readonly redirectUri?: string
  /** `resource` is sent. */
  readonly resource: boolean
  /** When the latest thing was asked for that is made there. */
  readonly askedAt?: number
  /** How often it is not known whether it was made. */
  readonly lost: number
  readonly failures: number
  /** Polls whose answer never came. */
  readonly unanswered: number
  readonly device?: Device
  /** The `state` of the authorization request, and until when its browser may come back. */
  readonly authorisation?: { readonly state: string; readonly until: number }
  /** The address that the person opens. */
  readonly link?: string
  /** When the service may be asked next. */
  readonly look?: number
  /** Why it ends, while the client is deleted. */
  readonly ending?: Failure
  readonly notice?: string
}
