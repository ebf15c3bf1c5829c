import { z } from 'zod'
import { shownScopes } from '../../consent/scopes.ts'
import { Secret } from '../../vault/secret.ts'
import type { PlanAnswer } from '../method.ts'
import { intervalOf } from '../polling.ts'
import { expiryOf } from '../token-answer.ts'
import type { Ceremony } from './state.ts'

const text = z.string().min(1).max(16_384).optional().catch(undefined)
const block = <T extends z.ZodRawShape>(shape: T) =>
  z.looseObject(shape).optional().catch(undefined)

const scopes = z
  .array(z.unknown())
  .transform((list) => shownScopes(list))
  .optional()
  .catch(undefined)

const attemptShape = {
  user_code: z.string().min(1).max(64).optional().catch(undefined),
  verification_uri: text,
  complete_url: text,
  expires_in: z.unknown().optional(),
  expires_at: z.unknown().optional(),
  interval: z.unknown().optional(),
}

/** The answers of all versions at once: flat up to v0.7, nested after it. */
const schema = z.looseObject({
  registration_id: text,
  status: text,
  id: text,
  credential: text,
  credential_type: text,
  credential_expires: z.unknown().optional(),
  identity_assertion: text,
  assertion_expires: z.unknown().optional(),
  identity_assertion_expires: z.unknown().optional(),
  identity: block({
    assertion: text,
    expires_at: z.unknown().optional(),
    refresh_token: block({ value: text }),
  }),
  post_claim_scopes: scopes,
  scopes: block({ post_claim: scopes }),
  expires_at: z.unknown().optional(),
  claim_token: text,
  claim_token_expires: z.unknown().optional(),
  claim_url: text,
  claim: block({
    ...attemptShape,
    token: text,
    url: text,
    attempt: block(attemptShape),
  }),
  claim_attempt: block(attemptShape),
  attempt: block(attemptShape),
})

/** What an answer holds, whichever version's words it has. */
export interface Given {
  readonly registration?: string
  readonly credential?: Secret
  readonly kind?: 'api_key' | 'access_token'
  readonly expires?: number
  readonly assertion?: Secret
  readonly assertionUntil?: number
  readonly refreshToken?: Secret
  readonly claimToken?: Secret
  readonly claimUrl?: string
  readonly window?: number
  /** What it may do once a person has claimed it. */
  readonly claimScopes?: readonly string[]
  readonly claimed: boolean
  readonly ceremony?: Ceremony
}

/** How old a login may be, in seconds; an hour where the service does not say. */
export function maxAgeIn(answer: PlanAnswer): number {
  const { data } = z
    .looseObject({
      max_age: z.coerce
        .number()
        .min(0)
        .max(86_400 * 365),
    })
    .safeParse(answer.json)
  return data === undefined ? 3_600 : Math.floor(data.max_age)
}

/** Reads a body by its shape alone: a step-up at 401 holds what another version sends with 200. */
export function read(answer: PlanAnswer, now: number): Given {
  const { data } = schema.safeParse(answer.json)
  if (data === undefined) return { claimed: false }
  const { identity, claim } = data
  const secret = (value: string | undefined) =>
    value === undefined ? undefined : new Secret(value)
  return defined({
    registration: data.registration_id ?? data.id,
    credential: secret(data.credential),
    kind: data.credential_type === 'access_token' ? 'access_token' : 'api_key',
    expires: expiryOf(data.credential_expires, now),
    assertion: secret(data.identity_assertion ?? identity?.assertion),
    assertionUntil:
      expiryOf(data.assertion_expires, now) ??
      expiryOf(data.identity_assertion_expires, now) ??
      expiryOf(identity?.expires_at, now),
    refreshToken: secret(identity?.refresh_token?.value),
    claimToken: secret(data.claim_token ?? claim?.token),
    claimUrl: data.claim_url ?? claim?.url,
    window:
      expiryOf(data.claim_token_expires, now) ?? expiryOf(claim?.token && claim.expires_at, now),
    claimScopes: data.post_claim_scopes ?? data.scopes?.post_claim,
    claimed: data.status === 'claimed',
    ceremony: ceremonyIn(data, now),
  }) as unknown as Given
}

type Body = z.infer<typeof schema>

function ceremonyIn(body: Body, now: number): Ceremony | undefined {
  const { claim, claim_attempt, attempt, claim_token, status, expires_at } = body
  const found = claim_attempt ?? attempt ?? claim?.attempt ?? (claim?.token ? undefined : claim)
  if (found === undefined) {
    // Up to v0.3 nothing but a mail tells of it.
    if (claim_token === undefined && status !== 'initiated') return undefined
    const link = status === 'initiated' ? expiryOf(expires_at, now) : undefined
    return defined({
      way: 'mailed',
      field: 'otp',
      intervalMs: intervalOf(undefined),
      link,
    }) as unknown as Ceremony
  }
  const { user_code, verification_uri, complete_url, interval } = found
  const way = user_code ? 'typed' : verification_uri ? 'read-back' : 'mailed'
  return defined({
    way,
    uri: verification_uri,
    code: user_code,
    complete: complete_url,
    field: 'user_code',
    intervalMs: intervalOf(interval),
    until: expiryOf(found.expires_in, now) ?? expiryOf(found.expires_at, now),
  }) as unknown as Ceremony
}

function defined(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
