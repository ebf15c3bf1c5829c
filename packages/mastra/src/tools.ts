import type { Call, Outcome, Session, ToolResult, Verb } from '@authmd/core'
import { AuthError, type AuthErrorCode, type AuthTool, authTools } from '@authmd/core'
import { createTool, type Tool } from '@mastra/core/tools'
import { z } from 'zod'
import { channel, type Gate, inputOf } from './approval.ts'
import { type Pause, pauseOf, pauseSchema } from './pause.ts'

/**
 * What a tool gives the application and its UI: plain JSON without a secret. The model is given the
 * text alone.
 */
export interface AuthToolOutput {
  readonly text: string
  readonly outcome?: Outcome
  /** Set instead of `outcome` where the input was at fault or a store or a service broke. */
  readonly error?: { readonly code: AuthErrorCode; readonly message: string }
}

export type VerbInput<V extends Verb> = NonNullable<Parameters<Session[V]>[0]>

/** The five tools, as an `Agent` takes them. */
export type AuthToolSet = {
  readonly [V in Verb as `auth_${V}`]: Tool<VerbInput<V>, AuthToolOutput, Pause>
}

/** What is used of the context that Mastra gives a tool or a step. */
interface Context {
  readonly requestContext?: unknown
  readonly writer?: { custom(chunk: { type: `data-${string}`; data: unknown }): Promise<void> }
}

interface ToolContext extends Context {
  readonly abortSignal?: AbortSignal
  readonly agent?: {
    readonly toolCallId?: string
    readonly suspendPayload?: unknown
    readonly suspend?: (pause: Pause) => Promise<void>
  }
}

const unreadable =
  'What this call would do cannot be told here. Say no unless you know it from elsewhere.'

export function makeTools(gate: Gate): AuthToolSet {
  return Object.fromEntries(authTools.map((one) => [one.name, makeTool(one, gate)])) as AuthToolSet
}

function makeTool({ name, title, description, verb, inputSchema }: AuthTool, gate: Gate): unknown {
  const hints = { readOnlyHint: verb === 'discover', destructiveHint: /use|revoke/.test(verb) }
  return createTool({
    id: name,
    title,
    description,
    inputSchema: inputSchema as z.ZodType<Record<string, unknown>>,
    suspendSchema: pauseSchema,
    // Loose: data that fails here uses the pause up. None of it is believed anyway.
    resumeSchema: z.unknown(),
    mcp: { annotations: { title, ...hints } },
    requireApproval: (input, context) => gate.asks(verb, input, context?.requestContext),
    onInputAvailable: (call) => gate.entered(verb, call),
    transform: {
      display: {
        approval: async (call) => ({ text: (await gate.shown(verb, call)) ?? unreadable }),
        input: (call) => gate.announced(verb, call) ?? call.input,
        output: (call) => gate.finished(verb, call) ?? call.output,
        error: (call) => gate.finished(verb, call) ?? call.error,
        // As they are: for a phase that is left out Mastra shows a placeholder.
        inputDelta: ({ inputTextDelta }) => inputTextDelta,
        suspend: ({ suspendPayload }) => suspendPayload,
        resume: ({ resumeData }) => resumeData,
      },
    },
    toModelOutput: (output) => ({ type: 'text', value: (output as AuthToolOutput).text }),
    execute: async (given, mastra): Promise<AuthToolOutput | undefined> => {
      const { agent, abortSignal, ...context } = mastra as ToolContext
      // Not looked at later: a request that binds somebody is not cut off before its answer is read.
      if (abortSignal?.aborted) throw new AuthError('aborted', 'aborted; nothing was done')
      const input = inputOf(verb, given)
      const { toolCallId, suspendPayload, suspend } = agent ?? {}
      const next = goOn(verb, input, suspendPayload)
      const { text, outcome, error } = await run(gate, next, context, (session) => {
        // A call without an id is none that anybody was asked about.
        if (!toolCallId) return { channel }
        return gate.executed(verb, { toolCallId, input }, session, suspendPayload !== undefined)
      })
      const pause = outcome?.status === 'needs_person' ? pauseOf(next, outcome) : undefined
      if (pause && suspend) return void (await suspend(pause))
      if (error) return { text, error: { code: error.code, message: error.message } }
      return outcome ? { text, outcome } : { text }
    },
  })
}

/**
 * What a call does: after a pause it looks where its own registration stands. The data that it is
 * resumed with says nothing: a model can write some among its arguments.
 */
function goOn(verb: Verb, input: Pause['input'], kept: unknown): Pick<Pause, 'verb' | 'input'> {
  const registration = pauseSchema.safeParse(kept).data?.registration
  const own = (input.registration ?? registration) === registration
  if (verb !== 'register' || registration === undefined || !own) return { verb, input }
  return { verb: 'claim', input: { registration } }
}

/** Runs a verb for the owner of a request. What goes wrong is data: Mastra writes down what is thrown. */
export async function run(
  gate: Gate,
  { verb, input }: Pick<Pause, 'verb' | 'input'>,
  { requestContext, writer }: Context,
  callFor: (session: Session) => Call | undefined | Promise<Call>,
): Promise<ToolResult> {
  const tool = authTools.find((one) => one.verb === verb) as AuthTool
  let result: ToolResult
  try {
    const session = await gate.sessionFor(requestContext)
    const call = await callFor(session)
    if (call === undefined) throw new AuthError('owner_invalid', 'resumed for another owner')
    result = await tool.run(session, input, call)
  } catch (thrown) {
    const known = AuthError.isInstance(thrown)
    const error = known ? thrown : new AuthError('method_failed', 'authmd failed unexpectedly')
    result = { error, text: `error ${error.code}: ${error.message}` }
  }
  const { status, registration, service } = result.outcome ?? { status: 'error' }
  const data = { verb, status, registration, service }
  // A stream that nobody reads any more must not undo what was done.
  await writer?.custom({ type: 'data-authmd', data }).catch(() => {})
  return result
}
