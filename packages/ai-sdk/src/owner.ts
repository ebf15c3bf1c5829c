import type { AgentAuth, Owner, Session } from '@authmd/core'
import { z } from 'zod'

/** An {@link Owner} as a tool's context: a plain object type, which the SDK's own types ask for. */
export type OwnerContext = { readonly [Part in keyof Owner]: Owner[Part] }

const part = z.string().trim().min(1).max(512)

/** What the SDK checks the context of each tool with, before the tool or its approval is run. */
export const ownerContext: z.ZodType<OwnerContext> = z.strictObject({
  tenant: part,
  user: part.optional(),
  agent: part.optional(),
})

/** The session of the owner that a call is for; `context` is what the SDK gave the call. */
export type SessionFor = (context: unknown) => Session

/** Throws `owner_invalid` for a fixed owner at once, not at the first call. */
export function sessionsOf(auth: AgentAuth, owner: Owner | 'context'): SessionFor {
  if (owner === 'context') return (context) => auth.as(context as Owner)
  const session = auth.as(owner)
  return () => session
}
