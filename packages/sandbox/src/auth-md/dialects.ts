import type { AuthMdProfile, AuthMdRelease, AuthMdVersion, IdentityMethod } from './options.ts'

export const idJagType = 'urn:ietf:params:oauth:token-type:id-jag'
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const claimGrant = 'urn:workos:agent-auth:grant-type:claim'

/**
 * How a person and the agent find each other: `mailed-link` opens a page with a code to read to the
 * agent; `typed` is shown by the agent and typed into a page; `read-back` is a page that reveals a
 * code; `mailed-code` comes by mail itself.
 */
type Ceremony = 'mailed-link' | 'typed' | 'read-back' | 'mailed-code'

interface Paths {
  register: string
  claim: string
  page: string
  events: string
}

/** All in which one version differs from another. */
export interface Dialect {
  readonly paths: Paths
  /** What its metadata names beside the common fields. */
  readonly discovery: {
    readonly register: 'register_uri' | 'registration_endpoint' | 'identity_endpoint'
    readonly revocationUri: boolean
    readonly eventsEndpoint: boolean
    /** Each type with the credentials that it can ask for. */
    readonly credentialTypes: boolean
    readonly more?: Readonly<Record<string, unknown>>
    readonly identityTypes: readonly (IdentityMethod | 'refresh')[]
  }
  readonly shape: 'flat' | 'nested'
  readonly ceremony: Ceremony
  /** Whether a registration gives the credential itself or an assertion to exchange for it. */
  readonly gives: 'credential' | 'assertion'
  readonly methods: readonly IdentityMethod[]
  readonly emailType: 'verified_email' | 'service_auth'
  readonly kinds: { readonly email: string; readonly idJag: string; readonly stepUp: string }
  readonly claimBody: 'email' | 'login_hint' | 'typed' | 'service_auth'
  /** A new hint at the claim endpoint takes the place of the one before. */
  readonly correctsHint: boolean
  /** An ID-JAG whose e-mail belongs to an account needs that person's word before it is linked. */
  readonly stepUp: boolean
  readonly needsAuthTime: boolean
  readonly providerChannel: 'logout+jwt' | 'secevent+jwt'
  readonly eventUri: string
  readonly refresh: boolean
  readonly grants: { readonly claim?: string; readonly json?: boolean }
  /** What becomes of tokens from before a claim. */
  readonly onClaim: 'widen' | 'revoke'
  readonly assertionExpires: 'assertion_expires' | 'identity_assertion_expires'
  readonly ids: {
    readonly registration: string
    readonly claimToken: string
    readonly attempt: string
  }
  readonly quirks: Quirks
}

/** Where the sample server departs from the documents, and variants from either. */
interface Quirks {
  /** How a bad ID-JAG is named: by each version's documents or by the sample's codes. */
  readonly idJagCodes: 'early-spec' | 'late-spec' | 'sample'
  /** Guards that the guide asks for: `client_id`, `iat`, `exp`, one audience, known algorithms. */
  readonly strictIdJag: boolean
  /** Polling faster than the interval is answered with `slow_down`. */
  readonly slowDown: boolean
  /** A claim is paid out once; otherwise each further poll gives new tokens. */
  readonly oneShot: boolean
  /** The claim answer carries the new assertion beside the access token. */
  readonly claimGivesAssertion: boolean
  /** The claim grant gives a long-lived API key. */
  readonly claimGivesKey: boolean
  readonly pendingStatus: 400 | 428
  /** The first answer of the claim endpoint has the registration's id as `claim_attempt_id`. */
  readonly attemptIdIsRegistration: boolean
  /** An ID-JAG claim links, creates and burns before it looks for an open ceremony. */
  readonly matchesBeforeInFlight: boolean
  /** Exchanges an assertion of a registration that waits for its person. */
  readonly exchangesUnclaimed: boolean
  /** An assertion from before the claim or the revocation is refused. */
  readonly supersedes: boolean
  /** Status of a step-up at registration. */
  readonly stepUpStatus: 200 | 401
  /** Codes that only the sample's server knows. */
  readonly serverOnlyCodes: boolean
  /** The API looks at scopes. */
  readonly checksScopes: boolean
  /** Metadata as the sample writes it: PRM fields restated, RFC 8414 fields left out. */
  readonly leanMetadata: boolean
  /** `/claim` after the window also revokes the anonymous key. */
  readonly claimRevokesExpired: boolean
  /** The person can refuse. */
  readonly refusable: boolean
  /** Wrong codes until the code is dead. */
  readonly tries: number
  readonly epochExpiries: boolean
  readonly scopesAtRegistration: boolean
  readonly names: {
    readonly claimed: 'claimed_or_in_flight' | 'already_claimed' | 'claim_already_completed'
    readonly hintMismatch: 'invalid_request' | 'login_hint_mismatch'
    readonly disabled?: 'auth_md_disabled'
  }
}

const spec: Quirks = {
  idJagCodes: 'late-spec',
  strictIdJag: true,
  slowDown: true,
  oneShot: true,
  claimGivesAssertion: true,
  claimGivesKey: false,
  pendingStatus: 400,
  attemptIdIsRegistration: false,
  matchesBeforeInFlight: false,
  exchangesUnclaimed: false,
  supersedes: true,
  stepUpStatus: 401,
  serverOnlyCodes: false,
  checksScopes: true,
  leanMetadata: false,
  claimRevokesExpired: false,
  refusable: true,
  tries: Infinity,
  epochExpiries: false,
  scopesAtRegistration: false,
  names: { claimed: 'claimed_or_in_flight', hintMismatch: 'invalid_request' },
}

const sample: Partial<Quirks> = {
  idJagCodes: 'sample',
  strictIdJag: false,
  slowDown: false,
  oneShot: false,
  matchesBeforeInFlight: true,
  supersedes: false,
  serverOnlyCodes: true,
  checksScopes: false,
  leanMetadata: true,
  claimRevokesExpired: true,
  refusable: false,
}

const identity: Paths = {
  register: '/agent/identity',
  claim: '/agent/identity/claim',
  page: '/claim',
  events: '/agent/event/notify',
}

const event = 'https://schemas.workos.com/events/agent/auth/identity/assertion/revoked'

const base: Omit<Dialect, 'quirks'> = {
  paths: identity,
  discovery: {
    register: 'identity_endpoint',
    revocationUri: false,
    eventsEndpoint: true,
    credentialTypes: false,
    identityTypes: ['anonymous', 'identity_assertion'],
  },
  shape: 'flat',
  ceremony: 'mailed-link',
  gives: 'assertion',
  methods: ['identity_assertion', 'service_auth', 'anonymous'],
  emailType: 'verified_email',
  kinds: { email: 'email-verification', idJag: 'agent-provider', stepUp: 'agent-provider' },
  claimBody: 'email',
  correctsHint: true,
  stepUp: false,
  needsAuthTime: false,
  providerChannel: 'secevent+jwt',
  eventUri: event,
  refresh: false,
  grants: {},
  onClaim: 'widen',
  assertionExpires: 'assertion_expires',
  ids: { registration: 'reg_', claimToken: 'clm_', attempt: 'cvt_' },
}

const v01: typeof base = {
  ...base,
  paths: {
    register: '/agent/auth',
    claim: '/agent/auth/claim',
    page: '/agent/auth/claim/view',
    events: '/agent/auth/revoke',
  },
  discovery: {
    ...base.discovery,
    register: 'register_uri',
    revocationUri: true,
    eventsEndpoint: false,
    credentialTypes: true,
  },
  gives: 'credential',
  providerChannel: 'logout+jwt',
}
const draftRegister: typeof base = {
  ...base,
  paths: {
    register: '/agent/register',
    claim: '/agent/register/claim',
    page: '/agent/register/claim/view',
    events: '/agent/event/notify',
  },
  discovery: { ...base.discovery, register: 'registration_endpoint' },
  kinds: { email: 'email-verification', idJag: 'agent-provider', stepUp: 'id-jag-step-up' },
  stepUp: true,
  eventUri: event.replace('/auth/', '/'),
}
const v03: typeof base = {
  ...base,
  paths: { ...identity, page: '/agent/identity/claim/view' },
}
const v02: typeof base = {
  ...v03,
  paths: { ...v03.paths, events: '/agent/identity/revoke' },
  discovery: { ...base.discovery, revocationUri: true, eventsEndpoint: false },
  providerChannel: 'logout+jwt',
}
const v04: typeof base = {
  ...base,
  ceremony: 'typed',
  correctsHint: false,
  grants: { claim: claimGrant },
  onClaim: 'revoke',
}
const v05: typeof base = {
  ...v04,
  kinds: {
    email: 'email-verification',
    idJag: 'identity_assertion',
    stepUp: 'identity_assertion',
  },
  stepUp: true,
  needsAuthTime: true,
}
const v06: typeof base = {
  ...v05,
  discovery: {
    ...base.discovery,
    identityTypes: ['anonymous', 'identity_assertion', 'service_auth'],
  },
  emailType: 'service_auth',
  kinds: { ...v05.kinds, email: 'service_auth' },
  claimBody: 'login_hint',
  correctsHint: true,
}
const v07: typeof base = { ...v06, claimBody: 'typed' }
const readback: typeof base = {
  ...v06,
  shape: 'nested',
  ceremony: 'read-back',
  claimBody: 'service_auth',
  refresh: true,
  grants: {},
}
const hosted: typeof base = {
  ...readback,
  discovery: {
    ...base.discovery,
    eventsEndpoint: false,
    identityTypes: ['anonymous', 'service_auth', 'refresh'],
  },
  methods: ['service_auth', 'anonymous'],
  ids: { registration: 'agent_reg_', claimToken: 'clm_', attempt: 'att_' },
}

const early = { idJagCodes: 'early-spec' } as const
const nested = { names: { ...spec.names, claimed: 'already_claimed' } } as const

/** Each release's data, with what its documents and then what the sample do in their own way. */
const releases: Readonly<
  Record<AuthMdRelease, { data: typeof base; spec?: Partial<Quirks>; sample?: Partial<Quirks> }>
> = {
  'v0.1': { data: v01, spec: early, sample: { attemptIdIsRegistration: true } },
  'draft-register': {
    data: draftRegister,
    spec: { ...early, stepUpStatus: 200 },
    sample: { stepUpStatus: 401 },
  },
  'v0.2': { data: v02, spec: early },
  'v0.3': { data: v03, spec: early },
  'v0.4': { data: v04 },
  'v0.5': { data: v05 },
  'v0.6': { data: v06 },
  'v0.7': { data: v07 },
  readback: { data: readback, spec: nested, sample: { exchangesUnclaimed: true } },
  hosted: { data: hosted, spec: nested },
}

export function isRelease(version: AuthMdVersion): version is AuthMdRelease {
  return Object.hasOwn(releases, version)
}

export function release(version: AuthMdRelease, profile: AuthMdProfile): Dialect {
  const { data, spec: own, sample: sampled } = releases[version]
  const strict: Quirks = { ...spec, ...own }
  const quirks = profile === 'strict-spec' ? strict : { ...strict, ...sample, ...sampled }
  const draft = version === 'draft-register' && profile === 'strict-spec'
  return {
    ...data,
    ...(draft ? { assertionExpires: 'identity_assertion_expires' as const } : {}),
    // The sample of v0.6 still takes the field that its successor's changelog calls renamed.
    ...(version === 'v0.6' && profile === 'as-sample' ? { claimBody: 'email' as const } : {}),
    quirks,
  }
}
