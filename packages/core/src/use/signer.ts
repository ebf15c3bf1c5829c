import { AuthError } from '../errors.ts'
import type { Presentation } from '../methods/method.ts'
import { checkAddress } from '../net/address.ts'
import { exchange } from '../net/exchange.ts'
import { allowLoopback, type NetOptions } from '../net/transport.ts'
import { checkUrl, displayUrl, loopbackPermitted } from '../net/url.ts'
import { basicPair, secretsOf } from '../vault/credential-secrets.ts'
import type { Credential } from '../vault/credentials.ts'
import { Secret } from '../vault/secret.ts'
import { covers } from './audience.ts'
import { canRedact, createRedactor } from './redactor.ts'

const maxHops = 5
const redirects = [301, 302, 303, 307, 308]
/** What may hold a credential of the caller's: ours goes in their place, on every hop. */
const credentialHeaders = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'api-key']
const bodyHeaders = ['content-type', 'content-length', 'content-encoding', 'content-language']

/** What a request is for, and how often it was sent. */
export interface Sending {
  readonly name: string
  sent: number
}

/**
 * Sends a request with a credential. The credential goes nowhere but its audience: with `leave` a
 * redirect out of it is followed by a GET that carries nothing of the caller's but `accept`, and from
 * then on nothing is signed, wherever it leads; without `leave` such a redirect is the answer. So is
 * every redirect of a request that says `redirect: 'manual'`. `proof` goes with the first hop alone; `sending`
 * counts on, for whoever traces.
 *
 * @throws AuthError `outside_audience`, `secret_refused`, `redirect_refused`, or what the transport throws;
 * where surely nothing was sent with `details.sent` false
 */
export async function sendSigned(
  net: NetOptions,
  credential: Credential,
  request: Request,
  leave: boolean,
  proof: Readonly<Record<string, string>> = {},
  sending: Sending = { name: 'use', sent: 0 },
): Promise<Response> {
  const rules = { start: credential.start, loopbackAllowed: net[allowLoopback] === true }
  const address = { loopbackAllowed: loopbackPermitted(rules) }
  let current = request
  let left = false
  for (let hops = 0; ; hops++) {
    const url = unsentOn(hops === 0, () => checkUrl(current.url, rules))
    if (!left && !covers(credential.audience, url)) {
      if (hops === 0) throw unsent('outside_audience', `${displayUrl(url)} ${outside}`)
      left = true
    }
    if (left && !net.transport.pinsAddresses && net.transport.vouched !== true) {
      throw refused(url, 'cannot be checked: this runtime does not see which address is dialled')
    }
    const signed = left ? new Request(current, { redirect: 'manual' }) : sign(current, credential)
    if (hops === 0) unsentOn(true, () => prove(signed, proof))
    const purpose = { name: sending.name, resent: sending.sent++ }
    const shown = hops === 0 ? { ...purpose, path: url.pathname } : purpose
    const response = await exchange(net, signed, (ip) => checkAddress(ip, address), shown)
    // Nobody is shown an address with a credential in it.
    if (signed.url !== current.url) {
      Object.defineProperty(response, 'url', { value: current.url })
    }
    const location = response.headers.get('location')
    if (location === null || !redirects.includes(response.status)) return response
    if (request.redirect === 'manual') return response
    const target = URL.parse(location, url)
    const stays = target !== null && !left && covers(credential.audience, target)
    // What it was sent it may send back: the next hop is given it anew.
    if (stays) for (const name of parametersOf(credential)) dropParameter(target, name)
    if (!stays && !leave) return response
    const method = followedBy(current.method, response.status)
    if (method === undefined && !leave) return response
    await response.body?.cancel()
    if (request.redirect === 'error') throw refused(url, 'redirects, which the caller excluded')
    if (target === null) throw refused(url, 'redirects to no URL')
    if (hops === maxHops) throw refused(url, 'redirects too often')
    if (url.protocol === 'https:' && target.protocol !== 'https:') {
      throw refused(url, `redirects from https to ${target.protocol.slice(0, 32)}`)
    }
    if (holds(target, credential)) {
      throw refused(url, 'redirects with the credential in the address')
    }
    if (method === undefined) throw refused(url, `redirects a ${current.method} with a body`)
    target.hash = ''
    current = redirected(current, checkUrl(target.href, rules), method, stays)
  }
}

/** What was paid is proven once, at the address that asked for it. */
function prove({ headers }: Request, proof: Readonly<Record<string, string>>): void {
  try {
    for (const [name, value] of Object.entries(proof)) headers.set(name, value)
  } catch {
    throw unsent('secret_refused', 'the proof of a payment cannot be sent in a header')
  }
}

const outside = 'is not where this credential may go'

/** The request with the credential where it belongs, and nowhere else. */
function sign(request: Request, credential: Credential): Request {
  const { secret, secrets = {}, handle, state, kind } = credential
  const headers = new Headers(request.headers)
  for (const name of credentialHeaders) headers.delete(name)
  // Nothing is needed: what the caller would be known by is taken out all the same.
  if (kind === 'none' && state !== 'forgotten')
    return new Request(request, { headers, redirect: 'manual' })
  if (secret === undefined) {
    throw unsent('secret_refused', `the credential ${handle} is ${state}`)
  }
  const url = new URL(request.url)
  try {
    present({ url, headers }, credential, secret, secrets)
  } catch {
    // The platform's message quotes the value.
    throw unsent('secret_refused', `the credential ${handle} cannot be sent in a header`)
  }
  const target = url.href === request.url ? request : new Request(url, request)
  return new Request(target, { headers, redirect: 'manual' })
}

/**
 * Puts a credential, and what goes beside it, into the headers and the address of a request: the one place
 * where it is decided how a request is signed. Whatever stood there under the same names is replaced.
 */
export function present(
  { url, headers }: { readonly url: URL; readonly headers: Headers },
  { header, prefix, basic, query, beside = [] }: Presentation,
  secret: Secret,
  secrets: Readonly<Record<string, Secret>>,
): void {
  const put = (where: 'header' | 'query', name: string, value: string): void => {
    if (where === 'header') headers.set(name, value)
    else setParameter(url, name, value)
  }
  if (basic) headers.set('authorization', `Basic ${Secret.open(basicPair(basic, secret))}`)
  else if (query !== undefined) put('query', query, Secret.open(secret))
  else put('header', header, `${prefix}${Secret.open(secret)}`)
  for (const one of beside) {
    const held = 'text' in one ? undefined : secrets[one.secret]
    if ('text' in one) put(one.in, one.name, one.text)
    else if (held) put(one.in, one.name, Secret.open(held))
    else throw new AuthError('method_failed', `${one.secret} is named beside a credential`)
  }
}

/** The parameters of the query that a credential fills. */
export function parametersOf({ query, beside = [] }: Presentation): readonly string[] {
  const more = beside.filter((one) => one.in === 'query').map(({ name }) => name)
  return query === undefined ? more : [query, ...more]
}

/** Appended as it is: to write the others anew could change how the service reads them. */
function setParameter(url: URL, name: string, value: string): void {
  dropParameter(url, name)
  const pair = new URLSearchParams([[name, value]]).toString()
  url.search = url.search === '' ? pair : `${url.search}&${pair}`
}

function dropParameter(url: URL, name: string): void {
  if (url.searchParams.has(name)) url.searchParams.delete(name)
}

function holds(url: URL, credential: Credential): boolean {
  const secrets = secretsOf(credential).filter(canRedact)
  return createRedactor(secrets).redact(url.href).found > 0
}

/** The method of the request that follows, or undefined where its body would have to be sent again. */
function followedBy(method: string, status: number): 'GET' | 'HEAD' | undefined {
  if (method === 'GET' || method === 'HEAD') return method
  const becomesGet = status === 303 || ((status === 301 || status === 302) && method === 'POST')
  return becomesGet ? 'GET' : undefined
}

function redirected(from: Request, target: URL, method: string, stays: boolean): Request {
  const accept = from.headers.get('accept')
  const headers = stays ? new Headers(from.headers) : new Headers(accept ? { accept } : {})
  if (method !== from.method) for (const name of bodyHeaders) headers.delete(name)
  return new Request(target, { method, headers, redirect: 'manual', signal: from.signal })
}

function unsentOn<T>(first: boolean, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!first || !AuthError.isInstance(error)) throw error
    throw unsent(error.code, error.message)
  }
}

function unsent(code: AuthError['code'], message: string): AuthError {
  return new AuthError(code, message, { details: { sent: false } })
}

function refused(url: URL, rule: string): AuthError {
  return new AuthError('redirect_refused', `${url.origin} ${rule}`, { details: { sent: true } })
}
