import { AuthError } from '../errors.ts'
import { isAddress } from '../net/address.ts'
import { registrableDomain } from '../net/url.ts'

/** Where a credential may go: URLs, each meaning its origin and the path segments below its own. */
export interface Audience {
  readonly bases: readonly string[]
}

/**
 * The audience of a credential that an endpoint issued: those of `wanted` on the registrable domain
 * of that endpoint, or its origin where none is.
 */
export function confinedAudience(issuedBy: string, wanted: readonly string[]): Audience {
  const issuer = new URL(issuedBy)
  // Of an address or of localhost each port may be somebody else's.
  const alone = isAddress(issuer.hostname) || issuer.hostname === 'localhost'
  const domain = alone ? undefined : registrableDomain(issuer.hostname)
  const inside = wanted.filter((base) => {
    const url = baseUrl(base)
    if (url === undefined || url.protocol !== issuer.protocol) return false
    return url.origin === issuer.origin || (domain && registrableDomain(url.hostname) === domain)
  })
  return audienceOf(inside.length > 0 ? inside : [issuer.origin])
}

/** An audience as the application states it. Throws `invalid_input` for what is no http(s) URL. */
export function audienceOf(bases: readonly string[]): Audience {
  if (bases.length === 0) throw new AuthError('invalid_input', 'an audience needs at least one URL')
  return { bases: [...new Set(bases.map(normalBase))] }
}

/** Whether the credential may be sent to this URL. */
export function covers(audience: Audience, url: URL): boolean {
  if (url.username || url.password || hidesPath(url.pathname)) return false
  return audience.bases.some((base) => {
    const allowed = new URL(base)
    if (hostOf(allowed) !== hostOf(url) || allowed.protocol !== url.protocol) return false
    const needed = segments(allowed.pathname)
    const given = segments(url.pathname)
    return needed.every((segment, at) => given[at] === segment)
  })
}

const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i

interface Served {
  readonly service: string
  readonly audience: Audience
}

/** Whether a URL, or a host, that somebody asked about means the service of this credential. */
export function sameService(credential: Served, asked: string): boolean {
  const url = askedUrl(asked)
  if (url === null) return false
  const domain = registrableDomain(url.hostname)
  return urlsOf(credential).some(
    (known) =>
      hostOf(known) === hostOf(url) ||
      (domain !== undefined &&
        known.port === url.port &&
        registrableDomain(known.hostname) === domain),
  )
}

/** 0 where the credential is of the very host that was asked about, 1 where it is of a sibling. */
export function hostRank(credential: Served, asked: string): number {
  const url = askedUrl(asked)
  return urlsOf(credential).some((known) => url !== null && hostOf(known) === hostOf(url)) ? 0 : 1
}

function askedUrl(asked: string): URL | null {
  return URL.parse(hasScheme.test(asked) ? asked : `https://${asked}`)
}

function urlsOf({ service, audience }: Served): URL[] {
  return [service, ...audience.bases].flatMap((text) => URL.parse(text) ?? [])
}

/**
 * True for a path that servers read in more than one way: encoded slashes, dots, percent signs or
 * control characters, backslashes, empty segments, path parameters, bytes that are no UTF-8.
 */
export function hidesPath(pathname: string): boolean {
  if (/%2f|%5c|%[01][\da-f]|%7f|%2e|%25|%3b|[\\;]|\/\//i.test(pathname)) return true
  try {
    // Overlong forms of a slash or a dot are no UTF-8; compatibility forms become one in some servers.
    const read = decodeURIComponent(pathname)
    return /[/\\.;%]/.test(read.replace(/[\x20-\x7e]/g, '').normalize('NFKC'))
  } catch {
    return true
  }
}

function segments(pathname: string): string[] {
  return pathname.split('/').filter((segment) => segment !== '')
}

function hostOf(url: URL): string {
  return `${url.hostname.replace(/\.$/, '')}:${url.port}`
}

function baseUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  const usable = url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password
  if (!usable || hidesPath(url.pathname)) return undefined
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  return url
}

function normalBase(text: string): string {
  const url = baseUrl(text)
  if (url === undefined) {
    throw new AuthError('invalid_input', 'an audience is made of http(s) URLs without userinfo')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
