import {
  type AgentAuth,
  noteWaiter,
  type OnSettled,
  type Owner,
  type Pause,
  type WatchOptions,
  type WatchReport,
} from '@authmd/core'
import type { Gate } from './approval.ts'

/** Where a pause is found again: an agent's tool call, or a workflow's run. */
type Place =
  | { readonly agent: string; readonly toolCallId: string; readonly threadId: string | null }
  | { readonly workflow: string; readonly runId: string }

/** A run that can go on. */
export type WaitingRun = { readonly owner: Owner; readonly registration: string } & (
  | { readonly agentId: string; readonly runId: string; readonly toolCallId: string }
  | { readonly workflowId: string; readonly runId: string }
)

/** What is used of a `Mastra`: where the runs of its agents and workflows stand. */
export interface Runs {
  getAgentById(id: string): {
    listSuspendedRuns(by: { threadId?: string }): Promise<{
      readonly runs: readonly {
        readonly runId: string
        readonly toolCalls: readonly {
          readonly toolCallId?: string
          readonly suspendPayload?: unknown
        }[]
      }[]
    }>
  }
  getWorkflowById(id: string): {
    getWorkflowRunById(runId: string): Promise<{ readonly status: string } | null>
  }
}

/** How runs are resumed. */
export interface RunWatch extends Pick<WatchOptions, 'intervalMs' | 'signal' | 'onError'> {
  readonly mastra: Runs
  /**
   * Goes on with a run, for its owner's request context: `agent.resumeStream({}, { runId, toolCallId, requestContext })`,
   * or `run.resume({ resumeData: {}, requestContext })`. A throw is tried again.
   */
  readonly run: (waiting: WaitingRun) => Promise<void>
}

/** Writes down what pauses, for a watch. */
export function writeDown(
  gate: Gate,
  requestContext: unknown,
  { registration, for: what }: Pause,
  at: Place,
): Promise<void> {
  const ids = registration && (what === 'person' || what === 'time') ? [registration] : []
  return noteWaiter(() => gate.sessionFor(requestContext), ids, { queue: gate.queue, at })
}

export function watchRuns(
  auth: AgentAuth,
  queue: string,
  { mastra, run, ...options }: RunWatch,
): Promise<WatchReport> {
  const onSettled: OnSettled = async ({ at, owner, registration }) => {
    const found = await find(mastra, at as Place)
    return found ? run({ owner, registration, ...found }) : 'gone'
  }
  return auth.watchRegistrations({ ...options, queue, onSettled })
}

async function find(mastra: Runs, at: Place) {
  if ('workflow' in at) {
    const { workflow: workflowId, runId } = at
    const stored = await mastra.getWorkflowById(workflowId).getWorkflowRunById(runId)
    return stored?.status === 'suspended' ? { workflowId, runId } : undefined
  }
  const { agent: agentId, toolCallId, threadId } = at
  const by = threadId === null ? {} : { threadId }
  const { runs } = await mastra.getAgentById(agentId).listSuspendedRuns(by)
  const held = runs.find(({ toolCalls }) =>
    toolCalls.some((call) => call.toolCallId === toolCallId),
  )
  return held && { agentId, runId: held.runId, toolCallId }
}
