import { z } from 'zod'
import { ownerOfWellKnown } from '../../discovery/metadata.ts'
import type { ServerMetadata, ServiceProfile } from '../../discovery/profile.ts'
import { isAddress } from '../../net/address.ts'
import { isLoopbackHost, registrableDomain } from '../../net/url.ts'
import { text, texts } from '../lenient.ts'
import type { Json, Need, Offer } from '../method.ts'
import { type Grant, givenClient, type OAuthOptions, sameServer } from './options.ts'
import type { ClientAuth, Plan } from './state.ts'

const flag = z.boolean().catch(false)

/** Authorization-server metadata (RFC 8414), as far as a grant needs it. */
const schema = z.looseObject({
  token_endpoint: text,
  authorization_endpoint: text,
  device_authorization_endpoint: text,
  registration_endpoint: text,
  revocation_endpoint: text,
  scopes_supported: texts,
  grant_types_supported: texts,
  response_types_supported: texts,
  response_modes_supported: texts,
  token_endpoint_auth_methods_supported: texts,
  code_challenge_methods_supported: texts,
  protected_resources: texts,
  authorization_response_iss_parameter_supported: flag,
  client_id_metadata_document_supported: flag,
  require_pushed_authorization_requests: flag,
})
type Metadata = z.infer<typeof schema>

const grantTypes: Readonly<Record<Grant, string>> = {
  client: 'client_credentials',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  code: 'authorization_code',
}
/** What a text of the service calls them, where it denies one. */
const methods: Readonly<Record<Grant, string>> = {
  client: 'client-credentials',
  device: 'device-flow',
  code: 'oauth-authcode',
}
const needs: Readonly<Record<Grant, readonly Need[]>> = {
  client: ['nothing'],
  device: ['person'],
  code: ['person'],
}

/** The offer of one grant: at the first server that may speak for the service and that has all it takes. */
export function offerOf(
  profile: ServiceProfile,
  grant: Grant,
  options: OAuthOptions,
): Offer | undefined {
  const said = (value: string) =>
    profile.facts.some((fact) => (fact.denied || fact.demoted) && fact.value === value)
  if (said(methods[grant])) return undefined
  for (const server of profile.serverMetadata) {
    const plan = planOf(server, profile, grant, options)
    if (plan === undefined || (plan.client === 'dynamic' && said('oauth-dcr'))) continue
    return {
      method: `oauth-${grant}`,
      service: profile.service,
      summary: summaryOf(plan),
      needs: needs[grant],
      // What a call carries is an access token, whatever renews it.
      gives: { shortLived: true, revocable: plan.revoke !== undefined },
      plan: { ...plan } as unknown as Json,
      sources: [{ url: server.url, kind: 'server-metadata' }],
    }
  }
  return undefined
}

function planOf(
  server: ServerMetadata,
  profile: ServiceProfile,
  grant: Grant,
  options: OAuthOptions,
): Plan | undefined {
  const issuer = server.issuer ?? ownerOfWellKnown(server.url)
  const { data } = schema.safeParse(server.raw)
  if (data === undefined || issuer === undefined || !speaksFor(issuer, profile)) return undefined
  const { service, resourceMetadata } = profile
  if (data.protected_resources?.some((one) => sameServer(one, service)) === false) return undefined
  const on = (address: string | undefined) => endpoint(address, server.url)
  const token = on(data.token_endpoint)
  const types = data.grant_types_supported
  if (token === undefined || types?.includes(grantTypes[grant]) === false) return undefined
  const way = wayOf(grant, data, on, options)
  const client = clientOf(grant, service, issuer, data, on, options)
  if (way === undefined || client === undefined) return undefined
  const revoke = on(data.revocation_endpoint)
  const scopes = profile.challengeScopes ?? resourceMetadata?.scopes ?? []
  return {
    ...way,
    ...client,
    grant,
    service,
    issuer,
    metadata: server.url,
    iss: data.authorization_response_iss_parameter_supported,
    token,
    scopes,
    refresh: refreshOf(grant, data),
    vouched:
      client.client === 'given' ||
      data.protected_resources !== undefined ||
      domainOf(issuer) === domainOf(service),
    ...(revoke === undefined ? {} : { revoke }),
  }
}

/** The server that the resource names; where it names none, one of its own domain. */
function speaksFor(issuer: string, { resourceMetadata, service }: ServiceProfile): boolean {
  const named = resourceMetadata?.authorizationServers ?? []
  if (named.length > 0) return named.some((one) => sameServer(one, issuer))
  return domainOf(issuer) === domainOf(service)
}

/** Of an address or of localhost each port may be somebody else's. */
function domainOf(address: string): string {
  const { hostname, origin } = new URL(address)
  const alone = isAddress(hostname) || hostname === 'localhost'
  return (alone ? undefined : registrableDomain(hostname)) ?? origin
}

type On = (address: string | undefined) => string | undefined

function endpoint(address: string | undefined, base: string): string | undefined {
  const url = address === undefined ? null : URL.parse(address, base)
  if (url === null || url.username || url.password || url.hash) return undefined
  return url.protocol === 'https:' || isLoopbackHost(url.hostname) ? url.href : undefined
}

function wayOf(
  grant: Grant,
  data: Metadata,
  on: On,
  options: OAuthOptions,
): Pick<Plan, 'authorize' | 'device'> | undefined {
  if (grant === 'client') return {}
  if (grant === 'device') {
    const device = on(data.device_authorization_endpoint)
    return device === undefined ? undefined : { device }
  }
  const authorize = on(data.authorization_endpoint)
  if (authorize === undefined || options.redirectUri === undefined) return undefined
  if (data.require_pushed_authorization_requests) return undefined
  if (data.response_types_supported?.includes('code') === false) return undefined
  if (data.response_modes_supported?.includes('query') === false) return undefined
  // Where it does not say so the code would go unprotected: the MCP authorization chapter forbids that.
  return data.code_challenge_methods_supported?.includes('S256') ? { authorize } : undefined
}

function clientOf(
  grant: Grant,
  service: string,
  issuer: string,
  data: Metadata,
  on: On,
  options: OAuthOptions,
): Pick<Plan, 'client' | 'clientId' | 'auth' | 'register'> | undefined {
  const takes = data.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const withSecret = (['client_secret_basic', 'client_secret_post'] as const).find((one) =>
    takes.includes(one),
  )
  const given = givenClient(options, grant, service, issuer)
  if (given) {
    const auth: ClientAuth = given.clientSecret ? (withSecret ?? 'client_secret_basic') : 'none'
    return { client: 'given', clientId: given.clientId, auth }
  }
  if (grant === 'client') return undefined
  const { clientMetadata } = options
  if (clientMetadata !== undefined && data.client_id_metadata_document_supported) {
    return { client: 'document', clientId: clientMetadata, auth: 'none' }
  }
  const register = on(data.registration_endpoint)
  const auth = takes.includes('none') ? 'none' : withSecret
  if (register === undefined || auth === undefined) return undefined
  return { client: 'dynamic', register, auth }
}

function refreshOf(grant: Grant, { grant_types_supported, scopes_supported }: Metadata) {
  if (grant === 'client' || grant_types_supported?.includes('refresh_token') === false) return 'no'
  return scopes_supported?.includes('offline_access') ? 'offline' : 'yes'
}

function summaryOf({ grant, issuer, client }: Plan): string {
  const { host } = new URL(issuer)
  const how = {
    given: 'as the client that the operator has there',
    document: "as the application's client",
    dynamic: 'as a client that is registered for it',
  }[client]
  switch (grant) {
    case 'client':
      return `Gets an access token from ${host} ${how}, without a person.`
    case 'device':
      return `A person types a code at ${host} and agrees there; gives an access token, ${how}.`
    case 'code':
      return `A person signs in at ${host} in a browser and agrees there; gives an access token, ${how}.`
  }
}
