import {
  AuthError,
  type AuthTool,
  type Session,
  seeThrough,
  type ToolOutput,
  toolOutput,
  type Verb,
} from '@authmd/core'
import { type Tool, tool } from 'ai'
import type { z } from 'zod'
import { channel, type Gate } from './approval.ts'
import { ownerContext } from './owner.ts'

/** What a tool gives the application and its UI. The model is given the text alone. */
export type AuthToolOutput = ToolOutput

type Input<V extends Verb> = NonNullable<Parameters<Session[V]>[0]>

/** The five tools, a `ToolSet` of the SDK. */
export type AuthToolSet<CONTEXT = Record<string, unknown>> = {
  readonly [V in Verb as `auth_${V}`]: Tool<Input<V>, AuthToolOutput, CONTEXT>
}

export interface ToolParts {
  readonly gate: Gate
  readonly inContext: boolean
  readonly patienceMs: number
  /** Holds every output that is made. */
  readonly made: WeakSet<object>
}

export function makeTools(tools: readonly AuthTool[], parts: ToolParts): object {
  return Object.fromEntries(tools.map((one) => [one.name, makeTool(one, parts)]))
}

function makeTool(one: AuthTool, { gate, inContext, patienceMs, made }: ToolParts): unknown {
  const { title, description } = one
  const inputSchema = one.inputSchema as z.ZodType<unknown>
  return tool<unknown, AuthToolOutput, Record<string, unknown>>({
    title,
    description,
    inputSchema,
    ...(inContext ? { contextSchema: ownerContext as z.ZodType<Record<string, unknown>> } : {}),
    needsApproval: async (...said) => (await gate.status(one, ...said)).type === 'user-approval',
    async *execute(input, { toolCallId: callId, abortSignal: signal, context }) {
      // Not looked at while it runs: a request that binds somebody is not cut off before its answer is read.
      if (signal?.aborted) throw new AuthError('aborted', 'aborted; nothing was done')
      const session = gate.sessionFor(context)
      const call = { channel, callId }
      const first = await one.run(session, input, call)
      for await (const result of seeThrough(session, first, call, { patienceMs, signal })) {
        const output = toolOutput(result)
        made.add(output)
        yield output
      }
    },
    toModelOutput: ({ output }) => ({ type: 'text', value: textOf(output) }),
  })
}

/** Outputs come back from a browser when a chat goes on, so that they may be anything. */
function textOf(output: unknown): string {
  const text = (output as AuthToolOutput | undefined)?.text
  return typeof text === 'string' ? text : 'error: this result is not readable'
}
