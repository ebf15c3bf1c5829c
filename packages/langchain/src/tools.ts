import { AuthError, type AuthTool, authTools, type Outcome, type ToolResult } from '@authmd/core'
import { type StructuredToolInterface, type ToolRuntime, tool } from '@langchain/core/tools'
import { callOf } from './approval.ts'
import type { SessionFor } from './owner.ts'

/** The artifact of a tool message: plain JSON without a secret. The model is given the text alone. */
export interface AuthToolArtifact {
  readonly text: string
  readonly outcome?: Outcome
  /** Set instead of `outcome` where the input or the owner was at fault, or something broke. */
  readonly error?: Pick<AuthError, 'code' | 'message'>
}

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

export function makeTools(sessionFor: SessionFor): AuthTools {
  return authTools.map((one) => makeTool(one, sessionFor)) as readonly T[] as AuthTools
}

function makeTool(one: AuthTool, sessionFor: SessionFor): T {
  const { name, description, inputSchema: schema } = one
  const run = async (input: unknown, runtime: ToolRuntime): Promise<[string, AuthToolArtifact]> => {
    const call = callOf(runtime, runtime.toolCallId ?? runtime.toolCall?.id)
    const progress = (status: AuthProgress['status'], registration?: string) =>
      runtime.writer?.({ authmd: 1, tool: name, callId: call.callId, status, registration })
    progress('running')
    const session = await sessionFor(runtime).catch((none: AuthError) => none)
    const { text, outcome, error }: ToolResult = AuthError.isInstance(session)
      ? { text: `error ${session.code}: ${session.message}`, error: session }
      : await one.run(session, input, call)
    progress(outcome?.status ?? 'error', outcome?.registration)
    if (error) return [text, { text, error: { code: error.code, message: error.message } }]
    return [text, outcome ? { text, outcome } : { text }]
  }
  const fields = { name, description, schema, responseFormat: 'content_and_artifact' } as const
  return tool(run, fields) as unknown as T
}
