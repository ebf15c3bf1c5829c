import { type AgentAuth, AuthError, type Owner, type Session } from '@authmd/core'
import { RequestContext } from '@mastra/core/request-context'

/** Whose credentials a call is for, by what the application put into the request context. */
export type OwnerOf = (context: RequestContext) => Owner | undefined | Promise<Owner | undefined>

/** The session of a call's owner; rejects with `owner_invalid`, there is no default. */
export type SessionFor = (requestContext: unknown) => Promise<Session>

export function sessionsOf(auth: AgentAuth, ownerOf: OwnerOf): SessionFor {
  return async (given) => {
    // `requireApproval` gets a plain object of the values.
    const values = Object.entries((given ?? {}) as object)
    const context: RequestContext =
      given instanceof RequestContext ? (given as RequestContext) : new RequestContext(values)
    // What the application throws may say anything, and Mastra would write it down.
    const owner = await (async () => ownerOf(context))().catch(() => undefined)
    if (owner === undefined)
      throw new AuthError('owner_invalid', 'the application named no owner for this call')
    return auth.as(owner)
  }
}
