/** The published versions, from the first to the one with nested answers, and the hosted product. */
export type AuthMdRelease =
  | 'v0.1'
  | 'draft-register'
  | 'v0.2'
  | 'v0.3'
  | 'v0.4'
  | 'v0.5'
  | 'v0.6'
  | 'v0.7'
  | 'readback'
  | 'hosted'

/** What sites made of it. */
export type AuthMdVariant =
  | 'agent-artifacts'
  | 'just-html'
  | 'capgo'
  | 'stella'
  | 'axiom'
  | 'two-endpoints'
  | 'vidjutsu'
  | 'rfc7591'

export type AuthMdVersion = AuthMdRelease | AuthMdVariant

/** What the documents say, or what the published sample server does where it departs from them. */
export type AuthMdProfile = 'strict-spec' | 'as-sample'

/** Ways to register, under the newest names: before v0.6 `service_auth` is `verified_email`. */
export type IdentityMethod = 'anonymous' | 'service_auth' | 'identity_assertion'

export interface AuthMdOptions {
  /** `v0.7` if absent. */
  version?: AuthMdVersion
  /** `strict-spec` if absent. A variant has one behaviour, whatever stands here. */
  profile?: AuthMdProfile
  /** Label of the hosts `api.<name>.localhost` and `auth.<name>.localhost`; from the version if absent. */
  name?: string
  /** Label of the authorization server's host where that is on another domain: `auth.<issuer>.localhost`. */
  issuer?: string
  /** There is no metadata: all that an agent learns stands in the auth.md. */
  textOnly?: boolean
  /** The ways that are switched on; all that the version has, if absent. */
  methods?: readonly IdentityMethod[]
  /** The `aud` that an ID-JAG must have, about which the documents disagree; `issuer` if absent. */
  audience?: 'issuer' | 'resource'
  /** What `hosted` gives for an assertion; `access_token` if absent. */
  credential?: 'access_token' | 'api_key'
  /**
   * How the token endpoint refuses a `resource` (RFC 8707), whatever it names, as servers do that know
   * no such parameter or no such target; taken if absent.
   */
  refusesResource?: 'invalid_request' | 'invalid_target'
  /** Registrations in an hour, then `rate_limited`; unlimited if absent. */
  registrationsPerHour?: number
}

export type OneOrMore<T> = T | readonly [T, ...T[]]
