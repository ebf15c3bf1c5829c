/** How a fact is known: the document, and its line where it is a text. */
export interface Source {
  readonly url: string
  /** Line in the text, from 1. */
  readonly line?: number
  readonly kind: 'challenge' | 'resource-metadata' | 'server-metadata' | 'text' | 'application'
}

/** Whether an address is for a program or for a person in a browser. */
export type Mode = 'programmatic' | 'interactive'

/** The names of the facts that a text or metadata can state. */
export type FactName =
  | 'resource'
  | 'authorization_server'
  | 'prm_url'
  | 'as_metadata_url'
  | 'register_uri'
  | 'claim_uri'
  | 'revocation_uri'
  | 'use_base_url'
  | 'header_scheme'
  /** HTTP Basic: `<key>:`, `name:<key>` or `<user>:<key>`. */
  | 'basic_auth'
  /** A header that each request carries beside the key's. */
  | 'key_beside'
  /** How a key looks, by the document's word or by a sample in it: its beginning, or `32 hex`. */
  | 'key_form'
  | 'key_example'
  /** The name of an environment variable in which the document expects the key. */
  | 'key_env'
  | 'mcp_url'
  | 'error_shape'
  | 'error_status'
  | 'error_code'
  | 'identity_type'
  | 'method'
  /** Something named in a denial that no other name covers, such as `agent_auth`. */
  | 'feature'
  | 'request'

/**
 * A request that a text describes: `POST https://api.example/v2/x`, and what the text says of it. Enough
 * to propose the request: what is missing here, the text leaves open. A request that is described in
 * several places is one: the fuller description counts, the others complete it.
 */
export interface DescribedRequest {
  readonly method: string
  readonly url: string
  /** As written, placeholders included; the `Host:` line is in `url`. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[]
  readonly body?: 'json' | 'form'
  /** What the body holds, in the order of the text; at most 60. */
  readonly fields?: readonly DescribedField[]
  readonly answer?: DescribedAnswer
}

/** One field of a described request's body. */
export interface DescribedField {
  /** With the names of the objects around it: `owner.email`. */
  readonly name: string
  readonly type?: 'string' | 'number' | 'boolean' | 'array' | 'object' | 'null'
  /** What the text's example holds there, at most 200 characters; JSON for what is no string. */
  readonly example?: string
  /** The example only stands for a value: `<your name>`, `…`, an address of example.com. */
  readonly placeholder?: true
  /** Absent where the text does not say. */
  readonly required?: boolean
  /** By its name a password, a key, a token or a code: not for the model. */
  readonly secret?: true
  /** What the text says of it, at most 200 characters: the service's words. */
  readonly note?: string
  /** Line in the text, from 1. */
  readonly line: number
}

/** What a text says of the answer to a request. */
export interface DescribedAnswer {
  readonly status?: number
  /** Names of the fields in it, as in {@link DescribedField}; at most 60. */
  readonly fields: readonly string[]
  /** The field that holds the credential. */
  readonly credential?: string
  /** The text says that the credential is not shown again. */
  readonly shownOnce?: true
  /** Line in the text, from 1. */
  readonly line: number
}

/** One thing that a document states, or, with `denied`, states not to exist. */
export interface Fact {
  readonly name: FactName
  /** An address is absolute where it could be resolved. */
  readonly value: string
  /** The value as it was written, where that differs. */
  readonly written?: string
  readonly mode?: Mode
  readonly denied?: true
  /** The address lies on another registrable domain than the service: not to be used unasked. */
  readonly offDomain?: true
  /** Stated by metadata alone, and a text of the service denies it. */
  readonly demoted?: true
  /** Only for `request`. */
  readonly request?: DescribedRequest
  readonly source: Source
}

/** One address that discovery asked, and what came of it. */
export interface Tried {
  readonly url: string
  readonly wave: 1 | 2 | 3
  readonly status?: number
  readonly mediaType?: string
  readonly etag?: string
  readonly lastModified?: string
  /** For how long the answer may be taken as it is, by its own word; 0 where it must not be kept. */
  readonly maxAgeMs?: number
  /** It did not answer in time, was overloaded or failed: another time it may say something. */
  readonly transient?: true
  /** `used`, or why it is "not here". */
  readonly verdict: string
}

/** A text that discovery read: an auth.md, or the registration page it names. */
export interface ServiceDocument {
  readonly url: string
  readonly role: 'auth.md' | 'registration-page'
  /** SHA-256 of the text, base64url. */
  readonly hash: string
  readonly facts: readonly Fact[]
}

/** Protected-resource metadata, RFC 9728, as far as we use it. */
export interface ResourceMetadata {
  readonly url: string
  readonly resource: string
  readonly authorizationServers: readonly string[]
  readonly scopes: readonly string[]
}

/** Authorization-server metadata, RFC 8414, as far as we use it; `raw` is the whole object. */
export interface ServerMetadata {
  readonly url: string
  readonly issuer?: string
  readonly raw: Readonly<Record<string, unknown>>
}

/** All that discovery found out about a service, each fact with its source. Plain JSON. */
export interface ServiceProfile {
  /** The URL that was asked, without query and fragment. */
  readonly asked: string
  /** The resource: RFC 9728's where metadata names it, else the base URL of the text, else the asked origin. */
  readonly service: string
  readonly resourceMetadata?: ResourceMetadata
  /** Scopes that the asked URL demands in its challenge (RFC 6750 §3). */
  readonly challengeScopes?: readonly string[]
  readonly serverMetadata: readonly ServerMetadata[]
  readonly documents: readonly ServiceDocument[]
  /** All facts, the stronger source first. */
  readonly facts: readonly Fact[]
  readonly tried: readonly Tried[]
  /** What to know first: payment, wallets. Then what was odd: contradictions, refused identities, hidden text. */
  readonly warnings: readonly string[]
  /** Epoch milliseconds. */
  readonly at: number
}

/** The first fact of a name that is stated, not denied, and not on another domain. */
export function factOf(profile: ServiceProfile, name: FactName, mode?: Mode): Fact | undefined {
  return profile.facts.find(
    (fact) =>
      fact.name === name &&
      !fact.denied &&
      !fact.offDomain &&
      (mode === undefined || fact.mode === mode),
  )
}

/** Whether a text says that this is not offered: a method (`id-jag`) or a feature (`agent_auth`). */
export function denies(profile: ServiceProfile, value: string): boolean {
  return profile.facts.some((fact) => fact.denied && fact.value === value)
}
