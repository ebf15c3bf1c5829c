import type { Action, AuthTool, Session, Standing, ToolBook } from '@authmd/core'
import type {
  ModelMessage,
  SingleToolApprovalFunction,
  ToolApprovalConfiguration,
  ToolApprovalStatus,
  ToolSet,
} from 'ai'
import { answersIn, isAnswered } from './messages.ts'
import type { SessionFor } from './owner.ts'

export const channel = 'ai-sdk'

/** A status of the SDK in its object form. */
export type Status = Extract<ToolApprovalStatus, { type: string }>

/** What the SDK says with a call. */
export interface CallOptions {
  readonly toolCallId: string
  readonly messages: readonly ModelMessage[]
  readonly context: unknown
}

/**
 * A `toolApproval` setting that goes with any tools: the SDK's own type names the tools, and would
 * have the tools inferred from the approvals.
 */
export type MergedApproval<RUNTIME> = ApprovalFunction<RUNTIME> | Readonly<ApprovalRecord<RUNTIME>>
type ApprovalFunction<RUNTIME> = (options: {
  toolCall: { toolName: string; toolCallId: string; input: unknown }
  tools: unknown
  toolsContext: unknown
  runtimeContext: RUNTIME
  messages: ModelMessage[]
}) => ToolApprovalStatus | PromiseLike<ToolApprovalStatus>
type ApprovalRecord<RUNTIME> = Record<
  string,
  ToolApprovalStatus | SingleToolApprovalFunction<unknown, unknown, RUNTIME>
>

/** Decides for our tools whether the SDK runs a call, asks the person first, or refuses it. */
export class Gate {
  readonly tools: ToolBook
  readonly sessionFor: SessionFor
  readonly #approver: string

  constructor(tools: ToolBook, sessionFor: SessionFor, approver: string | undefined) {
    this.tools = tools
    this.sessionFor = sessionFor
    this.#approver = approver ?? `unknown via ${channel}`
  }

  /**
   * The status of a call, both when the model has just made it and when the SDK is about to run it
   * after an answer. In the second case no question is put: one that never was must not be put by its
   * answer.
   */
  async status(tool: AuthTool, input: unknown, options: CallOptions): Promise<Status> {
    const { toolCallId: callId, messages } = options
    try {
      const session = this.sessionFor(options.context)
      await this.#recordAnswers(session, messages)
      const action = await tool.preview(session, input)
      if (action === undefined) return { type: 'not-applicable' }
      const resumed = isAnswered(messages, callId)
      const standing = await session[resumed ? 'look' : 'ask'](action, { channel, callId })
      return statusOf(standing, action)
    } catch {
      // Not decided here: core's own check stands before everything that binds, and the tool says
      // what is wrong in words of ours.
      return { type: 'not-applicable' }
    }
  }

  /**
   * Writes down what the person answered just now, and any earlier no: of that the SDK tells nobody.
   * Some providers count their call ids from the start again, so that the words must match as well.
   */
  async #recordAnswers(session: Session, messages: readonly ModelMessage[]): Promise<void> {
    for (const { approved, call, question, now } of answersIn(messages)) {
      const tool = this.tools.get(call.toolName)
      if (tool === undefined || (approved && !now)) continue
      const asked = await session.asked({ channel, callId: call.toolCallId })
      if (asked === undefined) continue
      const words = question ?? (await tool.preview(session, call.input))?.summary
      if (words !== asked.action.summary) continue
      await session.decide(asked.id, { approved, approver: this.#approver, channel })
    }
  }

  /** The application's own approvals, with ours for our tools. */
  merge<TOOLS extends ToolSet, RUNTIME>(
    theirs: ToolApprovalConfiguration<TOOLS, RUNTIME> | undefined,
  ): MergedApproval<RUNTIME> {
    if (typeof theirs === 'function') {
      return async (options) => {
        const { toolCall, messages, toolsContext } = options
        const { toolName, toolCallId, input } = toolCall
        const said = theirs(options as Parameters<typeof theirs>[0])
        const tool = this.tools.get(toolName)
        if (tool === undefined) return said
        const context = (toolsContext as Readonly<Record<string, unknown>> | undefined)?.[toolName]
        return this.#stricter(await said, tool, input, { toolCallId, messages, context })
      }
    }
    // A record, where theirs is not a function: the SDK then still asks their tools' `needsApproval`.
    const record = { ...theirs } as ApprovalRecord<RUNTIME>
    for (const tool of this.tools.all) {
      const { name } = tool
      const own = record[name]
      record[name] = async (input, options) => {
        const said = typeof own === 'function' ? await own(input, options) : own
        return this.#stricter(said, tool, input, { ...options, context: options.toolContext })
      }
    }
    return record
  }

  /** Ours decides for our tools; theirs can only refuse, or ask where we would not. */
  async #stricter(theirs: ToolApprovalStatus, ...asked: Parameters<Gate['status']>) {
    const said: Status = typeof theirs === 'object' ? theirs : { type: theirs ?? 'not-applicable' }
    if (said.type === 'denied') return said
    const own = await this.status(...asked)
    return own.type === 'not-applicable' && said.type === 'user-approval' ? said : own
  }
}

function statusOf(standing: Standing, action: Action): Status {
  switch (standing.kind) {
    case 'asked':
      return { type: 'user-approval', reason: action.summary }
    case 'denied':
      return { type: 'denied', reason: 'The person said no to this. Do not ask for it again.' }
    case 'none':
      return { type: 'denied', reason: 'This was not asked, or too long ago. Make a new call.' }
    default:
      // Agreed to already, or done already by this very call: core knows which.
      return { type: 'not-applicable' }
  }
}
