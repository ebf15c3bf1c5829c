import { noteWaiter, type OutcomeOf, type ToolOutput } from '@authmd/core'
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'
import { getConfig, interrupt, task } from '@langchain/langgraph'
import type { SessionFor } from './owner.ts'
import type { AuthTools } from './tools.ts'

/** What a person has to do; `registration` is absent where a credential is being revoked. */
export type PersonWait = Omit<OutcomeOf<'needs_person'>, 'status'> & {
  readonly tool: string
  readonly callId: string
}

/** The interrupt for what a person has to do. What it is resumed with is not looked at. */
export interface WaitRequest {
  readonly authmd: { readonly version: 1; readonly waits: readonly PersonWait[] }
}

export interface Waits {
  readonly tools: AuthTools
  readonly sessionFor: SessionFor
  readonly queue: string
}

/**
 * Pauses where the tools that have just run need a person. Then core looks again where things stand,
 * and its word takes the place of the tools' results.
 */
export async function awaitPerson(
  { tools, sessionFor, queue }: Waits,
  messages: readonly BaseMessage[],
): Promise<{ messages: BaseMessage[] } | undefined> {
  const from = messages.findLastIndex((one) => AIMessage.isInstance(one))
  const results = messages.slice(from + 1).filter((one) => ToolMessage.isInstance(one))
  const waiting = results.flatMap(({ id, name: tool = '', tool_call_id: callId, artifact }) => {
    const { outcome } = (artifact ?? {}) as Partial<ToolOutput>
    if (outcome?.status !== 'needs_person' || !tools.some(({ name }) => name === tool)) return []
    const { status, ...about } = outcome
    return [{ id, wait: { ...about, tool, callId } }]
  })
  if (waiting.length === 0) return undefined
  const request: WaitRequest = { authmd: { version: 1, waits: waiting.map(({ wait }) => wait) } }
  const run = getConfig()
  const ids = waiting.flatMap(({ wait }) => wait.registration ?? [])
  // Once for each pause, and not again when the node runs again from its top to go on.
  await task('authmd_waits', async () => {
    const thread = run.configurable?.thread_id
    if (typeof thread !== 'string') return
    await noteWaiter(() => sessionFor(run), ids, { queue, at: { thread } })
  })()
  interrupt(request)
  const calls = messages.slice(from, from + 1).flatMap((one) => (one as AIMessage).tool_calls ?? [])
  const again = waiting.map(async ({ id, wait: { registration, tool, callId } }) => {
    const own = calls.find((call) => call.id === callId)?.args ?? {}
    const [name, args] = registration ? ['auth_claim', { registration }] : [tool, own]
    const call = { type: 'tool_call', name, args, id: callId } as const
    const result = await tools.find((one) => one.name === name)?.invoke(call, run)
    return Object.assign(result as ToolMessage, { id, name: tool })
  })
  return { messages: await Promise.all(again) }
}
