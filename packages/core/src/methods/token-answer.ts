import { z } from 'zod'
import { AuthError } from '../errors.ts'
import { Secret } from '../vault/secret.ts'
import type { PlanAnswer } from './method.ts'

/** What a token endpoint's answer says (RFC 6749 §5.1), in the forms that services really send. */
export interface TokenAnswer {
  readonly accessToken: Secret
  readonly refreshToken?: Secret
  /** Epoch milliseconds; absent where it is not known: use until refused. */
  readonly expires?: number
  /** Absent: as requested. */
  readonly scopes?: readonly string[]
}

const answerSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional().catch(undefined),
  token_type: z.unknown().optional(),
  expires_in: z.unknown().optional(),
  expires_at: z.unknown().optional(),
  scope: z.unknown().optional(),
})

/**
 * Reads a token answer. A scheme is compared without case, and a missing one is Bearer.
 *
 * @throws AuthError `response_malformed` where there is no token, or one for a scheme that we do not
 * speak: it must not be used as another
 */
export function readTokenAnswer(json: unknown, now: number): TokenAnswer {
  const parsed = answerSchema.safeParse(json)
  if (!parsed.success) throw new AuthError('response_malformed', 'the answer holds no token')
  const { access_token, refresh_token, token_type, expires_in, expires_at, scope } = parsed.data
  const type = token_type ?? 'Bearer'
  if (typeof type !== 'string' || type.trim().toLowerCase() !== 'bearer') {
    throw new AuthError('response_malformed', 'the token is for a scheme other than Bearer')
  }
  const expires = expiryOf(expires_in, now) ?? expiryOf(expires_at, now)
  const scopes = scopesOf(scope)
  return {
    accessToken: new Secret(access_token),
    ...(refresh_token ? { refreshToken: new Secret(refresh_token) } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(scopes === undefined ? {} : { scopes }),
  }
}

/** The token that an answer gives; undefined where it gives none that we can use. */
export function tokenIn(
  { status, json }: Pick<PlanAnswer, 'status' | 'json'>,
  now: number,
): TokenAnswer | undefined {
  if (status < 200 || status > 299) return undefined
  try {
    return readTokenAnswer(json, now)
  } catch (error) {
    if (AuthError.isInstance(error)) return undefined
    throw error
  }
}

const second = 1_000
/** Seconds: some 30 years, and the year 2001. Lifetimes are below, points in time above. */
const longestLifetime = 1_000_000_000
/** The year 5138 in seconds, and 1973 in milliseconds. */
const firstMilliseconds = 100_000_000_000

/**
 * When something ends, in epoch milliseconds, from a lifetime in seconds, a time in epoch seconds or
 * milliseconds, or an ISO 8601 time with its zone; numbers may be text. Undefined, which is *unknown*,
 * for anything else, and for what has passed or lies more than 30 years ahead.
 */
export function expiryOf(value: unknown, now: number): number | undefined {
  const at = timeOf(value, now)
  if (at === undefined || at <= now || at > now + longestLifetime * second) return undefined
  return at
}

function timeOf(value: unknown, now: number): number | undefined {
  if (typeof value === 'string') {
    const text = value.trim()
    if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/i.test(text)) {
      const time = Date.parse(text)
      return Number.isNaN(time) ? undefined : time
    }
    return /^\d{1,15}(\.\d{1,9})?$/.test(text) ? timeOf(Number(text), now) : undefined
  }
  if (typeof value !== 'number' || !(value > 0) || value === Infinity) return undefined
  if (value < longestLifetime) return Math.floor(now + value * second)
  return Math.floor(value < firstMilliseconds ? value * second : value)
}

/** Scopes from a list, or from a text divided by spaces or commas, each once. Undefined where none are said. */
export function scopesOf(value: unknown): readonly string[] | undefined {
  const texts = Array.isArray(value) ? value : [value]
  if (!texts.every((text) => typeof text === 'string')) return undefined
  const scopes = texts.flatMap((text: string) => text.split(/[\s,]+/)).filter((one) => one !== '')
  return scopes.length === 0 ? undefined : [...new Set(scopes)]
}

/** True for the one answer that ends a refresh token for good (RFC 6749 §5.2). */
export function isInvalidGrant(status: number, json: unknown): boolean {
  const error = z.object({ error: z.literal('invalid_grant') }).safeParse(json)
  return status >= 400 && status < 500 && error.success
}
