import { z } from 'zod'
import type { ServiceError } from '../outcome.ts'
import type { PlanAnswer } from './method.ts'

const bodySchema = z.looseObject({
  error: z.string().min(1).max(100).optional().catch(undefined),
  err: z.string().min(1).max(100).optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  error_description: z.string().optional().catch(undefined),
  description: z.string().optional().catch(undefined),
})

/** The error that an answer names (RFC 6749 §5.2), in whichever envelope. */
export function errorIn({
  json,
}: Pick<PlanAnswer, 'json'>): ServiceError & { readonly code?: string } {
  const { data } = bodySchema.safeParse(json)
  const code = data?.error ?? data?.err
  const detail = data?.error_description ?? data?.message ?? data?.description
  return { ...(code ? { code } : {}), ...(detail ? { detail: detail.slice(0, 500) } : {}) }
}
