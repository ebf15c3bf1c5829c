import {
  type AgentAuth,
  authTools,
  type Mounted,
  type MountOptions,
  type Owner,
  type Pause,
  pauseSchema,
  ToolBook,
  type ToolOutput,
  type WatchReport,
} from '@authmd/core'
import type { Tool } from '@mastra/core/tools'
import { channel, Gate } from './approval.ts'
import { type OwnerOf, sessionsOf } from './owner.ts'
import { type AuthSteps, type AuthWorkflow, makeSteps, makeWorkflow } from './steps.ts'
import { type AuthToolSet, makeTool } from './tools.ts'
import { type RunWatch, watchRuns } from './watch.ts'

export type { Pause } from '@authmd/core'
export type { OwnerOf } from './owner.ts'
export type { AuthSteps, AuthWorkflow, StepOutput, StepResume } from './steps.ts'
export type { AuthToolSet } from './tools.ts'
export type { Runs, RunWatch, WaitingRun } from './watch.ts'

/** What the application sets. */
export interface AgentAuthOptions {
  /** Whose credentials they are: by the application's own session, never by anything in the chat. */
  readonly owner: OwnerOf
  /** Who approves through Mastra, for the record; `unknown via mastra` where it is left out. */
  readonly approver?: string | ((owner: Owner) => string)
  /** A name for the runs of this `Mastra`, where those of several wait in one store; `mastra` by default. */
  readonly queue?: string
}

/** What a person is to be shown of a call that Mastra has paused. */
export interface Shown {
  readonly toolCallId: string
  readonly toolName: string
  readonly text: string
  /** Set where the call waits for something else than a yes or no. */
  readonly pause?: Pause
}

/** The tools by their names, and what to `pin` and to know of those that were left out. */
export interface MountedTools extends Omit<Mounted, 'tools'> {
  readonly tools: Readonly<Record<string, Tool<unknown, ToolOutput, Pause>>>
}

export interface AuthAdapter extends AuthSteps {
  /** `auth_discover`, `auth_register`, `auth_claim`, `auth_use`, `auth_revoke`. */
  readonly tools: AuthToolSet
  /**
   * Tools of a service's own MCP server, for an `Agent` beside ours. `owner` is whose key lists them; a
   * call carries the key of its own request's owner. Each asks, but for those in `allow`.
   */
  mount(owner: Owner, service: string, options?: MountOptions): Promise<MountedTools>
  /** Discover, register, claim: from `{ service }` to a credential, over as many pauses as it takes. */
  readonly workflow: AuthWorkflow
  /**
   * What to show for a `tool-call-approval` or `tool-call-suspended` chunk, a sub-agent's as well, or
   * for a suspended result of `generate`. Undefined for anything that is not of our tools.
   */
  describe(paused: unknown): Shown | undefined
  /**
   * Resumes tool calls and workflows that wait for a person when the person has done their part, each once however
   * many processes watch. With `intervalMs` until `signal` aborts, else one look. A call inside a sub-agent is
   * not found by it.
   *
   * @throws AuthError as `auth.watchRegistrations`
   * @example
   * ```ts
   * await authmd.watch({
   *   mastra,
   *   run: async (waiting) => {
   *     const requestContext = contextOf(waiting.owner)
   *     if ('workflowId' in waiting) {
   *       const run = await mastra.getWorkflowById(waiting.workflowId).createRun(waiting)
   *       await run.resume({ resumeData: {}, requestContext })
   *     } else {
   *       const { agentId, runId, toolCallId } = waiting
   *       await mastra.getAgentById(agentId).resumeGenerate({}, { runId, toolCallId, requestContext })
   *     }
   *   },
   *   intervalMs: 5000,
   *   onError: report,
   * })
   * ```
   */
  watch(options: RunWatch): Promise<WatchReport>
}

/**
 * The five tools of authmd for Mastra, and its verbs as workflow steps.
 *
 * Whatever binds somebody is asked through Mastra's own approvals, and core checks each answer against
 * the question that it has on record: a made-up, changed or used-up answer runs nothing.
 *
 * @example
 * ```ts
 * const authmd = agentAuth(auth, { owner: (context) => users.ownerOf(context.get('sessionId')) })
 * const agent = new Agent({ id: 'a', name: 'a', instructions, model, tools: { ...authmd.tools, ...mine } })
 * const { runId, fullStream } = await agent.stream(messages, { requestContext })
 * for await (const chunk of fullStream) {
 *   const question = authmd.describe(chunk)
 *   if (question) await show(runId, question)
 * }
 * // later: agent.approveToolCall({ runId, toolCallId, requestContext }), or declineToolCall
 * ```
 */
export function agentAuth(auth: AgentAuth, options: AgentAuthOptions): AuthAdapter {
  const { owner, approver, queue = channel } = options
  const book = new ToolBook(auth)
  const gate = new Gate(book, sessionsOf(auth, owner), approver, queue)
  const steps = makeSteps(gate)
  const made = (tools: Mounted['tools']) =>
    Object.fromEntries(tools.map((one) => [one.name, makeTool(one, gate)])) as MountedTools['tools']
  return {
    ...steps,
    tools: made(authTools) as unknown as AuthToolSet,
    mount: async (...asked) => {
      const { tools, ...rest } = await book.mount(...asked)
      return { ...rest, tools: made(tools) }
    },
    workflow: makeWorkflow(steps),
    describe: (paused) => describe(gate, paused),
    watch: (how) => watchRuns(auth, queue, how),
  }
}

/** JSON of an unknown form. */
type Json = { readonly [name: string]: Json | undefined }

function describe(gate: Gate, paused: unknown): Shown | undefined {
  const { type, payload, suspendPayload: ended, metadata, messages } = (paused ?? {}) as Json
  if (String(type) === 'tool-output') {
    // A sub-agent asks, and the call to be answered is the one that called it.
    const inner = describe(gate, payload?.output)
    return inner && { ...inner, toolCallId: String(payload?.toolCallId) }
  }
  const pauses = /^tool-call-(approval|suspended)$/.test(String(type))
  const { toolCallId, toolName, suspendPayload } = (pauses ? payload : ended) ?? {}
  const pause = pauseSchema.safeParse(suspendPayload).data
  const kept = ((messages ?? []) as readonly Json[]).map(({ content }) => {
    return content?.metadata?.pendingToolApprovals?.[String(toolCallId)]?.metadata
  })
  const transform = (metadata ?? kept.findLast(Boolean))?.mastra?.toolPayloadTransform
  const text = pause?.text ?? transform?.display?.approval?.transformed?.text
  const ours = gate.tools.get(String(toolName))
  if (!ours || typeof toolCallId !== 'string' || typeof text !== 'string') return undefined
  return { toolCallId, toolName: ours.name, text, ...(pause ? { pause } : {}) }
}
