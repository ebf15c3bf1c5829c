import { z } from 'zod'
import { AuthError } from './errors.ts'
import type { UseInput as UseRequest } from './use/request.ts'

/** Letters, digits, `_` and `-`: the form of every id and handle of ours. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'not an id of ours')
const service = z.string().min(1).max(200)

export interface DiscoverInput {
  /** A URL of the service, or nothing for all that is held. */
  readonly service?: string | undefined
}
export const discoverInput: z.ZodType<DiscoverInput> = z.strictObject({
  service: service.optional(),
})

export interface RegisterInput {
  readonly service: string
  /** The method of one of the offers; the best one where it is left out. */
  readonly method?: string | undefined
  /** Goes on with this registration. */
  readonly registration?: string | undefined
  /** The answer to the service's puzzle, one line. */
  readonly answer?: string | undefined
  /** A proposal where the application named no address; the person who consents sees it. */
  readonly email?: string | undefined
}
export const registerInput: z.ZodType<RegisterInput> = z.strictObject({
  service,
  method: z.string().max(60).optional(),
  registration: id.optional(),
  answer: z.string().max(1024).optional(),
  email: z.email().max(254).optional(),
})

export interface ClaimInput {
  readonly registration: string
  /** A code that a person read out, where the application lets codes pass through the model. */
  readonly code?: string | undefined
}
export const claimInput: z.ZodType<ClaimInput> = z.strictObject({
  registration: id,
  code: z.string().min(1).max(40).optional(),
})

export interface UseInput extends UseRequest {}
export const useInput: z.ZodType<UseInput> = z
  .strictObject({
    service: service.optional(),
    credential: id.optional(),
    method: z.string().max(10).optional(),
    path: z.string().min(1).max(2048),
    query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    json: z.json().optional(),
  })
  .refine((input) => input.service !== undefined || input.credential !== undefined, {
    message: 'name the service or the credential',
  })

export interface RevokeInput {
  readonly credential: string
  /** Make a new one first and keep the old one until that works. */
  readonly replace?: boolean | undefined
}
export const revokeInput: z.ZodType<RevokeInput> = z.strictObject({
  credential: id,
  replace: z.boolean().optional(),
})

export interface ImportInput {
  /** A URL of the service. */
  readonly service: string
  readonly secret: string
  /** Where it may be sent: URLs, each with the path segments below it. */
  readonly audience: string | readonly string[]
  /** Another header than `Authorization: Bearer`. */
  readonly header?: { readonly name: string; readonly prefix?: string | undefined } | undefined
  /**
   * HTTP Basic (RFC 7617) instead: the secret is the password of `user`, or without one the user name
   * itself, beside an empty password.
   */
  readonly basic?: { readonly user?: string | undefined } | undefined
  /**
   * A parameter of the query instead, for a service that takes its key nowhere else. Whoever sees an
   * address sees the key then: the service's own logs, and an instrumentation of this process's HTTP client.
   */
  readonly query?: string | undefined
  /** What each request carries beside it: an id as it is, or another secret. */
  readonly beside?: readonly BesideInput[] | undefined
  /** A harmless GET that needs the credential, for the check at revocation. */
  readonly probe?: string | undefined
  /** The page where a person deletes it. */
  readonly revocation?: string | undefined
}
/** A further value of each request, in a header or in the query. */
interface BesideInput {
  readonly header?: string | undefined
  readonly query?: string | undefined
  /** Not a secret: an id, a mail address. */
  readonly text?: string | undefined
  readonly secret?: string | undefined
}
/** Headers that say something else, or that the connection sets by itself. */
const connectionHeaders =
  `accept accept-encoding accept-language connection content-encoding content-length content-type date
  expect host keep-alive origin proxy-authorization proxy-connection referer te trailer transfer-encoding
  upgrade user-agent via`.split(/\s+/)
const webUrl = z.url({ protocol: /^https?$/ }).max(2048)
const printable = z.string().regex(/^[\x20-\x7e]*$/, 'not printable ASCII')
/** RFC 7617: a colon would end it. */
const userName = printable.max(200).regex(/^[^:]*$/, 'a user name has no colon')
const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'not a header name')
  .refine((name) => !connectionHeaders.includes(name.toLowerCase()), 'not for credentials')
const parameterName = z.string().regex(/^[\w.[\]-]{1,64}$/, 'not a parameter of a query')
const oneOf = (value: object, ...names: readonly string[]) =>
  names.filter((name) => value[name as keyof typeof value] !== undefined).length === 1
const beside: z.ZodType<BesideInput> = z
  .strictObject({
    header: headerName.optional(),
    query: parameterName.optional(),
    text: printable.min(1).max(500).optional(),
    secret: z.string().optional(),
  })
  .refine((one) => oneOf(one, 'header', 'query'), 'in a header or in the query')
  .refine((one) => oneOf(one, 'text', 'secret'), 'a text or a secret')
export const importInput: z.ZodType<ImportInput> = z
  .strictObject({
    service: webUrl,
    secret: z.string(),
    audience: z.union([webUrl, z.array(webUrl).min(1).max(20)]),
    header: z.strictObject({ name: headerName, prefix: printable.max(40).optional() }).optional(),
    basic: z.strictObject({ user: userName.optional() }).optional(),
    query: parameterName.optional(),
    beside: z.array(beside).min(1).max(5).optional(),
    probe: webUrl.optional(),
    revocation: webUrl.optional(),
  })
  .refine(
    ({ header, basic, query }) => [header, basic, query].filter(Boolean).length <= 1,
    'one of header, basic and query',
  )

/** Checks input from outside. The message names the fields, never their values. */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.slice(0, 5).map((issue) => {
    const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
    return `${where}${issue.message}`
  })
  throw new AuthError('invalid_input', faults.join('; '))
}

/** The URL of a service as it was asked for: https unless a scheme is given, no query, no fragment. */
export function serviceUrl(asked: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(asked) ? asked : `https://${asked}`
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AuthError('invalid_url', 'a service is named by an http(s) URL')
  }
  if (url.username || url.password) {
    throw new AuthError('invalid_url', 'a URL with a user name or a password is not looked at')
  }
  url.search = ''
  url.hash = ''
  return url.pathname === '/' ? url.origin : url.href.replace(/\/+$/, '')
}

/**
 * A credential as it may be sent in a header after `prefix`: one line of visible ASCII, at least 8 of
 * them, cleaned of what was surely pasted along with it. Throws `secret_refused`, never quoting it.
 */
export function cleanSecret(pasted: string, prefix: string): string {
  const refuse = (why: string) => new AuthError('secret_refused', `this is no credential: ${why}`)
  let text = unquoted(pasted.trim())
  if (/^curl\b/i.test(text)) throw refuse('it is a whole command; paste the key alone')
  const scheme = prefix.trim()
  const header = /^authorization\s*:\s*/i.exec(text)?.[0].length ?? 0
  if (scheme !== '' && text.slice(header).toLowerCase().startsWith(`${scheme.toLowerCase()} `)) {
    text = unquoted(text.slice(header + scheme.length).trim())
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw refuse('it is a URL')
  if (/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(text)) throw refuse('it is an e-mail address')
  if (/\*{3}|\.{3}|[•…]/.test(text) || /^[[<{$].*[\]>}]$/.test(text)) {
    throw refuse('it is masked or a placeholder')
  }
  if (text.length < 8 || text.length > 8192 || !/^[\x21-\x7e]+$/.test(text)) {
    throw refuse('it must be one line of 8 to 8192 visible ASCII characters without spaces')
  }
  return text
}

function unquoted(text: string): string {
  const [, inner] = /^(["'`])([^"'`]*)\1$/.exec(text)?.slice(1) ?? []
  return inner === undefined ? text : inner.trim()
}

/** What is wrong with the model's answer to a puzzle; undefined where nothing. */
export function answerFault(
  answer: string,
  accept: 'number' | 'text',
  redactor: { redact(text: string): { found: number } },
): string | undefined {
  const text = answer.trim()
  if (text === '' || text.length > 256 || /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text)) {
    return 'The answer must be one line of 1 to 256 characters.'
  }
  if (accept === 'number' && !/^[+-]?\d+(\.\d+)?$/.test(text)) {
    return 'The answer must be a number and nothing else.'
  }
  if (/:\/\/|\bwww\.|\S@\S+\.\S/i.test(text)) {
    return 'The answer must hold neither a URL nor an address.'
  }
  return redactor.redact(text).found > 0 ? 'The answer holds a secret of the vault.' : undefined
}
