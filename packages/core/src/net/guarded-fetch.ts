import { AuthError } from '../errors.ts'
import { orAborted } from './abort.ts'
import { checkAddress } from './address.ts'
import { exchange, type Purpose } from './exchange.ts'
import { decodeText, readBody } from './read-body.ts'
import type {
  GuardedAnswer,
  GuardedFetch,
  GuardedRequest,
  Hop,
  NetLimits,
  NetOptions,
} from './transport.ts'
import { allowLoopback } from './transport.ts'
import type { UrlRules } from './url.ts'
import { checkUrl, displayUrl, loopbackPermitted, sameOrigin } from './url.ts'

const redirectStatuses = [301, 302, 303, 307, 308]
/** How long a transport may take to say, after an abort, whether anything had been sent. */
const abortGraceMs = 50

/** One request of the chain that a redirect makes. */
interface Step {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** What is known of the exchange when it fails. */
interface Progress {
  url?: URL
  sent: boolean
}

/**
 * The one way in which core talks to a service on its own behalf: URL, address and every redirect
 * checked, body read to its end within the limits.
 *
 * @example
 * ```ts
 * const guarded = createGuardedFetch({ transport: nodeTransport() })
 * const answer = await guarded({ url, start: url, redirects: 'checked' })
 * ```
 */
export function createGuardedFetch(options: NetOptions): GuardedFetch {
  return async (request) => {
    const limits = mergeLimits(options.limits, request.limits)
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), limits.timeoutMs)
    const signal = request.signal
      ? AbortSignal.any([deadline.signal, request.signal])
      : deadline.signal
    const progress: Progress = { sent: false }
    try {
      return await follow(options, request, limits, signal, progress)
    } catch (error) {
      const timedOut = deadline.signal.aborted && request.signal?.aborted !== true
      throw explain(error, progress, request.signal, timedOut ? limits.timeoutMs : undefined)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function follow(
  options: NetOptions,
  request: GuardedRequest,
  limits: NetLimits,
  signal: AbortSignal,
  progress: Progress,
): Promise<GuardedAnswer> {
  const rules: UrlRules = { start: request.start, loopbackAllowed: options[allowLoopback] === true }
  const hops: Hop[] = []
  const seen = new Set<string>()
  let step: Step = {
    url: checkUrl(request.url, rules),
    method: (request.method ?? 'GET').toUpperCase(),
    headers: request.headers ?? {},
    body: request.body,
  }
  for (;;) {
    progress.url = step.url
    seen.add(`${step.method} ${step.url.href}`)
    const { name, resent = 0 } = request
    const shown = name === undefined && hops.length === 0 ? { path: step.url.pathname } : {}
    const purpose = { name: name ?? 'discover', resent: resent + hops.length, ...shown }
    const response = await send(options, step, rules, signal, progress, purpose)
    const location = response.headers.get('location')
    const redirected = location !== null && redirectStatuses.includes(response.status)
    if (!redirected || request.redirects === 'none') {
      const bytes = await readBody(response, limits.maxBytes, signal)
      return answerOf(step.url, response, bytes, hops)
    }
    response.body?.cancel().catch(() => {})
    hops.push({ url: step.url.href, status: response.status })
    if (hops.length > limits.maxHops) {
      throw redirectRefused(step.url, `more than ${limits.maxHops} redirects`)
    }
    step = redirect(step, response.status, location, rules, request.redirects ?? 'same-origin')
    if (seen.has(`${step.method} ${step.url.href}`)) throw redirectRefused(step.url, 'a loop')
  }
}

async function send(
  net: NetOptions,
  step: Step,
  rules: UrlRules,
  signal: AbortSignal,
  progress: Progress,
  purpose: Purpose,
): Promise<Response> {
  const { transport } = net
  if (!transport.pinsAddresses && transport.vouched !== true) {
    if (!URL.canParse(rules.start) || !sameOrigin(step.url, new URL(rules.start))) {
      throw new AuthError(
        'address_refused',
        `${step.url.origin} is refused: this runtime cannot check addresses, and nobody vouched for its fetch`,
      )
    }
  }
  const loopbackAllowed = loopbackPermitted(rules)
  const request = toRequest(step, signal)
  try {
    const check = (address: string) => checkAddress(address, { loopbackAllowed })
    const answer = exchange(net, request, check, purpose)
    const response = await orAborted(signal, answer, abortGraceMs)
    progress.sent = true
    return response
  } catch (error) {
    if (!AuthError.isInstance(error) || error.details.sent !== false) progress.sent = true
    throw error
  }
}

function toRequest(step: Step, signal: AbortSignal): Request {
  try {
    return new Request(step.url, {
      method: step.method,
      headers: { ...step.headers },
      body: step.body ?? null,
      redirect: 'manual',
      signal,
    })
  } catch {
    // The platform's message quotes the header, which can be a credential.
    throw new AuthError('invalid_input', 'method, headers or body cannot be sent')
  }
}

/** The request that a redirect asks for, or a refusal. Methods change as the fetch standard has it. */
function redirect(
  from: Step,
  status: number,
  location: string,
  rules: UrlRules,
  mode: 'same-origin' | 'checked',
): Step {
  const url = checkTarget(from.url, location, rules)
  const becomesGet =
    status === 303
      ? from.method !== 'GET' && from.method !== 'HEAD'
      : (status === 301 || status === 302) && from.method === 'POST'
  const method = becomesGet ? 'GET' : from.method
  const body = becomesGet ? undefined : from.body
  if (sameOrigin(from.url, url)) {
    return {
      url,
      method,
      body,
      headers: becomesGet ? withoutBodyHeaders(from.headers) : from.headers,
    }
  }
  if (mode === 'same-origin') throw redirectRefused(from.url, `to another origin, ${url.origin}`)
  if (body !== undefined) throw redirectRefused(from.url, 'a body must not leave its origin')
  return { url, method, body, headers: keep(from.headers, (name) => name === 'accept') }
}

function checkTarget(from: URL, location: string, rules: UrlRules): URL {
  if (!URL.canParse(location, from)) throw redirectRefused(from, 'its target is not a URL')
  const target = new URL(location, from)
  target.hash = ''
  let url: URL
  try {
    url = checkUrl(target.href, rules)
  } catch (error) {
    if (!AuthError.isInstance(error)) throw error
    if (error.code === 'invalid_url') throw redirectRefused(from, error.message)
    throw new AuthError(error.code, `redirect from ${displayUrl(from)}: ${error.message}`, {
      details: error.details,
    })
  }
  if (from.protocol === 'https:' && url.protocol !== 'https:') {
    throw redirectRefused(from, 'from https to http')
  }
  return url
}

function withoutBodyHeaders(headers: Step['headers']): Step['headers'] {
  return keep(headers, (name) => !name.startsWith('content-'))
}

function keep(headers: Step['headers'], wanted: (name: string) => boolean): Step['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => wanted(name.toLowerCase())))
}

function answerOf(
  url: URL,
  response: Response,
  bytes: Uint8Array,
  hops: readonly Hop[],
): GuardedAnswer {
  const type = response.headers.get('content-type') ?? ''
  return {
    url: url.href,
    status: response.status,
    headers: response.headers,
    mediaType: (type.split(';', 1)[0] ?? '').trim().toLowerCase(),
    text: decodeText(bytes),
    hops,
  }
}

function mergeLimits(...given: readonly (Partial<NetLimits> | undefined)[]): NetLimits {
  const last = (name: keyof NetLimits, fallback: number): number =>
    given.map((limits) => limits?.[name]).findLast((value) => value !== undefined) ?? fallback
  return {
    maxBytes: last('maxBytes', 1024 * 1024),
    timeoutMs: last('timeoutMs', 10_000),
    maxHops: last('maxHops', 5),
  }
}

function redirectRefused(from: URL, rule: string): AuthError {
  return new AuthError('redirect_refused', `redirect from ${displayUrl(from)} refused: ${rule}`)
}

/** Any failure as the `AuthError` that the caller is promised. */
function explain(
  error: unknown,
  { url, sent }: Progress,
  callerSignal: AbortSignal | undefined,
  timedOutMs: number | undefined,
): AuthError {
  const known = AuthError.isInstance(error) ? error : undefined
  const where = url === undefined ? 'the service' : displayUrl(url)
  const details = { ...known?.details, sent }
  if (known !== undefined && known.code !== 'aborted' && known.code !== 'network_failed') {
    return new AuthError(known.code, known.message, { cause: known.cause, details })
  }
  if (callerSignal?.aborted === true) {
    return new AuthError('aborted', `request to ${where} was aborted`, {
      cause: callerSignal.reason,
      details,
    })
  }
  if (timedOutMs !== undefined) {
    return new AuthError('response_timeout', `no whole answer from ${where} in ${timedOutMs} ms`, {
      details: { ...details, timeoutMs: timedOutMs },
    })
  }
  if (known !== undefined) {
    return new AuthError(known.code, known.message, { cause: known.cause, details })
  }
  if (isProtocolError(error)) {
    return new AuthError('response_malformed', `answer of ${where} breaks the protocol`, {
      cause: error,
      details,
    })
  }
  return new AuthError('network_failed', `request to ${where} failed`, { cause: error, details })
}

/** Broken compression (`Z_…`) or broken HTTP (`HPE_…`), as Node.js and its like name them. */
function isProtocolError(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } }
  return [code, cause?.code].some((name) => typeof name === 'string' && /^(Z|HPE)_/.test(name))
}
