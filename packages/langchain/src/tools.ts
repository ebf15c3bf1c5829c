import { type AuthTool, faultResult, type Outcome, type ToolOutput, toolOutput } from '@authmd/core'
import { type StructuredToolInterface, type ToolRuntime, tool } from '@langchain/core/tools'
import { callOf } from './approval.ts'
import type { SessionFor } from './owner.ts'

/** What a tool writes to a stream of mode `custom`: when it begins, and with what it ends. */
export interface AuthProgress {
  readonly authmd: 1
  readonly tool: string
  readonly callId: string | undefined
  readonly status: 'running' | 'error' | Outcome['status']
  readonly registration?: string | undefined
}

type T = StructuredToolInterface
/** A tuple, because the types of `createAgent` refuse an array with single tools beside it. */
export type AuthTools = readonly [T, T, T, T, T]

export function makeTool(one: AuthTool, sessionFor: SessionFor): StructuredToolInterface {
  const { name, description, inputSchema: schema } = one
  const run = async (input: unknown, runtime: ToolRuntime): Promise<[string, ToolOutput]> => {
    const call = callOf(runtime, runtime.toolCallId ?? runtime.toolCall?.id)
    const progress = (status: AuthProgress['status'], registration?: string) =>
      runtime.writer?.({ authmd: 1, tool: name, callId: call.callId, status, registration })
    progress('running')
    const running = sessionFor(runtime).then((session) => one.run(session, input, call))
    const result = await running.catch(faultResult)
    progress(result.outcome?.status ?? 'error', result.outcome?.registration)
    return [result.text, toolOutput(result)]
  }
  const fields = { name, description, schema, responseFormat: 'content_and_artifact' } as const
  return tool(run, fields) as unknown as StructuredToolInterface
}
