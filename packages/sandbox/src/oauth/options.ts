/** What a token may allow at the API, from the least to the most. */
export const scopes = ['things.read', 'things.write', 'things.admin'] as const

export type OAuthScope = (typeof scopes)[number]

export type OAuthGrant = 'authorization_code' | 'device_code' | 'client_credentials'

/** Where servers depart from the documents, or use the room that these leave. All off by default. */
export interface OAuthQuirks {
  /** `expires_in` is a string of digits, or is not there. */
  expiresIn?: 'string' | 'absent'
  /** The answer to a refresh has neither `scope` nor the refresh token that stays good (RFC 6749, section 6). */
  bareRefresh?: boolean
  /** No token answer says which scope was granted, even where it is not what was asked for. */
  noScope?: boolean
  /** `token_type` in lower case. */
  lowerCaseType?: boolean
  /** No `iss` in the authorization response, and none announced (RFC 9207). */
  noIssuer?: boolean
  /** No `verification_uri_complete`, and no `interval` (RFC 8628, section 3.2). */
  bareDevice?: boolean
  /** Metadata only at `/.well-known/openid-configuration`. */
  openidOnly?: boolean
  /** The API's 401 is a bare `Bearer`; its metadata are found at their well-known place only. */
  bareChallenge?: boolean
}

export interface OAuthOptions {
  /** Label of the hosts `api.<name>.localhost` and `auth.<name>.localhost`; `oauth` if absent. */
  name?: string
  /** The grants that are switched on; all three if absent. */
  grants?: readonly OAuthGrant[]
  /**
   * How a client may become known beside those in advance: `dynamic` (RFC 7591 with the management
   * of RFC 7592), `unmanaged` (RFC 7591 alone), `document` (client ID metadata document). `dynamic`
   * and `document` if absent.
   */
  registration?: readonly ('dynamic' | 'unmanaged' | 'document')[]
  /** Client ID metadata documents by their URL, as the server finds them. It goes nowhere for them. */
  documents?: Readonly<Record<string, unknown>>
  /** Further clients that are known in advance, as RFC 7591 metadata with `client_id`. */
  clients?: readonly Readonly<Record<string, unknown>>[]
  /** `rotating` (a used one ends the whole grant), `lasting`, or `none`; `rotating` if absent. */
  refresh?: 'rotating' | 'lasting' | 'none'
  /** RFC 7009; true if absent. */
  revocation?: boolean
  /**
   * RFC 8707: `optional`, `required`, `refused` (with `invalid_target`, whatever the resource) or
   * `ignored`; `optional` if absent. Without one a token is for the API.
   */
  resource?: 'optional' | 'required' | 'refused' | 'ignored'
  /** No token gets more scopes than these, whatever was asked for and consented to. */
  narrow?: readonly OAuthScope[]
  /** How long an access token lasts; 3600 seconds if absent. */
  accessTokenSeconds?: number
  quirks?: OAuthQuirks
}
