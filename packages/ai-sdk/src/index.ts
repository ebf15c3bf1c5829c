import {
  type AgentAuth,
  authTools,
  type Mounted,
  type MountOptions,
  type Owner,
  ToolBook,
} from '@authmd/core'
import type { Tool, ToolApprovalConfiguration, ToolSet, UIMessage } from 'ai'
import { Gate, type MergedApproval } from './approval.ts'
import { type AuthUIMessage, addDataParts, type DataParts } from './data-parts.ts'
import { type OwnerContext, sessionsOf } from './owner.ts'
import { type AuthToolOutput, type AuthToolSet, makeTools } from './tools.ts'

export type { MergedApproval } from './approval.ts'
export type { AuthPart, AuthUIMessage, DataParts } from './data-parts.ts'
export type { OwnerContext } from './owner.ts'
export type { AuthToolOutput, AuthToolSet } from './tools.ts'

/** What the application sets. */
export interface AgentAuthOptions {
  /** Whose credentials they are: of the application's own session, never of anything in the chat. */
  readonly owner: Owner
  /** Who approves in the chat, for the record; `unknown via ai-sdk` where it is left out. */
  readonly approver?: string
  /**
   * Milliseconds for which a tool waits with a registration that goes on by itself: a mail comes, a
   * person hands something over. Meanwhile each state is a preliminary result, and an abort ends the
   * waiting at once. 0, the default, returns at once, and the model looks again when it is told to.
   */
  readonly patienceMs?: number
}

/** The tools by their names, and what to `pin` and to know of those that were left out. */
export interface MountedTools<CONTEXT = Record<string, unknown>> extends Omit<Mounted, 'tools'> {
  readonly tools: Readonly<Record<string, Tool<unknown, AuthToolOutput, CONTEXT>>>
}

/** authmd in the AI SDK. */
export interface AuthAdapter<CONTEXT = Record<string, unknown>> {
  /** `auth_discover`, `auth_register`, `auth_claim`, `auth_use`, `auth_revoke`. */
  readonly tools: AuthToolSet<CONTEXT>
  /**
   * Tools of a service's own MCP server, for the SDK beside ours. Each asks, but for those in `allow`.
   * Mount first: `toolApproval` knows what is mounted when it is called.
   */
  mount(service: string, options?: MountOptions): Promise<MountedTools<CONTEXT>>
  /**
   * The `toolApproval` setting: yours, with the questions that our tools put to the person. For our
   * tools yours can only be stricter.
   */
  toolApproval<TOOLS extends ToolSet, RUNTIME>(
    theirs?: ToolApprovalConfiguration<TOOLS, RUNTIME>,
  ): MergedApproval<RUNTIME>
  /**
   * Adds to a UI stream, as `data-authmd` parts, what a person has to see. A part has the registration's
   * id, or the service's URL where there is none, so that a later state takes its place. The model never
   * sees one. A part is written with a result of our tools, and only while the stream is open: what
   * comes later, such as a mail, shows with the next call, and in a new message as a new part.
   *
   * @example
   * ```ts
   * const stream = toUIMessageStream({ stream: result.stream }).pipeThrough(authmd.dataParts())
   * return createUIMessageStreamResponse({ stream })
   * ```
   */
  dataParts<MESSAGE extends UIMessage = AuthUIMessage>(): DataParts<MESSAGE>
}

/** The same for an agent that is made once for all owners. */
export interface ContextAuthAdapter extends Omit<AuthAdapter<OwnerContext>, 'mount'> {
  /** The same, with whose key lists the tools; a call carries the key of its own owner. */
  mount(owner: Owner, service: string, options?: MountOptions): Promise<MountedTools<OwnerContext>>
  /** The `toolsContext` of a call: whose it is, for each of our tools. */
  toolsContext(owner: Owner): { readonly [Name in keyof AuthToolSet]: OwnerContext } & {
    readonly [mounted: string]: OwnerContext
  }
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
  {
    owner,
    approver,
    patienceMs = 0,
  }: Omit<AgentAuthOptions, 'owner'> & { readonly owner: Owner | 'context' },
): AuthAdapter | ContextAuthAdapter {
  const inContext = owner === 'context'
  const book = new ToolBook(auth)
  const gate = new Gate(book, sessionsOf(auth, owner), approver)
  const made = new WeakSet<object>()
  const make = (tools: Mounted['tools']) => makeTools(tools, { gate, inContext, patienceMs, made })
  const mount = async (...asked: Parameters<ToolBook['mount']>) => {
    const { tools, ...rest } = await book.mount(...asked)
    return { ...rest, tools: make(tools) as MountedTools['tools'] }
  }
  const adapter = {
    tools: make(authTools) as AuthToolSet,
    toolApproval: (theirs) => gate.merge(theirs),
    dataParts: () => addDataParts(made),
  } as Omit<AuthAdapter, 'mount'>
  if (!inContext) {
    const ours: AuthAdapter['mount'] = (service, more) => mount(owner, service, more)
    return { ...adapter, mount: ours }
  }
  const toolsContext = (one: Owner) =>
    Object.fromEntries(book.all.map(({ name }) => [name, { ...one }]))
  return { ...adapter, mount, toolsContext } as unknown as ContextAuthAdapter
}
