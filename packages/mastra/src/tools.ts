import {
  AuthError,
  type AuthTool,
  type Call,
  faultResult,
  type Pause,
  pauseOf,
  pauseSchema,
  type Session,
  type ToolOutput,
  type ToolResult,
  toolOutput,
  type Verb,
} from '@authmd/core'
import { createTool, type Tool } from '@mastra/core/tools'
import { z } from 'zod'
import { channel, type Gate } from './approval.ts'
import { writeDown } from './watch.ts'

export type VerbInput<V extends Verb> = NonNullable<Parameters<Session[V]>[0]>

/** The five tools, as an `Agent` takes them. The model is given the text of an output alone. */
export type AuthToolSet = {
  readonly [V in Verb as `auth_${V}`]: Tool<VerbInput<V>, ToolOutput, Pause>
}

/** What is used of the context that Mastra gives a tool or a step. */
interface Context {
  readonly requestContext?: unknown
  readonly writer?: { custom(chunk: { type: `data-${string}`; data: unknown }): Promise<void> }
}

type Input = Readonly<Record<string, unknown>>

const unreadable =
  'What this call would do cannot be told here. Say no unless you know it from elsewhere.'

export function makeTool(tool: AuthTool, gate: Gate): unknown {
  const { name: id, title, description, verb, inputSchema } = tool
  const hints = { readOnlyHint: verb === 'discover', destructiveHint: /use|revoke/.test(verb) }
  return createTool({
    id,
    title,
    description,
    inputSchema,
    suspendSchema: pauseSchema,
    // Loose: data that fails here uses the pause up. None of it is believed anyway.
    resumeSchema: z.unknown(),
    mcp: { annotations: { title, ...hints } },
    requireApproval: (input, context) => gate.asks(tool, input, context?.requestContext),
    onInputAvailable: (call) => gate.entered(tool, call),
    transform: {
      display: {
        approval: async (call) => ({ text: (await gate.shown(tool, call)) ?? unreadable }),
        input: (call) => gate.announced(tool, call) ?? call.input,
        output: (call) => gate.finished(tool, call) ?? call.output,
        error: (call) => gate.finished(tool, call) ?? call.error,
        // As they are: for a phase that is left out Mastra shows a placeholder.
        inputDelta: ({ inputTextDelta }) => inputTextDelta,
        suspend: ({ suspendPayload }) => suspendPayload,
        resume: ({ resumeData }) => resumeData,
      },
    },
    toModelOutput: (output) => ({ type: 'text', value: (output as ToolOutput).text }),
    execute: async (input, { agent, abortSignal, ...context }): Promise<ToolOutput | undefined> => {
      // Not looked at later: a request that binds somebody is not cut off before its answer is read.
      if (abortSignal?.aborted) throw new AuthError('aborted', 'aborted; nothing was done')
      const { toolCallId, suspendPayload } = agent ?? {}
      const next = goOn(gate, tool, input, suspendPayload)
      const result = await run(gate, next, context, async (session) => {
        // A call without an id is none that anybody was asked about.
        if (!toolCallId) return { channel }
        return gate.executed(tool, { toolCallId, input }, session, suspendPayload !== undefined)
      })
      const { outcome } = result
      const call = { verb: next.tool.verb, input: next.input }
      const pause = outcome?.status === 'needs_person' ? pauseOf(call, outcome) : undefined
      if (pause && agent && toolCallId) {
        const at = { agent: agent.agentId, toolCallId, threadId: agent.threadId ?? null }
        await writeDown(gate, context.requestContext, pause, at)
      }
      if (pause && agent) return void (await agent.suspend(pause))
      return toolOutput(result)
    },
  })
}

/**
 * What a call does: after a pause it looks where its own registration stands. The data that it is
 * resumed with says nothing: a model can write some among its arguments.
 */
function goOn(gate: Gate, tool: AuthTool, input: Input, kept: unknown) {
  const registration = pauseSchema.safeParse(kept).data?.registration
  const own = (input.registration ?? registration) === registration
  const claim = gate.tools.get('auth_claim')
  if (tool.verb !== 'register' || !registration || !own || !claim) return { tool, input }
  return { tool: claim, input: { registration } }
}

/** Runs a tool for the owner of a request. What goes wrong is data: Mastra writes down what is thrown. */
export async function run(
  gate: Gate,
  { tool, input }: { readonly tool: AuthTool; readonly input: Input },
  { requestContext, writer }: Context,
  callFor: (session: Session) => Promise<Call | undefined>,
): Promise<ToolResult> {
  let result: ToolResult
  try {
    const session = await gate.sessionFor(requestContext)
    const call = await callFor(session)
    if (call === undefined) throw new AuthError('owner_invalid', 'resumed for another owner')
    result = await tool.run(session, input, call)
  } catch (thrown) {
    result = faultResult(thrown)
  }
  const { status, registration, service } = result.outcome ?? { status: 'error' }
  const data = { verb: tool.verb, status, registration, service }
  // A stream that nobody reads any more must not undo what was done.
  await writer?.custom({ type: 'data-authmd', data }).catch(() => {})
  return result
}
