import { type AgentAuth, AuthError, type Owner, type Session } from '@authmd/core'

/** What the application gave with a run. Nothing of it comes from the model or from a message. */
export interface AuthRuntime<CONTEXT = { readonly owner: Owner }> {
  readonly context: CONTEXT
  /** LangGraph Server puts `langgraph_auth_user` there. */
  readonly configurable: Readonly<Record<string, unknown>>
}

/** Always the same owner, or how to find the one of a run. */
export type OwnerSource<CONTEXT> =
  | Owner
  | ((runtime: AuthRuntime<CONTEXT>) => Owner | Promise<Owner>)

/** What LangGraph knows of a run, inside a tool and inside a node alike. */
export type Run = Partial<AuthRuntime<unknown>>

/** The session of a run's owner. Rejects with `owner_invalid` where the run has none. */
export type SessionFor = (run: Run) => Promise<Session>

/** Throws `owner_invalid` for a fixed owner at once, not at the first call. */
export function sessionsOf<CONTEXT>(auth: AgentAuth, owner: OwnerSource<CONTEXT>): SessionFor {
  if (typeof owner !== 'function') {
    const session = auth.as(owner)
    return async () => session
  }
  return async ({ context, configurable = {} }) => {
    let found: Owner
    try {
      found = await owner({ context: context as CONTEXT, configurable })
    } catch (cause) {
      throw new AuthError('owner_invalid', 'the application named no owner for this run', { cause })
    }
    return auth.as(found)
  }
}
