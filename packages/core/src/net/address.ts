import ipaddr from 'ipaddr.js'
import { AuthError } from '../errors.ts'

/** What an address is checked against. */
export interface AddressRules {
  /** Loopback may be dialled: the application allowed it *and* the work started at a loopback URL. */
  readonly loopbackAllowed: boolean
}

const noLoopback: AddressRules = { loopbackAllowed: false }
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]
const wellKnownNat64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96]

/**
 * Passes an IP address of the public internet and refuses every other one: private, link-local,
 * shared, multicast, reserved and documentation ranges, and IPv6 forms that carry such an IPv4
 * address. Takes canonical text only (what a resolver or a parsed URL gives; brackets are allowed).
 *
 * @throws AuthError `address_refused`, naming the rule
 * @example checkAddress('10.0.0.1', { loopbackAllowed: false }) // throws: a private address
 */
export function checkAddress(address: string, rules: AddressRules): void {
  const text = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address
  const rule = brokenRule(text, rules)
  if (rule === undefined) return
  throw new AuthError('address_refused', `address ${text} is refused: ${rule}`, {
    details: { rule },
  })
}

/** True for text that is an IP address, as a resolver or a parsed URL writes one. */
export function isAddress(host: string): boolean {
  if (host.startsWith('[') && host.endsWith(']')) return ipaddr.IPv6.isValid(host.slice(1, -1))
  // Asked of every name: the library throws and catches an error for each that is none.
  if (/^[\d.]+$/.test(host)) return ipaddr.IPv4.isValidFourPartDecimal(host)
  return host.includes(':') && ipaddr.IPv6.isValid(host)
}

/** True for an address of the machine itself: 127/8, ::1, or 127/8 mapped into IPv6. */
export function isLoopbackAddress(host: string): boolean {
  if (!isAddress(host)) return false
  return ipaddr.process(host.replace(/^\[|\]$/g, '')).range() === 'loopback'
}

function brokenRule(text: string, rules: AddressRules): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return brokenV4(ipaddr.IPv4.parse(text), rules)
  if (text.includes('%')) return 'an address with a zone'
  // ipaddr.js reads `::1.2.3.4` as mapped, which it is not: the URL standard's form is unambiguous.
  if (!/^[\da-f:.]*:[\da-f:.]*$/i.test(text) || !URL.canParse(`http://[${text}]`)) {
    return 'not an IP address'
  }
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  return brokenV6(ipaddr.IPv6.parse(canonical), rules)
}

function brokenV4(address: ipaddr.IPv4, rules: AddressRules): string | undefined {
  const range = address.range()
  if (range === 'unicast' || (range === 'loopback' && rules.loopbackAllowed)) return undefined
  return `range ${range}`
}

function brokenV6(address: ipaddr.IPv6, rules: AddressRules): string | undefined {
  const range: string = address.range()
  if (range === 'ipv4Mapped') return brokenEmbedded(v4(address, 6), rules)
  if (range === 'loopback' && rules.loopbackAllowed) return undefined
  // Hosts on IPv6-only networks reach public IPv4 services through this prefix (RFC 6052).
  if (address.match(wellKnownNat64)) return brokenEmbedded(v4(address, 6), noLoopback)
  // Tunnels and local translators lead to whatever they embed, and no public service lives there.
  if (range === '6to4') return `range 6to4, embeds ${v4(address, 1)}`
  if (range === 'teredo') return `range teredo, embeds ${v4(address, 6, 0xffff)}`
  if (range !== 'unicast') return `range ${range}`
  return address.match(globalUnicast) ? undefined : 'outside 2000::/3'
}

function brokenEmbedded(embedded: string, rules: AddressRules): string | undefined {
  const rule = brokenV4(ipaddr.IPv4.parse(embedded), rules)
  return rule && `embeds ${embedded}, ${rule}`
}

/** The IPv4 address held in two 16-bit groups; Teredo stores it inverted. */
function v4(address: ipaddr.IPv6, at: number, mask = 0): string {
  const groups = [address.parts[at] ?? 0, address.parts[at + 1] ?? 0].map((group) => group ^ mask)
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}
