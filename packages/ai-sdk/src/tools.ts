import {
  AuthError,
  type AuthErrorCode,
  type AuthTool,
  authTools,
  type Outcome,
  type Session,
  type ToolResult,
  type Verb,
} from '@authmd/core'
import { type Tool, tool } from 'ai'
import type { z } from 'zod'
import { channel, type Gate } from './approval.ts'
import { ownerContext } from './owner.ts'

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

type Input<V extends Verb> = NonNullable<Parameters<Session[V]>[0]>

/** The five tools, a `ToolSet` of the SDK. */
export type AuthToolSet<CONTEXT = Record<string, unknown>> = {
  readonly [V in Verb as `auth_${V}`]: Tool<Input<V>, AuthToolOutput, CONTEXT>
}

export function makeTools(gate: Gate, inContext: boolean): AuthToolSet {
  const made = authTools.map((one) => [one.name, makeTool(one, gate, inContext)])
  return Object.fromEntries(made) as AuthToolSet
}

function makeTool(one: AuthTool, gate: Gate, inContext: boolean): unknown {
  const { title, description } = one
  const inputSchema = one.inputSchema as z.ZodType<unknown>
  return tool<unknown, AuthToolOutput, Record<string, unknown>>({
    title,
    description,
    inputSchema,
    ...(inContext ? { contextSchema: ownerContext as z.ZodType<Record<string, unknown>> } : {}),
    needsApproval: async (...said) => (await gate.status(one, ...said)).type === 'user-approval',
    execute: async (input, options) => {
      // Not looked at later: a request that binds somebody is not cut off before its answer is read.
      if (options.abortSignal?.aborted) throw new AuthError('aborted', 'aborted; nothing was done')
      const call = { channel, callId: options.toolCallId }
      return output(await one.run(gate.sessionFor(options.context), input, call))
    },
    toModelOutput: ({ output }) => ({ type: 'text', value: textOf(output) }),
  })
}

function output({ text, outcome, error }: ToolResult): AuthToolOutput {
  if (error) return { text, error: { code: error.code, message: error.message } }
  return outcome ? { text, outcome } : { text }
}

/** Outputs come back from a browser when a chat goes on, so that they may be anything. */
function textOf(output: unknown): string {
  const text = (output as AuthToolOutput | undefined)?.text
  return typeof text === 'string' ? text : 'error: this result is not readable'
}
