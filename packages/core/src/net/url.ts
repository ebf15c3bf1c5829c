import { getDomain } from 'tldts'
import { AuthError } from '../errors.ts'
import { checkAddress, isAddress, isLoopbackAddress } from './address.ts'

/** Characters of a URL that we are willing to look at. */
const maxUrlLength = 4096

/** Names that only a local network can answer. */
const localSuffixes = ['local', 'internal', 'intranet', 'lan', 'private', 'corp', 'home', 'arpa']

/**
 * Ports above 1023 where something other than HTTP is known to listen (browsers' blocked ports and
 * the usual databases, queues and control planes). Below 1024 only the scheme's own port is allowed.
 */
const unsafePorts = new Set(
  [
    [1080, 1433, 1434, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380],
    [3128, 3268, 3269, 3306, 3389, 3659, 4045, 4190, 4222, 5060, 5061, 5432, 5433, 5671, 5672],
    [5900, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679],
    [6697, 7000, 7001, 8086, 8500, 9042, 9092, 9200, 9300, 10080, 10250, 10255, 11211, 26379],
    [27017, 27018, 27019, 50000],
  ].flat(),
)

/** What a URL is checked against. */
export interface UrlRules {
  /** The URL at which all this started, as the application or the model named it. */
  readonly start: string
  /** The application set `[allowLoopback]`. */
  readonly loopbackAllowed: boolean
}

/**
 * Parses a URL by the URL standard and refuses what we never talk to: a scheme other than https,
 * credentials in the URL, ports that are not for HTTP, names of local networks, addresses that are
 * not public. A final dot of the host is dropped. Loopback (any port, http too) passes where
 * {@link loopbackPermitted} says so. What a name resolves to is checked later, by the transport.
 *
 * @throws AuthError `invalid_url` for text, scheme or userinfo; `address_refused` for where it leads
 * @example checkUrl('https://svc.test./a', { start: 'https://svc.test', loopbackAllowed: false }).href // https://svc.test/a
 */
export function checkUrl(text: string, rules: UrlRules): URL {
  if (typeof text !== 'string' || text === '') throw invalid('a URL must be a non-empty text')
  if (text.length > maxUrlLength) throw invalid(`a URL of more than ${maxUrlLength} characters`)
  const url = parse(text)
  if (url === undefined) throw invalid('not an absolute URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalid(`scheme ${url.protocol.slice(0, 32)} is not https`)
  }
  if (url.username !== '' || url.password !== '')
    throw invalid('a URL must not hold a user or password')
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  if (!url.hostname.startsWith('[') && url.hostname.split('.').includes('')) {
    throw invalid('host name has an empty label')
  }
  checkHost(url, loopbackPermitted(rules))
  return url
}

function checkHost(url: URL, loopback: boolean): void {
  const host = url.hostname
  if (isAddress(host)) checkAddress(host, { loopbackAllowed: loopback })
  if (isLoopbackHost(host)) {
    if (loopback) return
    throw refused(host, 'loopback')
  }
  if (!isAddress(host)) {
    if (!host.includes('.')) throw refused(host, 'a name of one label is not public')
    const last = host.slice(host.lastIndexOf('.') + 1)
    if (localSuffixes.includes(last)) throw refused(host, `names under .${last} are not public`)
  }
  if (url.protocol !== 'https:') throw invalid('scheme http: is not https')
  const port = url.port === '' ? 443 : Number(url.port)
  if ((port < 1024 && port !== 443) || unsafePorts.has(port)) {
    throw refused(host, `port ${port} is not for HTTP`)
  }
}

/** Whether loopback may be spoken to: the application allowed it and the start is loopback itself. */
export function loopbackPermitted(rules: UrlRules): boolean {
  if (!rules.loopbackAllowed) return false
  const start = parse(rules.start)
  return start !== undefined && isLoopbackHost(start.hostname.replace(/\.$/, ''))
}

/** True for `localhost`, names under `.localhost`, 127/8 and `::1`. Takes `URL.hostname`. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isLoopbackAddress(host)
}

/**
 * The part of a host that one owner registers, by the Public Suffix List with its private suffixes:
 * `api.svc.co.uk` → `svc.co.uk`, `me.vercel.app` → itself. An address stands for itself; names under
 * `.localhost` count as if it were a suffix. `undefined` for a public suffix or a single label.
 */
export function registrableDomain(host: string): string | undefined {
  if (isAddress(host) || host === 'localhost') return host
  if (host.endsWith('.localhost')) return host.split('.').slice(-2).join('.')
  return getDomain(host, { allowPrivateDomains: true }) ?? undefined
}

/** True where scheme, host and port are the same; a final dot of the host does not count. */
export function sameOrigin(one: URL, other: URL): boolean {
  return originOf(one) === originOf(other)
}

/** Host and port as a person should see them: look-alike letters stay punycode. */
export function displayHost(url: URL): string {
  return url.host
}

/** Origin and path, all of a URL that may stand in a message: a query can hold a token. */
export function displayUrl(url: URL): string {
  return `${url.origin}${url.pathname}`
}

function originOf(url: URL): string {
  return `${url.protocol}//${url.hostname.replace(/\.$/, '')}:${url.port}`
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function invalid(rule: string): AuthError {
  return new AuthError('invalid_url', `URL refused: ${rule}`, { details: { rule } })
}

function refused(host: string, rule: string): AuthError {
  return new AuthError('address_refused', `host ${host} is refused: ${rule}`, { details: { rule } })
}
