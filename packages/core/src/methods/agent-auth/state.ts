import type { AssertedIdentity } from '../method.ts'

/** What the service's metadata says of its agent registration. Plain JSON. */
export interface Plan {
  readonly service: string
  /** Where a registration is made, and where the claim of it is begun anew. */
  readonly register: string
  readonly claim?: string
  /** Absent where a registration gives the credential itself. */
  readonly token?: string
  readonly revoke?: string
  readonly types: readonly IdentityType[]
  /** The word for a registration by e-mail, which changed with v0.6. */
  readonly emailType: 'verified_email' | 'service_auth'
  /** The grant by which a claim is asked after. */
  readonly claimGrant?: string
  /** What the service names as its scopes: which of them a registration gets is for it to say. */
  readonly scopes?: readonly string[]
  /** Its token endpoint refuses a request that names the resource (RFC 8707). */
  readonly withoutResource?: true
  /** The server is on another domain than the service, and both name each other: what it gives is the service's. */
  readonly elsewhere?: true
  /** Its token endpoint takes JSON instead of a form. */
  readonly jsonTokens?: true
  /** v0.1 is told which credential to give, and what else it knows for an identity. */
  readonly credentialType?: string
  readonly otherCredential?: string
  /** Whom an identity assertion is for: the server that reads it, or else the service. */
  readonly audience?: { readonly issuer: string; readonly resource: string }
}

export type IdentityType = 'identity_assertion' | 'service_auth' | 'anonymous'

/** An identity assertion that is to be presented, or was. It is itself never kept. */
export interface Presented {
  readonly audience: string
  /** Seconds. */
  readonly maxAge?: number
  readonly who?: AssertedIdentity
  /** Refused, each of these was tried once: another one, one for the other audience, one of a new login. */
  readonly again?: true
  readonly other?: true
  readonly fresher?: true
}

/**
 * How the person and the agent find each other. `typed`: the agent shows a code that is typed into a
 * page · `read-back`: a page shows a code that is read to the agent · `mailed`: a mail leads to it.
 */
export interface Ceremony {
  readonly way: 'typed' | 'read-back' | 'mailed'
  readonly uri?: string
  /** The code to show, of `typed` alone. */
  readonly code?: string
  /** Where the code that was read back goes, and the field it goes in. */
  readonly complete?: string
  readonly field: 'user_code' | 'otp'
  readonly intervalMs: number
  /** When a mailed link is over; then there is another mail. Epoch milliseconds. */
  readonly link?: number
  /** Epoch milliseconds; absent where the service does not say. */
  readonly until?: number
}

/** Where a registration stands. Plain JSON; tokens are never in it. */
export interface State {
  readonly step:
    | 'identify'
    | 'identify-later'
    | 'login'
    | 'register'
    | 'register-later'
    | 'lost-register'
    | 'email'
    | 'exchange'
    | 'exchange-later'
    | 'person'
    | 'poll'
    | 'complete'
    | 'claim'
    | 'claim-later'
    | 'claim-identity'
    | 'claim-identity-later'
    | 'done'
  readonly plan: Plan
  readonly type: IdentityType
  readonly email?: string
  readonly presented?: Presented
  /** When the latest registration was asked for, and what it is called. */
  readonly askedAt?: number
  readonly registration?: string
  /** Registrations whose answer was lost: each may have made one. */
  readonly lost: number
  /** Until when it can be claimed at all. */
  readonly window?: number
  /** What a claimed one may do, by the service's word. */
  readonly claimScopes?: readonly string[]
  /** It gave a credential without a person, and a claim token with it. */
  readonly unclaimed?: true
  /** A person is to claim what was given without one. */
  readonly claiming?: true
  readonly ceremony?: Ceremony
  /** When the service may be asked next. */
  readonly look?: number
  /** The code that the person read back, while the service waits for their word on the page. */
  readonly code?: string
  /** Further codes that the service was asked for, wrong ones that were handed in, failures in a row. */
  readonly codes: number
  readonly wrong: number
  readonly failures: number
  /** The claim endpoint did not take the body of one version: now that of its sibling. */
  readonly sibling?: true
  /** It was or may have been claimed in an answer that was not read; nothing since has shown otherwise. */
  readonly unread?: true
  readonly assertionUntil?: number
  /** A refresh token came with the assertion. */
  readonly refreshable?: boolean
  /** To be said once with the next wait. */
  readonly notice?: string
}
