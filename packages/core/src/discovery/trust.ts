import { isLoopbackHost, registrableDomain } from '../net/url.ts'
import type { ServerMetadata, ServiceProfile } from './profile.ts'

/** An address for programs on the registrable domain of the service, or of a server that speaks for it. */
export function isEndpoint(address: string, home: string): boolean {
  const url = new URL(address)
  if (url.username || url.password || url.hash) return false
  const secure = url.protocol === 'https:' || isLoopbackHost(url.hostname)
  const domain = domainOf(address)
  return secure && domain !== undefined && domain === domainOf(home)
}

/**
 * Whether an authorization server speaks for the service although it is on another registrable domain: the
 * resource's own metadata names it as issuer (RFC 9728 §2), its metadata is that issuer's (RFC 8414 §3.3),
 * and it names the resource in turn. One side alone would let a resource have the credentials of a server
 * that knows nothing of it.
 */
export function speaksFor({ issuer, raw }: ServerMetadata, profile: ServiceProfile): boolean {
  const { resourceMetadata, service, asked } = profile
  if (resourceMetadata === undefined || issuer === undefined) return false
  const { resource, authorizationServers } = resourceMetadata
  const domain = domainOf(resource)
  if (resource !== service || domain === undefined || domain !== domainOf(asked)) return false
  if (!authorizationServers.some((one) => isSame(one, issuer))) return false
  const { protected_resources: resources, resource: restated, agent_auth: block } = raw
  const named = [...(Array.isArray(resources) ? resources : []), restated]
  if (named.some((one) => typeof one === 'string' && isSame(one, resource))) return true
  const skill = typeof block === 'object' && block !== null && 'skill' in block && block.skill
  return typeof skill === 'string' && URL.canParse(skill) && domainOf(skill) === domain
}

function domainOf(address: string): string | undefined {
  const url = URL.parse(address)
  return url === null ? undefined : registrableDomain(url.hostname)
}

/** The same but for the slash of an empty path. */
function isSame(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.parse(one)?.href === URL.parse(other)?.href)
}
