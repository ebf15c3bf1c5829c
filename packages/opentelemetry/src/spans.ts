import type { Operation, OperationEnd } from '@authmd/core'
import {
  type Attributes,
  type SpanOptions as BeginOptions,
  type Context,
  createContextKey,
  type Span,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'

/** What spans say beyond what they always say. */
export interface SpanOptions {
  /** The owner's tenant, as `authmd.tenant`. */
  readonly tenant?: boolean
  /**
   * The path in `url.full`, where core knows that it holds no secret. It may hold what a person is known by:
   * `/v2/users/kim`. Otherwise `REDACTED` stands in its place.
   */
  readonly paths?: boolean
}

export const scope = '@authmd/opentelemetry'

type Request = Extract<Operation, { kind: 'request' }>

const methods = 'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' ')
/** What asks whether something is there is told no without an error. */
const asking = ['discover', 'probe']
/** The SDK's own key, which it shares with no package that has no other use here. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/**
 * The context for what happens inside. Below a request nothing more is recorded or sent along: the instrumentation
 * of an HTTP client would write the whole address down, and a credential can be in its query.
 */
export function insideOf({ kind }: Operation, within: Context): Context {
  return kind === 'request' ? within.setValue(suppressed, true) : within
}

/** Name and options with which a span begins. */
export function beginning(
  operation: Operation,
  options: SpanOptions,
): [name: string, options: BeginOptions] {
  const tenant = (owner: { tenant: string }): Attributes =>
    options.tenant ? { 'authmd.tenant': owner.tenant } : {}
  switch (operation.kind) {
    case 'verb': {
      const { verb, channel, owner } = operation
      const attributes = { 'authmd.verb': verb, 'authmd.channel': channel, ...tenant(owner) }
      return [`authmd ${verb}`, { kind: SpanKind.INTERNAL, attributes }]
    }
    case 'refresh': {
      const { method, service, owner } = operation
      const attributes = { 'authmd.method': method, ...serviceOf(service), ...tenant(owner) }
      return ['authmd refresh', { kind: SpanKind.INTERNAL, attributes }]
    }
    case 'request': {
      const { name, method, origin, path, resent } = operation
      const known = methodOf(operation)
      const attributes = {
        'http.request.method': known,
        ...(known === method ? {} : { 'http.request.method_original': method }),
        ...addressOf(operation),
        'url.full': `${origin}${(options.paths && path) || '/REDACTED'}`,
        ...(resent > 0 ? { 'http.request.resend_count': resent } : {}),
        'authmd.request': name,
      }
      return [known === '_OTHER' ? 'HTTP' : known, { kind: SpanKind.CLIENT, attributes }]
    }
  }
}

/** Writes down what came of it, and ends the span. */
export function finish(span: Span, operation: Operation, end: OperationEnd): void {
  span.setAttributes(resultOf(operation, end))
  if (operation.kind === 'verb') {
    const { service, credential, verdict } = end
    if (service) span.setAttributes(serviceOf(service))
    if (credential) span.setAttribute('authmd.credential', credential)
    if (verdict) span.setAttribute('authmd.verdict', verdict)
  }
  if (errorOf(operation, end) !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

/** What came of it, for a span and a metric alike: few values. */
export function resultOf(operation: Operation, end: OperationEnd): Attributes {
  const { status, httpStatus, code } = end
  const error = errorOf(operation, end)
  const failed = error === undefined ? {} : { 'error.type': error }
  switch (operation.kind) {
    case 'verb': {
      const refusal = status === 'refused' && code ? { 'authmd.refusal': code } : {}
      return { 'authmd.outcome': status, ...refusal, ...failed }
    }
    case 'refresh':
      return { 'authmd.refresh.result': status, ...failed }
    case 'request':
      return { ...(httpStatus ? { 'http.response.status_code': httpStatus } : {}), ...failed }
  }
}

function errorOf(operation: Operation, { status, code, httpStatus = 0 }: OperationEnd) {
  if (status === 'failed') return code === undefined || code === 'unknown' ? '_OTHER' : code
  if (operation.kind !== 'request' || httpStatus < 400) return undefined
  return httpStatus < 500 && asking.includes(operation.name) ? undefined : `${httpStatus}`
}

export function methodOf({ method }: Request): string {
  return methods.includes(method) ? method : '_OTHER'
}

export function addressOf({ origin }: Request): {
  'server.address': string
  'server.port': number
} {
  const { hostname, port, protocol } = new URL(origin)
  return {
    'server.address': hostname.replace(/^\[|\]$/g, ''),
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  }
}

/** A path of it could name somebody. */
function serviceOf(service: string): Attributes {
  const origin = URL.parse(service)?.origin
  return origin === undefined ? {} : { 'authmd.service': origin }
}
