import type { Effect } from '../../consent/action.ts'
import { confinedAudience } from '../../use/audience.ts'
import type { Identity, IdentityWish, IssuedCredential, RequestPlan } from '../method.ts'
import type { Ceremony, Plan, Presented, State } from './state.ts'
import type { Given } from './wire.ts'

const defaultClaimGrant = 'urn:workos:agent-auth:grant-type:claim'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const idJag = 'urn:ietf:params:oauth:token-type:id-jag'

export function wishOf({ audience, service, scopes }: Plan, presented: Presented): IdentityWish {
  const { maxAge } = presented
  return {
    audience: presented.audience,
    resource: audience?.resource ?? service,
    ...(scopes === undefined ? {} : { scopes }),
    ...(maxAge === undefined ? {} : { maxAge }),
  }
}

function assertsFor(plan: Plan, presented: Presented): Pick<RequestPlan, 'asserts'> {
  const { who } = presented
  if (who === undefined) return {}
  return { asserts: { secret: 'id_jag', wish: wishOf(plan, presented), who } }
}

/** By a provider's word the same registration each time; what v0.1 gives for it is new each time. */
export function present(plan: Plan, presented: Presented): RequestPlan {
  const { credentialType, token } = plan
  return {
    name: 'agent_identity',
    request: {
      method: 'POST',
      url: plan.register,
      json: {
        type: 'identity_assertion',
        assertion_type: idJag,
        ...(credentialType === undefined ? {} : { requested_credential_type: credentialType }),
      },
      jsonSecrets: { assertion: 'id_jag' },
      redirects: 'none',
    },
    ...assertsFor(plan, presented),
    ...(token === undefined
      ? ({ effect: 'creates', ifLost: 'uncertain' } as const)
      : ({ effect: 'idempotent', ifLost: 'repeat' } as const)),
  }
}

/** A new registration: but for one by a provider's word, twice is two. */
export function register(state: State, identity: Identity): RequestPlan {
  const { plan, type, email, presented } = state
  const { credentialType } = plan
  if (type === 'identity_assertion' && presented) {
    return { ...present(plan, presented), binds: effects(state, identity) }
  }
  const fields = {
    anonymous: { type: 'anonymous' },
    service_auth: { type: 'service_auth', login_hint: email },
    verified_email: {
      type: 'identity_assertion',
      assertion_type: 'verified_email',
      assertion: email,
    },
  }[type === 'anonymous' ? type : plan.emailType]
  return {
    name: 'agent_identity',
    request: {
      method: 'POST',
      url: plan.register,
      json: {
        ...fields,
        ...(credentialType === undefined ? {} : { requested_credential_type: credentialType }),
      },
      redirects: 'none',
    },
    effect: 'creates',
    ifLost: 'uncertain',
    binds: effects(state, identity),
  }
}

function effects(state: State, identity: Identity): Effect[] {
  const { plan, type, lost } = state
  const earlier = state.presented ? '' : '; it ends by itself, unclaimed'
  const note = lost === 0 ? {} : { note: `An earlier one may exist already${earlier}.` }
  const credentials = {
    anonymous: 'an anonymous registration and its credential',
    service_auth: 'a registration that a person claims, and its credential',
    identity_assertion: "a registration in that person's name, and its credential,",
  }
  return [
    ...(type === 'anonymous' ? [] : presented(state, plan.register, identity)),
    {
      kind: 'create-credential',
      at: plan.register,
      audience: audienceOf(plan),
      credential: credentials[type],
      ...(plan.scopes === undefined ? {} : { scopes: plan.scopes }),
      ...note,
    },
  ]
}

function presented(
  { email, presented }: State,
  url: string,
  { emailFrom = 'model' }: Identity,
): Effect[] {
  const to = new URL(url).host
  if (presented?.who) return [{ kind: 'present-identity', assertion: presented.who, to }]
  if (email === undefined) return []
  return [{ kind: 'present-identity', email, emailFrom, to }]
}

function audienceOf(plan: Plan): readonly string[] {
  return confinedAudience(issuedBy(plan), [plan.service]).bases
}

/** What confines where a credential may go. */
function issuedBy({ elsewhere, service, token, register }: Plan): string {
  return elsewhere ? service : (token ?? register)
}

/** Another code for the same registration: it makes the one before it worthless. */
export function claim(state: State, url: string): RequestPlan {
  const { plan, email, sibling } = state
  const types = ['login_hint', 'service_auth']
  const [first, other] = plan.claimGrant === undefined ? types.toReversed() : types
  return {
    name: 'agent_claim',
    request: {
      method: 'POST',
      url,
      // The field was renamed twice; each version leaves alone what it does not know.
      json: { type: sibling ? other : first, login_hint: email, email },
      jsonSecrets: { claim_token: 'claim_token' },
      redirects: 'none',
    },
    effect: 'idempotent',
    ifLost: 'repeat',
  }
}

/** The first of them for what was given without a person: it tells the service who that is. */
export function beginClaim(state: State, url: string, identity: Identity): RequestPlan {
  const { plan, claimScopes: scopes = plan.scopes } = state
  return {
    ...claim(state, url),
    binds: [
      ...presented(state, url, identity),
      {
        kind: 'create-credential',
        at: url,
        audience: audienceOf(plan),
        credential: "a credential in that person's name, in the place of the anonymous one,",
        ...(scopes === undefined ? {} : { scopes }),
      },
    ],
  }
}

/** The same by a provider's word instead of an address: v0.7. */
export function claimByIdentity(state: State, url: string): RequestPlan {
  const { plan, presented } = state
  return {
    ...beginClaim(state, url, { mailbox: false }),
    ...(presented ? assertsFor(plan, presented) : {}),
    request: {
      method: 'POST',
      url,
      json: { type: 'identity_assertion' },
      jsonSecrets: { claim_token: 'claim_token', assertion: 'id_jag' },
      redirects: 'none',
    },
  }
}

/** The code that the person read back. */
export function complete(url: string, { field }: Ceremony, code: string): RequestPlan {
  return {
    name: 'agent_claim_complete',
    request: {
      method: 'POST',
      url,
      json: { [field]: code },
      jsonSecrets: { claim_token: 'claim_token' },
      redirects: 'none',
    },
    effect: 'idempotent',
    ifLost: 'repeat',
  }
}

/** Is the person done? */
export function poll(plan: Plan, url: string): RequestPlan {
  const { claimGrant = defaultClaimGrant } = plan
  return token(plan, url, { grant_type: claimGrant }, 'claim_token')
}

/** The service's own assertion for an access token. */
export function exchange(plan: Plan, url: string): RequestPlan {
  const grant = { grant_type: jwtBearer }
  const fields = plan.withoutResource ? grant : { ...grant, resource: plan.service }
  return token(plan, url, fields, 'assertion')
}

function token(
  { jsonTokens }: Plan,
  url: string,
  fields: Readonly<Record<string, string>>,
  secret: string,
): RequestPlan {
  const body = jsonTokens
    ? { json: fields, jsonSecrets: { [secret]: secret } }
    : { form: { ...fields, [secret]: { secret } } }
  return {
    name: 'agent_token',
    request: { method: 'POST', url, ...body, redirects: 'none' },
    effect: 'idempotent',
    ifLost: 'repeat',
  }
}

/** The assertion is over, and this makes the next one; the token is spent by it. */
export function refresh(plan: Plan): RequestPlan {
  return {
    name: 'agent_identity',
    request: {
      method: 'POST',
      url: plan.register,
      json: { type: 'refresh' },
      jsonSecrets: { refresh_token: 'refresh_token' },
      redirects: 'none',
    },
    effect: 'idempotent',
    ifLost: 'uncertain',
  }
}

/** What the vault is told; `kept` names the secrets that renew it. */
export function credential(
  state: Pick<State, 'plan' | 'registration' | 'unclaimed' | 'window'>,
  { kind = 'access_token', expires }: Pick<Given, 'kind' | 'expires'>,
  refresh: IssuedCredential['refresh'],
): IssuedCredential {
  const { plan, registration, unclaimed, window } = state
  const { service, revoke } = plan
  const until = window === undefined ? {} : { until: window }
  const refreshToken = refresh?.secrets.find((name) => name === 'refresh_token')
  return {
    secret: 'credential',
    kind,
    header: 'authorization',
    prefix: 'Bearer ',
    issuedBy: issuedBy(plan),
    bases: [service],
    ...(revoke === undefined
      ? {}
      : {
          revocation: {
            mode: 'programmatic',
            url: revoke,
            ...(refreshToken ? { refreshToken } : {}),
          },
        }),
    ...(registration === undefined ? {} : { serviceId: registration }),
    ...(expires === undefined ? {} : { expires }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(unclaimed ? { claim: { secrets: ['claim_token'], ...until } } : {}),
  }
}
