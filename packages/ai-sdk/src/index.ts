import type { AgentAuth, Owner } from '@authmd/core'
import type { ToolApprovalConfiguration, ToolSet } from 'ai'
import { Gate, type MergedApproval } from './approval.ts'
import { type OwnerContext, sessionsOf } from './owner.ts'
import { type AuthToolSet, makeTools } from './tools.ts'

export type { MergedApproval } from './approval.ts'
export type { OwnerContext } from './owner.ts'
export type { AuthToolOutput, AuthToolSet } from './tools.ts'

/** What the application sets. */
export interface AgentAuthOptions {
  /** Whose credentials they are: of the application's own session, never of anything in the chat. */
  readonly owner: Owner
  /** Who approves in the chat, for the record; `unknown via ai-sdk` where it is left out. */
  readonly approver?: string
}

/** authmd in the AI SDK. */
export interface AuthAdapter<CONTEXT = Record<string, unknown>> {
  /** `auth_discover`, `auth_register`, `auth_claim`, `auth_use`, `auth_revoke`. */
  readonly tools: AuthToolSet<CONTEXT>
  /**
   * The `toolApproval` setting: yours, with the questions that our tools put to the person. For our
   * tools yours can only be stricter.
   */
  toolApproval<TOOLS extends ToolSet, RUNTIME>(
    theirs?: ToolApprovalConfiguration<TOOLS, RUNTIME>,
  ): MergedApproval<RUNTIME>
}

/** The same for an agent that is made once for all owners. */
export interface ContextAuthAdapter extends AuthAdapter<OwnerContext> {
  /** The `toolsContext` of a call: whose it is, for each of our tools. */
  toolsContext(owner: Owner): { readonly [Name in keyof AuthToolSet]: OwnerContext }
}

/**
 * The five tools of authmd for the Vercel AI SDK, and the approval setting that goes with them.
 *
 * With an owner, make it per request. With `owner: 'context'`, make it once: each call then names its
 * owner in `toolsContext`, which the SDK's types and its check at run time both demand.
 *
 * Whatever binds somebody is asked through the SDK's own approvals, and core checks each answer
 * against the question that it has on record: a made-up, changed or used-up answer runs nothing.
 *
 * @throws AuthError `owner_invalid`
 * @example
 * ```ts
 * const authmd = agentAuth(auth, { owner: { tenant: user.org, user: user.id } })
 * const result = streamText({
 *   model,
 *   messages,
 *   tools: { ...authmd.tools, ...mine },
 *   toolApproval: authmd.toolApproval(),
 *   stopWhen: isStepCount(20),
 * })
 * ```
 */
export function agentAuth(auth: AgentAuth, options: AgentAuthOptions): AuthAdapter
export function agentAuth(
  auth: AgentAuth,
  options: Omit<AgentAuthOptions, 'owner'> & { readonly owner: 'context' },
): ContextAuthAdapter
export function agentAuth(
  auth: AgentAuth,
  { owner, approver }: Omit<AgentAuthOptions, 'owner'> & { readonly owner: Owner | 'context' },
): AuthAdapter | ContextAuthAdapter {
  const inContext = owner === 'context'
  const gate = new Gate(sessionsOf(auth, owner), approver)
  const tools = makeTools(gate, inContext)
  const adapter: AuthAdapter = { tools, toolApproval: (theirs) => gate.merge(theirs) }
  if (!inContext) return adapter
  const names = Object.keys(tools)
  const toolsContext = (one: Owner) => Object.fromEntries(names.map((name) => [name, { ...one }]))
  return { ...adapter, toolsContext } as unknown as ContextAuthAdapter
}
