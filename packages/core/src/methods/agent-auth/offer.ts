import { z } from 'zod'
import { shownScopes } from '../../consent/scopes.ts'
import type { Fact, ServerMetadata, ServiceProfile, Source } from '../../discovery/profile.ts'
import { isEndpoint, speaksFor } from '../../discovery/trust.ts'
import { text, texts } from '../lenient.ts'
import type { Json, Need, Offer } from '../method.ts'
import { idJag } from './plans.ts'
import type { IdentityType, Plan } from './state.ts'
import { writtenPlan } from './written.ts'

const block = z
  .looseObject({ credential_types_supported: texts, assertion_types_supported: texts })
  .optional()
  .catch(undefined)

const schema = z.looseObject({
  token_endpoint: text,
  revocation_endpoint: text,
  registration_endpoint: text,
  grant_types_supported: texts,
  scopes_supported: z.array(z.unknown()).optional().catch(undefined),
  agent_auth: z.looseObject({
    register_uri: text,
    claim_uri: text,
    registration_endpoint: text,
    identity_endpoint: text,
    claim_endpoint: text,
    identity_types_supported: texts,
    anonymous: block,
    identity_assertion: block,
  }),
})

/**
 * The offer of a service whose metadata has an `agent_auth` block with an endpoint for programs, or that
 * has no such metadata and says in a text what is needed.
 */
export function offerOf(profile: ServiceProfile): Offer | undefined {
  for (const server of profile.serverMetadata) {
    const plan = planOf(server, profile)
    if (plan) return offerWith(plan, { url: server.url, kind: 'server-metadata' })
  }
  const written = writtenPlan(profile)
  return written && offerWith(written.plan, written.source)
}

function offerWith(plan: Plan, source: Source): Offer {
  return {
    method: 'agent-auth',
    service: plan.service,
    summary: summaryOf(plan),
    needs: needsOf(plan),
    gives: { shortLived: plan.token !== undefined, revocable: plan.revoke !== undefined },
    plan: { ...plan } as unknown as Json,
    sources: [source],
  }
}

function planOf(server: ServerMetadata, profile: ServiceProfile): Plan | undefined {
  const { url, raw, issuer } = server
  const { data } = schema.safeParse(raw)
  if (data === undefined) return undefined
  const { agent_auth: agent } = data
  const { service } = profile
  const homes = issuer !== undefined && speaksFor(server, profile) ? [service, issuer] : [service]
  const on = (address: string | undefined): string | undefined => {
    const absolute = address === undefined ? undefined : URL.parse(address, url)?.href
    return absolute && homes.some((home) => isEndpoint(absolute, home)) ? absolute : undefined
  }
  // v0.1 alone says for each type which credentials there are. Without that, `register_uri` is
  // somebody's page, or dynamic client registration.
  const direct = agent.identity_assertion?.credential_types_supported
  const directly = direct ?? agent.anonymous?.credential_types_supported
  const first = directly === undefined ? undefined : on(agent.register_uri)
  const register = on(agent.identity_endpoint) ?? on(agent.registration_endpoint) ?? first
  const token = register === first ? undefined : on(data.token_endpoint)
  if (register === undefined || isDenied(profile, register)) return undefined
  if (register !== first && token === undefined) return undefined
  if (isPageOrOAuth(register) || register === data.registration_endpoint) return undefined
  const byMail = agent.identity_assertion?.assertion_types_supported?.includes('verified_email')
  const types = typesOf(agent, byMail === true, profile)
  if (types.length === 0) return undefined
  const audience = types.includes('identity_assertion') ? audienceOf(server, profile) : undefined
  const claim = on(agent.claim_endpoint) ?? on(agent.claim_uri)
  const revoke = on(data.revocation_endpoint)
  const claimGrant = data.grant_types_supported?.find((one) => /(^|:)claim(_token)?$/.test(one))
  // The resource's own are nearer than those of a server that may stand before many.
  const named = profile.resourceMetadata?.scopes ?? []
  const scopes = shownScopes(named.length > 0 ? named : data.scopes_supported)
  const credentialType = direct?.includes('api_key') === false ? direct[0] : 'api_key'
  const otherCredential = direct?.find((one) => one !== credentialType)
  return {
    service,
    register,
    types,
    emailType: byMail ? 'verified_email' : 'service_auth',
    ...(audience === undefined ? {} : { audience }),
    ...(claim === undefined ? {} : { claim }),
    ...(token === undefined ? { credentialType: credentialType ?? 'api_key' } : { token }),
    ...(token === undefined && otherCredential ? { otherCredential } : {}),
    ...(revoke === undefined || token === undefined ? {} : { revoke }),
    ...(claimGrant === undefined ? {} : { claimGrant }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(isEndpoint(token ?? register, service) ? {} : { elsewhere: true }),
  }
}

/** Without a list each is tried: the service's answer says what is switched off. */
function typesOf(
  agent: z.infer<typeof schema>['agent_auth'],
  byMail: boolean,
  profile: ServiceProfile,
): readonly IdentityType[] {
  const { identity_types_supported: listed, identity_assertion: assertion } = agent
  const assertions = assertion?.assertion_types_supported
  const all: readonly IdentityType[] = ['identity_assertion', 'anonymous', 'service_auth']
  return all.filter((type) => {
    if (isDenied(profile, type)) return false
    if (type === 'identity_assertion' && (assertions || listed === undefined)) {
      return assertions?.includes(idJag) === true
    }
    if (listed === undefined) return true
    return listed.includes(type) || (type === 'service_auth' && byMail)
  })
}

/** The issuer exactly as it is published; the oldest metadata does without. */
function audienceOf({ raw, url }: ServerMetadata, { resourceMetadata, service }: ServiceProfile) {
  const [named = new URL(url).origin] = resourceMetadata?.authorizationServers ?? []
  const issuer = typeof raw.issuer === 'string' ? raw.issuer : named.replace(/\/$/, '')
  return { issuer, resource: resourceMetadata?.resource ?? service }
}

function isDenied({ facts }: ServiceProfile, value: string): boolean {
  const speaks = ({ denied, demoted, offDomain }: Fact) => denied || demoted || offDomain
  return facts.some((fact) => fact.value === value && speaks(fact))
}

function isPageOrOAuth(address: string): boolean {
  return /\/(oauth2?|authorize|sign-?up|sign-?in|log-?in)(\/|$)/i.test(new URL(address).pathname)
}

function needsOf({ types }: Plan): readonly Need[] {
  if (types.includes('anonymous')) return ['nothing']
  return types.includes('service_auth') ? ['identity', 'person'] : ['identity']
}

function summaryOf({ types, register }: Plan): string {
  const { host } = new URL(register)
  const ways = {
    identity_assertion: "by the word of the application's identity provider, if it has one",
    anonymous: 'without an address anonymously, for what needs no person',
    service_auth: 'with an address that a person then confirms by a code',
  }
  return `Registers at ${host} ${types.map((type) => ways[type]).join(', or ')}; gives a credential.`
}
