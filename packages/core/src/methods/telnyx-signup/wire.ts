import { z } from 'zod'
import { withoutHidden } from '../../discovery/markdown/clean.ts'
import type { ServiceError } from '../../outcome.ts'
import { errorsOf } from '../../use/answer.ts'
import { redactUnseen } from '../../use/redactor.ts'
import type { PlanAnswer } from '../method.ts'

/** An address that is echoed as it came and shown to a person: nothing invisible, no second line. */
const url = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .regex(/^[\x21-\x7e]+$/)
const maxProblem = 2000
/** What can be sent in a header, and nothing else. */
const secret = z
  .string()
  .max(8192)
  .regex(/^[\x21-\x7e]{8,}$/)

/** What `POST …/bot_challenge` answers. Older servers leave type and precision out. */
export const challengeAnswer: z.ZodType<Challenge> = z.object({
  data: z.object({
    nonce: z.string().min(1).max(200),
    challenge_type: z.string().max(40).nullish(),
    problem: z
      .string()
      .min(1)
      .transform((text) => withoutHidden(text).slice(0, maxProblem)),
    precision: z.number().int().min(0).max(20).nullish(),
    terms_and_conditions_url: url,
    privacy_policy_url: url,
    terms_and_conditions_eu_url: url.nullish(),
  }),
})

export interface Challenge {
  data: {
    nonce: string
    challenge_type?: string | null | undefined
    problem: string
    precision?: number | null | undefined
    terms_and_conditions_url: string
    privacy_policy_url: string
    terms_and_conditions_eu_url?: string | null | undefined
  }
}

/** What `POST …/pow_signup_challenge` answers: the older variant. */
export const workAnswer: z.ZodType<WorkChallenge> = z.object({
  data: z.object({
    nonce: z.string().min(1).max(200),
    algorithm: z.literal('sha256'),
    leading_zero_bits: z.number(),
    terms_and_conditions_url: url,
    privacy_policy_url: url,
    terms_and_conditions_eu_url: url.nullish(),
  }),
})

export interface WorkChallenge {
  data: Pick<
    Challenge['data'],
    'nonce' | 'terms_and_conditions_url' | 'privacy_policy_url' | 'terms_and_conditions_eu_url'
  > & { algorithm: 'sha256'; leading_zero_bits: number }
}

const sessionAnswer = z.object({ data: z.object({ api_v2_token: secret }) })

/** The session token of `GET …/bot_sessions`, if the answer holds one. */
export function sessionToken(answer: PlanAnswer): string | undefined {
  return sessionAnswer.safeParse(answer.json).data?.data.api_v2_token
}

const keyAnswer = z.object({
  data: z.object({ api_key: secret, id: z.string().optional().catch(undefined) }),
})

/** The key of `POST …/api_keys`, if the answer holds one. */
export function issuedKey(answer: PlanAnswer): { key: string; id?: string } | undefined {
  const data = keyAnswer.safeParse(answer.json).data?.data
  if (data === undefined) return undefined
  return { key: data.api_key, ...(data.id === undefined ? {} : { id: data.id }) }
}

/** The errors of an answer, in the service's own words; a key that it gives out with them is left out. */
export function errorsIn(answer: PlanAnswer): readonly ServiceError[] {
  return errorsOf(redactUnseen(answer.text).text)
}
