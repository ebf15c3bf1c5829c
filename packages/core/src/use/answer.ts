import { z } from 'zod'
import { parseChallenges } from '../discovery/challenge.ts'
import { scopesOf } from '../methods/token-answer.ts'
import { parseJson } from '../net/json.ts'
import { decodeText, readStart } from '../net/read-body.ts'
import type { ServiceError } from '../outcome.ts'
import { distinct } from '../vault/credential-secrets.ts'
import type { Secret } from '../vault/secret.ts'
import {
  createRedactor,
  hiddenText,
  type Redactor,
  redactionText,
  redactUnseen,
  type UnseenSecret,
} from './redactor.ts'

const shownHeaders =
  'content-type etag link location retry-after www-authenticate x-request-id'.split(' ')
const maxBytes = 1024 * 1024
/** New secrets of one answer that are kept; the others are only taken out. */
const maxKept = 20
const binary =
  /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|pdf|zip|gzip|wasm|x-tar)\b/i

/** An answer read to its end, with every secret taken out. Not cut yet. */
export interface CleanAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** How many places were replaced. */
  readonly redacted: number
  /** Secrets that nobody knew before, each once: to be kept, for the text says that they are. */
  readonly unseen: readonly UnseenSecret[]
  /** The body was longer than what was read of it. */
  readonly truncated: boolean
}

/**
 * Reads an answer, at most 1 MiB of it, and takes the secrets out of all that could be shown: those
 * that are known, and those that only their field or form gives away, wherever else they stand. New ones
 * are to be kept unless the answer is a refusal, which may quote anything.
 */
export async function cleanAnswer(
  response: Response,
  redactor: Redactor,
  signal: AbortSignal,
): Promise<CleanAnswer> {
  const { bytes, truncated } = await readStart(response, maxBytes, signal)
  const type = response.headers.get('content-type') ?? ''
  const headers = shownHeaders.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  const parts = [bodyText(bytes, type), ...headers.map(([, value]) => value)]
  const { texts, redacted, unseen } = withoutSecrets(parts, redactor, response.status < 400)
  const [text = '', ...values] = texts
  return {
    status: response.status,
    headers: Object.fromEntries(
      headers.map(([name], at) => [name, (values[at] ?? '').slice(0, 1024)]),
    ),
    text,
    redacted,
    unseen,
    truncated,
  }
}

function bodyText(bytes: Uint8Array, type: string): string {
  const [first = 0, second = 0] = bytes
  const utf16 = first + second === 0xff + 0xfe && first >= 0xfe
  if (binary.test(type) || (!utf16 && bytes.subarray(0, 4096).includes(0))) {
    return bytes.length === 0 ? '' : `[binary, ${bytes.length} bytes, not shown]`
  }
  return decodeText(bytes)
}

/**
 * Texts of one answer without its secrets: those that are known, and those that nobody knew before.
 * With `keep` the first of the new ones are returned, for the vault, and the text says so of them.
 */
export function withoutSecrets(
  texts: readonly string[],
  redactor: Redactor,
  keep: boolean,
): { texts: readonly string[]; redacted: number; unseen: readonly UnseenSecret[] } {
  let redacted = 0
  const take = (text: string, by: Redactor): string => {
    const clean = by.redact(text)
    redacted += clean.found
    return clean.text
  }
  const kept = new Set<string>()
  const mark = (secret: string | undefined): string => {
    redacted++
    if (secret === undefined || !keep) return hiddenText
    if (kept.size < maxKept) kept.add(secret)
    return kept.has(secret) ? redactionText : hiddenText
  }
  const found = texts.map((text) => redactUnseen(take(text, redactor), mark))
  const unseen = distinct(found.flatMap((one) => one.secrets))
  const held = keep ? unseen.slice(0, maxKept) : []
  // A field gives a secret away; the same value may stand in other places that do not.
  const rest = [createRedactor(secretsOf(held)), createRedactor(secretsOf(unseen), hiddenText)]
  const clean = found.map((one) => rest.reduce(take, one.text))
  return { texts: clean, redacted, unseen: held }
}

function secretsOf(unseen: readonly UnseenSecret[]): readonly Secret[] {
  return unseen.map((one) => one.secret)
}

const text = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined)
const entry = z.object({
  code: text,
  type: text,
  title: text,
  detail: text,
  message: text,
  error_description: text,
})
const shapes = z.looseObject({
  errors: z.array(z.unknown()).optional().catch(undefined),
  error: z
    .union([z.string(), z.looseObject({})])
    .optional()
    .catch(undefined),
})

/**
 * The errors of a body, in whichever of the usual envelopes, whatever its media type: `errors[]` with
 * code, title and detail; `error` with a description (RFC 6749 §5.2) or as an object; problem details
 * (RFC 9457); `message`. Other text that is not a page is quoted.
 */
export function errorsOf(body: string): readonly ServiceError[] {
  const quoted = body.trim() === '' || body.trimStart().startsWith('<') ? [] : [{ detail: body }]
  let json: unknown
  try {
    json = parseJson(body)
  } catch {
    return quoted.map(cut)
  }
  const known = shapes.safeParse(json).data
  if (known === undefined) return quoted.map(cut)
  const { errors = [], error } = known
  const found = errors.slice(0, 100).flatMap((one) => view(one))
  if (found.length > 0) return found.map(cut)
  if (typeof error === 'string') {
    const detail = entry.parse(known)
    return [cut({ code: error, detail: detail.error_description ?? detail.message })]
  }
  const [one] = [...view(error), ...view(known)]
  return (one ? [one] : quoted).map(cut)
}

/** The scopes that a challenge says the credential lacks (RFC 6750 §3.1). */
export function demandedInVain(challenge: string): readonly string[] {
  return parseChallenges(challenge).flatMap(({ params }) => {
    const said = new Map(params)
    if (said.get('error') !== 'insufficient_scope') return []
    return scopesOf(said.get('scope')) ?? []
  })
}

/** The same in the service's words. */
export function missingScopes(scopes: readonly string[]): readonly ServiceError[] {
  if (scopes.length === 0) return []
  return [cut({ code: 'insufficient_scope', detail: `scope: ${scopes.join(' ')}` })]
}

interface Found {
  readonly code?: string | undefined
  readonly title?: string | undefined
  readonly detail?: string | undefined
}

function view(value: unknown): Found[] {
  if (typeof value === 'string') return [{ detail: value }]
  const one = entry.safeParse(value).data
  if (one === undefined) return []
  const { code, type, title, detail, message } = one
  if ([code, title, detail, message].every((part) => part === undefined)) return []
  return [{ code: code ?? type, title, detail: detail ?? message }]
}

function cut({ code, title, detail }: Found): ServiceError {
  return {
    ...(code === undefined ? {} : { code: code.slice(0, 100) }),
    ...(title === undefined ? {} : { title: title.slice(0, 200) }),
    ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
  }
}
