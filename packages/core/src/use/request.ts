import type { Action, Effect } from '../consent/action.ts'
import { makeAction } from '../consent/action.ts'
import { sha256 } from '../encoding.ts'
import type { Owner } from '../owner.ts'
import type { Credential } from '../vault/credentials.ts'
import { covers, hidesPath } from './audience.ts'
import { redactionText } from './redactor.ts'
import { parametersOf } from './signer.ts'

/** What `use` is asked to send. */
export interface UseInput {
  readonly service?: string | undefined
  /** A handle, where one service has several credentials. */
  readonly credential?: string | undefined
  /** GET where it is left out. */
  readonly method?: string | undefined
  /** The whole path from the root, below the credential's audience: `/v2/things`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A JSON body. */
  readonly json?: unknown
}

/** A request that may be sent with the credential, once its effects are consented to. */
export interface PreparedUse {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly effects: readonly Effect[]
}

/** Why `use` refuses to send something, in words that a model can act on. */
export interface UseRefusal {
  readonly code: 'outside_audience' | 'request_refused'
  readonly reason: string
}

const safeMethods = ['GET', 'HEAD']
const methods = [...safeMethods, 'POST', 'PUT', 'PATCH', 'DELETE']
const allowedHeaders = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'prefer',
]
/** Characters of a body that may be sent. */
export const maxBody: number = 256 * 1024
/** Characters of a body that a person is shown who decides about it. */
const shownBody = 2_000
/** A place left open for a secret, in one of the usual notations. Other templates are the service's. */
const placeholder =
  /(?:\{\{|\$\{)[^{}]{0,40}(?:secret|token|api.?key|credential|password|bearer|vault|cred_)[^{}]{0,40}\}/i

/**
 * Resolves what the model asked for against the credential's audience and checks it: the resolved URL
 * is compared by path segments, headers are those of a list, a body is JSON. Sends nothing.
 */
export async function prepareUse(
  input: UseInput,
  credential: Credential,
  holdsSecret: (text: string) => boolean,
): Promise<PreparedUse | UseRefusal> {
  const method = (input.method ?? 'GET').toUpperCase()
  if (!methods.includes(method)) return refuse(`the method must be one of ${methods.join(', ')}`)
  const url = resolve(input, credential)
  if ('code' in url) return url
  const headers: Record<string, string> = { accept: 'application/json' }
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    const key = name.toLowerCase()
    if (!allowedHeaders.includes(key)) {
      return refuse(
        `the header ${name.slice(0, 60)} may not be set; allowed: ${allowedHeaders.join(', ')}`,
      )
    }
    if (value.length > 1024 || !/^[\t\x20-\x7e]*$/.test(value)) {
      return refuse(`the header ${key} must be one line of at most 1024 printable characters`)
    }
    headers[key] = value
  }
  const body = input.json === undefined ? undefined : visibleJson(input.json)
  if (body !== undefined) {
    if (safeMethods.includes(method)) return refuse(`${method} takes no body`)
    if (body.length > maxBody) return refuse(`the body is above ${maxBody} characters`)
    if (overridesMethod(input.json)) return refuse('"_method" may not be set')
    headers['content-type'] ??= 'application/json'
  }
  const said = [decodeURIComponentSafely(url.href), body ?? '', ...Object.values(headers)].join(
    '\n',
  )
  const fault = secretFault(said, holdsSecret)
  if (fault) return refuse(fault)
  const effects = safeMethods.includes(method) ? [] : [await unsafe(method, url.href, body)]
  return { url, method, headers, ...(body === undefined ? {} : { body }), effects }
}

/** Why a text must not be sent: it holds a secret of the vault, or a place that is left open for one. */
export function secretFault(
  said: string,
  holdsSecret: (text: string) => boolean,
): string | undefined {
  if (holdsSecret(said)) return 'it holds a secret of the vault; the credential is added by itself'
  if (said.includes(redactionText) || placeholder.test(said)) {
    return 'placeholders for secrets are not filled in; the credential is added by itself'
  }
  return undefined
}

/** Whether the path lies below the credential's audience. */
export function reaches(credential: Credential, input: UseInput): boolean {
  return !('code' in resolve(input, credential))
}

/** The action of a prepared use; of one that binds nobody, for a policy that has a word on it. */
export function useAction(
  owner: Owner,
  credential: Credential,
  { effects: binding, method, url }: PreparedUse,
): Promise<Action> {
  const { service, revision } = credential
  const safe = { kind: 'safe-request', method, url: url.href } as const
  const effects = binding.length > 0 ? binding : [safe]
  return makeAction({ verb: 'use', owner, service, revision, effects })
}

async function unsafe(method: string, url: string, body: string | undefined): Promise<Effect> {
  return {
    kind: 'unsafe-request',
    method,
    url,
    ...(body === undefined ? {} : { bodyHash: await sha256(body), body: shown(body) }),
  }
}

/** A body as a person is shown it. */
export function shown(body: string): string {
  if (body.length <= shownBody) return body
  return `${body.slice(0, shownBody)} … (cut here, ${body.length} characters in all)`
}

/** JSON in which nothing is hidden: what a person could not see is written as an escape. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{DI}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from({ length: char.length }, (_, at) => {
      return `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
    }).join(''),
  )
}

/** Some servers read another method out of a parameter of this name. */
function overridesMethod(names: unknown): boolean {
  if (typeof names !== 'object' || names === null) return false
  return Object.keys(names).some((name) => name.toLowerCase() === '_method')
}

function resolve({ path, query }: UseInput, credential: Credential): URL | UseRefusal {
  const { audience } = credential
  const where = `the path must be below ${audience.bases.join(' or ')}, written from the root`
  // The URL parser drops tabs and line ends wherever they stand.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (!/^\/(?![/\\])/.test(path) || /[\0-\x1f\x7f]/.test(path)) return outside(where)
  // Checked as it was written: the URL parser resolves dots before anybody can see them.
  const [before = ''] = path.split('?', 1)
  if (hidesPath(before) || before.split('/').includes('..')) {
    return outside(`${where}, without encoded slashes or dots, "//", ";" or ".."`)
  }
  for (const base of audience.bases) {
    const url = URL.parse(path, base)
    if (url === null) continue
    url.hash = ''
    for (const [name, value] of Object.entries(query ?? {}))
      url.searchParams.append(name, String(value))
    if (overridesMethod(Object.fromEntries(url.searchParams))) {
      return refuse('"_method" may not be set')
    }
    const taken = parametersOf(credential).find((name) => url.searchParams.has(name))
    if (taken !== undefined) {
      return refuse(`the parameter ${taken} is not to be set; the credential is added by itself`)
    }
    if (covers(audience, url)) return url
  }
  return outside(where)
}

function decodeURIComponentSafely(text: string): string {
  try {
    return `${text}\n${decodeURIComponent(text)}`
  } catch {
    return text
  }
}

function refuse(reason: string): UseRefusal {
  return { code: 'request_refused', reason }
}

function outside(reason: string): UseRefusal {
  return { code: 'outside_audience', reason }
}
