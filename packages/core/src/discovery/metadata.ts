import { z } from 'zod'
import { AuthError } from '../errors.ts'
import { parseJson } from '../net/json.ts'
import type { Fact, FactName, Mode, ResourceMetadata, ServerMetadata } from './profile.ts'

const maxList = 100
const text = z.string().min(1).max(2_048)
/** Servers send one text, a list, or a list with something else in it. */
const texts = z
  .union([text.transform((one) => [one]), z.array(z.unknown())])
  .catch([])
  .transform((list) =>
    list.slice(0, maxList).flatMap((item) => {
      const parsed = text.safeParse(item)
      return parsed.success ? [parsed.data] : []
    }),
  )
const optional = text.optional().catch(undefined)

const resourceSchema = z.looseObject({
  resource: text,
  authorization_servers: texts,
  scopes_supported: texts,
  bearer_methods_supported: texts,
  resource_documentation: optional,
})

const agentAuthSchema = z.looseObject({
  skill: optional,
  register_uri: optional,
  registration_endpoint: optional,
  identity_endpoint: optional,
  claim_uri: optional,
  claim_endpoint: optional,
  revocation_uri: optional,
  identity_types_supported: texts,
  supported_identity_types: texts,
})

const serverSchema = z.looseObject({
  issuer: optional,
  registration_endpoint: optional,
  revocation_endpoint: optional,
  device_authorization_endpoint: optional,
  authorization_endpoint: optional,
  token_endpoint: optional,
  grant_types_supported: texts,
  service_documentation: optional,
  agent_auth: agentAuthSchema.optional().catch(undefined),
})

/** A document that was read, or why it is not used. */
export type Reading<T> =
  | { readonly ok: T; readonly warnings: readonly string[] }
  | { readonly refused: string }

/** Protected-resource metadata with what it names besides. */
export interface ReadResource extends ResourceMetadata {
  readonly documentation?: string
  readonly bearerInHeader: boolean
}

/** Authorization-server metadata with what it names besides. */
export interface ReadServer extends ServerMetadata {
  readonly skill?: string
  readonly documentation?: string
}

/**
 * Reads protected-resource metadata and checks whose it is (RFC 9728 §3.3). `resource` must have the
 * origin of `asked`, and one of both paths must begin the other; where they are not the same, a
 * warning says so. Another origin or path is refused.
 */
export function readResourceMetadata(
  body: string,
  { url, asked }: { url: string; asked: string },
): Reading<ReadResource> {
  const parsed = resourceSchema.safeParse(object(body))
  if (!parsed.success) return { refused: 'no protected-resource metadata' }
  const { resource, authorization_servers, scopes_supported, bearer_methods_supported } =
    parsed.data
  const fit = resourceFit(resource, asked)
  if (fit === 'other') return { refused: 'its resource is not the one asked for (RFC 9728 §3.3)' }
  const documentation = parsed.data.resource_documentation
  return {
    ok: {
      url,
      resource,
      authorizationServers: authorization_servers,
      scopes: scopes_supported.flatMap((scope) => scope.split(/[\s,]+/)).filter(Boolean),
      bearerInHeader: bearer_methods_supported.includes('header'),
      ...(documentation !== undefined && { documentation: absolute(documentation, url) }),
    },
    warnings:
      fit === 'same' ? [] : [`Metadata is for ${shown(resource)}, asked was ${shown(asked)}.`],
  }
}

/** How the resource that metadata names fits the URL that was asked. */
function resourceFit(resource: string, asked: string): 'same' | 'related' | 'other' {
  if (!URL.canParse(resource) || !URL.canParse(asked)) return 'other'
  const [named, wanted] = [new URL(resource), new URL(asked)]
  if (named.origin !== wanted.origin || named.username || named.hash) return 'other'
  const paths = [named, wanted].map((one) => one.pathname.split('/').filter(Boolean))
  const [short = [], long = []] = paths.toSorted((a, b) => a.length - b.length)
  if (!short.every((segment, index) => segment === long[index])) return 'other'
  return short.length === long.length && named.search === wanted.search ? 'same' : 'related'
}

/** Where the metadata of an issuer may lie: RFC 8414's form first, then OpenID's two. */
export function serverMetadataUrls(issuer: string): string[] {
  if (!URL.canParse(issuer)) return []
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/+$/, '')
  const forms = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
  ]
  return path === '' ? forms : [...forms, `${origin}${path}/.well-known/openid-configuration`]
}

/** Where the metadata of a resource may lie: with its path inserted, then at the root (RFC 9728 §3.1). */
export function resourceMetadataUrlsOf(resource: URL): string[] {
  const path = resource.pathname.replace(/\/+$/, '')
  const root = `${resource.origin}/.well-known/oauth-protected-resource`
  return path === '' ? [root] : [`${root}${path}`, root]
}

/** The issuer or resource that a well-known address belongs to. */
export function ownerOfWellKnown(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { origin, pathname } = new URL(address)
  const at = pathname.indexOf('/.well-known/')
  if (at < 0) return undefined
  const [, ...inserted] = pathname.slice(at + '/.well-known/'.length).split('/')
  const path = `${pathname.slice(0, at)}${inserted.length > 0 ? `/${inserted.join('/')}` : ''}`
  return `${origin}${path}`
}

/**
 * Reads authorization-server metadata and checks whose it is (RFC 8414 §3.3): an `issuer` other than
 * `issuer` is refused, but for the slash of an empty path. Documents without one are taken, since
 * services publish such. Addresses that `check` refuses are left out of `raw`, with a warning.
 */
export function readServerMetadata(
  body: string,
  { url, issuer, check }: { url: string; issuer: string; check: (address: string) => void },
): Reading<ReadServer> {
  const raw = object(body)
  const parsed = serverSchema.safeParse(raw)
  if (!parsed.success || !looksLikeServer(parsed.data)) {
    return { refused: 'no authorization-server metadata' }
  }
  const { data } = parsed
  if (data.issuer !== undefined && !sameIssuer(data.issuer, issuer)) {
    return { refused: 'its issuer is not the one asked for (RFC 8414 §3.3)' }
  }
  const warnings: string[] = []
  const safe = withoutRefused(raw as Record<string, unknown>, check, warnings)
  const skill = data.agent_auth?.skill
  const documentation = data.service_documentation
  return {
    ok: {
      url,
      ...(data.issuer !== undefined && { issuer: data.issuer }),
      raw: safe,
      ...(skill !== undefined && { skill: absolute(skill, url) }),
      ...(documentation !== undefined && { documentation: absolute(documentation, url) }),
    },
    warnings,
  }
}

/** What resource metadata states, as facts. */
export function resourceFacts(metadata: ReadResource): Fact[] {
  const { url, resource, authorizationServers, bearerInHeader } = metadata
  const facts: [FactName, string][] = [
    ['resource', resource],
    ...authorizationServers.map((server): [FactName, string] => ['authorization_server', server]),
    ['prm_url', url],
  ]
  if (bearerInHeader) facts.push(['header_scheme', 'Authorization: Bearer'])
  return facts.map(([name, value]) => ({ name, value, source: { url, kind: 'resource-metadata' } }))
}

/** What server metadata states, as facts; what rests on its `agent_auth` block comes first. */
export function serverFacts({ url, raw }: ServerMetadata): Fact[] {
  const data = serverSchema.parse(raw)
  const agent = data.agent_auth
  const facts: Fact[] = []
  const see = (name: FactName, value: string | undefined, mode?: Mode): void => {
    if (value === undefined) return
    const where = mode === undefined ? value : absolute(value, url)
    const source = { url, kind: 'server-metadata' } as const
    facts.push({ name, value: where, ...(mode && { mode }), source })
  }
  see('as_metadata_url', url)
  see('register_uri', agent?.register_uri, 'programmatic')
  see('register_uri', agent?.identity_endpoint ?? agent?.registration_endpoint, 'programmatic')
  see('claim_uri', agent?.claim_uri ?? agent?.claim_endpoint, 'programmatic')
  see('revocation_uri', agent?.revocation_uri, 'programmatic')
  see('revocation_uri', data.revocation_endpoint, 'programmatic')
  for (const type of agent?.identity_types_supported ?? []) see('identity_type', type)
  for (const type of agent?.supported_identity_types ?? []) see('identity_type', type)
  for (const type of ['anonymous', 'service_auth', 'identity_assertion']) {
    if (facts.some((fact) => fact.name === 'identity_type' && fact.value === type)) {
      see('method', type)
    }
  }
  const grants = data.grant_types_supported
  const granted = (name: string): boolean => grants.some((grant) => grant.endsWith(name))
  if (data.authorization_endpoint && (grants.length === 0 || granted('authorization_code'))) {
    see('method', 'oauth-authcode')
  }
  if (data.registration_endpoint) see('method', 'oauth-dcr')
  if (data.device_authorization_endpoint) see('method', 'device-flow')
  if (granted('client_credentials')) see('method', 'client-credentials')
  return facts
}

function object(body: string): unknown {
  try {
    return parseJson(body)
  } catch (error) {
    if (AuthError.isInstance(error)) return undefined
    throw error
  }
}

function looksLikeServer(data: z.infer<typeof serverSchema>): boolean {
  return [data.issuer, data.agent_auth, data.token_endpoint, data.authorization_endpoint].some(
    (one) => one !== undefined,
  )
}

/** A URL as it may stand in a warning: encoded and short, whatever the service put into it. */
function shown(url: string): string {
  return new URL(url).href.slice(0, 200)
}

function sameIssuer(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return one === other
  return new URL(one).href === new URL(other).href
}

function absolute(address: string, base: string): string {
  if (/^https?:\/\//i.test(address)) return address
  return URL.canParse(address, base) ? new URL(address, base).href : address
}

/** A copy without the addresses that are refused, at the top and in the blocks below. */
function withoutRefused(
  raw: Record<string, unknown>,
  check: (address: string) => void,
  warnings: string[],
  depth = 0,
): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(raw)) {
    if (typeof value === 'string' && /(?:_endpoint|_uri|_url|skill)$/.test(key)) {
      if (URL.canParse(value)) {
        try {
          check(value)
        } catch (error) {
          if (!AuthError.isInstance(error)) throw error
          const name = /^\w{1,60}$/.test(key) ? key : 'an endpoint'
          warnings.push(`Metadata names an address that is refused, ${name}: ${error.code}.`)
          continue
        }
      }
    }
    const block = typeof value === 'object' && value !== null && !Array.isArray(value)
    safe[key] =
      block && depth < 3
        ? withoutRefused(value as Record<string, unknown>, check, warnings, depth + 1)
        : value
  }
  return safe
}
