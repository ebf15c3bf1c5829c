import {
  type Action,
  authTools,
  type Call,
  type Session,
  type Standing,
  type Verb,
} from '@authmd/core'
import type {
  ModelMessage,
  SingleToolApprovalFunction,
  ToolApprovalConfiguration,
  ToolApprovalStatus,
  ToolSet,
} from 'ai'
import { answerNow, answersIn } from './messages.ts'
import type { SessionFor } from './owner.ts'

const channel = 'ai-sdk'

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
  readonly sessionFor: SessionFor
  readonly #approver: string

  constructor(sessionFor: SessionFor, approver: string | undefined) {
    this.sessionFor = sessionFor
    this.#approver = approver ?? `unknown via ${channel}`
  }

  /** The call as core knows it. It is `answered` only if a person's yes is why the SDK runs it now. */
  call({ toolCallId: callId, messages }: CallOptions): Call {
    const answered = answerNow(messages, callId) === true
    return { channel, callId, ...(answered ? { answered: { approver: this.#approver } } : {}) }
  }

  /**
   * The status of a call, both when the model has just made it and when the SDK is about to run it
   * after an answer. In the second case nothing is written: a question that was never put must not be
   * put by its answer.
   */
  async status(verb: Verb, input: unknown, options: CallOptions): Promise<Status> {
    const { toolCallId: callId, messages } = options
    try {
      const session = this.sessionFor(options.context)
      const resumed = answerNow(messages, callId) !== undefined
      if (!resumed) await this.#recordDenials(session, messages)
      const action = await session.preview(verb, input)
      if (action === undefined) return { type: 'not-applicable' }
      const call: Call = { channel, callId }
      const standing = resumed
        ? await session.look(action, call)
        : await this.#ask(session, action, call, messages)
      return statusOf(standing, action)
    } catch {
      // Not decided here: core's own check stands before everything that binds, and the tool says
      // what is wrong in words of ours.
      return { type: 'not-applicable' }
    }
  }

  /**
   * Puts the question. Where it stands open already and the history holds the answer that another call
   * got to it, that answer counts: the puzzle of that call may have expired while the person thought.
   */
  async #ask(session: Session, action: Action, call: Call, messages: readonly ModelMessage[]) {
    const standing = await session.ask(action, call)
    if (standing.kind !== 'asked') return standing
    const { id, calls } = standing.consent
    const others = new Set(calls.flatMap((one) => (one.channel === channel ? [one.callId] : [])))
    others.delete(call.callId)
    // Some providers count their call ids from the start again, so that the words must match as well.
    const earlier = answersIn(messages).filter(({ call: { toolCallId }, question }) => {
      return others.has(toolCallId) && question === action.summary
    })
    if (earlier.length === 0) return standing
    const approved = earlier.every((answer) => answer.approved)
    await session.decide(id, { approved, approver: this.#approver, channel })
    return session.look(action, call)
  }

  /** The SDK tells nobody of a no: it is seen in the history when the next call is made. */
  async #recordDenials(session: Session, messages: readonly ModelMessage[]): Promise<void> {
    for (const { approved, call } of answersIn(messages)) {
      const verb = verbOf(call.toolName)
      if (approved || verb === undefined) continue
      try {
        const action = await session.preview(verb, call.input)
        const asker = { channel, callId: call.toolCallId }
        const standing = action && (await session.look(action, asker))
        if (standing?.kind !== 'asked') continue
        await session.decide(standing.consent.id, { approved, approver: this.#approver, channel })
      } catch {
        // A call that core does not understand (any more) has no question that could be open.
      }
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
        const verb = verbOf(toolName)
        if (verb === undefined) return said
        const context = (toolsContext as Readonly<Record<string, unknown>> | undefined)?.[toolName]
        return this.#stricter(await said, verb, input, { toolCallId, messages, context })
      }
    }
    // A record, where theirs is not a function: the SDK then still asks their tools' `needsApproval`.
    const record = { ...theirs } as ApprovalRecord<RUNTIME>
    for (const { name, verb } of authTools) {
      const own = record[name]
      record[name] = async (input, options) => {
        const said = typeof own === 'function' ? await own(input, options) : own
        return this.#stricter(said, verb, input, { ...options, context: options.toolContext })
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

function verbOf(toolName: string): Verb | undefined {
  return authTools.find(({ name }) => name === toolName)?.verb
}
