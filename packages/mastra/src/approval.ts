import {
  type Action,
  type AuthTool,
  type Call,
  namedInput,
  type Owner,
  type Session,
  sameOwner,
  type ToolBook,
} from '@authmd/core'
import type { SessionFor } from './owner.ts'

export const channel = 'mastra'
const remembered = 1000

/** What Mastra's hooks say of a call. */
type Hooked = { readonly toolCallId: string; readonly input?: unknown }

/** A call as far as the hooks have told of it in this process. */
interface Known {
  readonly key: string
  /** `resumed`: the loop went on with it after a pause, nobody having announced it as new. */
  readonly at: 'announced' | 'begun' | 'resumed'
  /** What `requireApproval` found out about it. */
  gate?: { session?: Session; action?: Action; done?: string }
  /** The identical call of the same turn that was carried out before it. */
  twin?: string | undefined
}

/**
 * Decides for our tools whether a person is asked, and which executions count as answered.
 *
 * Mastra runs a tool that it has asked about only after a yes; but it runs others as well, and `execute`
 * is not told which it is. So the question is written down under the id of the call that Mastra puts it
 * for, and an execution counts as answered only where the loop has just resumed that call, for the owner
 * that `requireApproval` was told of. Whether that question stands is for core's ledger to say.
 */
export class Gate {
  readonly sessionFor: SessionFor
  readonly #approver: string | ((owner: Owner) => string)
  readonly tools: ToolBook
  /** The name under which what waits is written down. */
  readonly queue: string
  readonly #calls = new Map<string, Known>()

  constructor(
    tools: ToolBook,
    sessionFor: SessionFor,
    approver: string | ((owner: Owner) => string) = `unknown via ${channel}`,
    queue: string = channel,
  ) {
    this.queue = queue
    this.tools = tools
    this.sessionFor = sessionFor
    this.#approver = approver
  }

  /** The model has made a call, or the input of one is shown again. */
  announced(tool: AuthTool, { toolCallId, input }: Hooked): undefined {
    const key = keyOf(tool, input)
    if (!this.#calls.has(toolCallId + key)) this.#keep(toolCallId, { key, at: 'announced' })
  }

  /** The loop begins with a call, or goes on with it after a pause. */
  entered(tool: AuthTool, { toolCallId, input }: Hooked): void {
    const key = keyOf(tool, input)
    const known = this.#calls.get(toolCallId + key)
    this.#keep(toolCallId, { key, at: known ? 'begun' : 'resumed', twin: known?.twin })
  }

  /** `requireApproval`: it is told whose call it is but not which; calls come as they entered. */
  async asks(tool: AuthTool, input: unknown, requestContext: unknown): Promise<boolean> {
    const key = keyOf(tool, input)
    const same = [...this.#calls.values()].filter((one) => one.key === key && !one.gate)
    const call = same.find((one) => one.at !== 'announced')
    const gate: NonNullable<Known['gate']> = {}
    if (call) call.gate = gate
    try {
      const session = await this.sessionFor(requestContext)
      gate.session = session
      const action = await tool.preview(session, input)
      if (action === undefined) return false
      gate.action = action
      const { kind } = await session.look(action, { channel })
      if (kind === 'open' || kind === 'denied') return false
      if (call?.twin === undefined) return true
      const twin = await session.look(action, { channel, callId: call.twin })
      if (twin.kind === 'done') gate.done = call.twin
      return twin.kind !== 'done'
    } catch {
      // Not decided here: core's own check stands before everything that binds, and the tool says
      // what is wrong in words of ours.
      return false
    }
  }

  /** Mastra shows its question to the person, or that it was answered with no. Returns the words. */
  async shown(tool: AuthTool, hooked: Hooked): Promise<string | undefined> {
    const { toolCallId: callId, input } = hooked
    const { at, gate } = this.#forget(callId + keyOf(tool, input)) ?? {}
    const { session, action } = gate ?? {}
    // A denial can be told from a question by this key alone: both are shown after a resume.
    const denied = at === 'resumed' && !('suspendPayload' in hooked)
    if (session && denied) await this.#answer(session, callId, false)
    else if (session && action) await session.ask(action, { channel, callId })
    return action?.summary
  }

  /**
   * An executed call as core knows it; undefined where it was resumed for another owner. `suspended`:
   * it goes on after a pause of its own, at which nobody was asked for a yes.
   */
  async executed(
    tool: AuthTool,
    { toolCallId, input }: Hooked,
    session: Session,
    suspended: boolean,
  ): Promise<Call | undefined> {
    const key = keyOf(tool, input)
    const { at, gate } = this.#forget(toolCallId + key) ?? {}
    if (gate?.session && !sameOwner(gate.session.owner, session.owner)) return undefined
    for (const one of this.#calls.values()) {
      if (one.key === key && one.at === 'announced') one.twin = toolCallId
    }
    if (at === 'resumed' && gate?.session && !suspended) {
      await this.#answer(session, toolCallId, true)
    }
    return { channel, callId: gate?.done ?? toolCallId }
  }

  /** A call is over. */
  finished(tool: AuthTool, { toolCallId, input }: Hooked): undefined {
    this.#forget(toolCallId + keyOf(tool, input))
  }

  async #answer(session: Session, callId: string, approved: boolean): Promise<void> {
    const question = await session.asked({ channel, callId })
    const decision = { approved, approver: this.approverFor(session), channel }
    if (question) await session.decide(question.id, decision)
  }

  /** Who speaks for the owner of a session. */
  approverFor({ owner }: Session): string {
    return typeof this.#approver === 'string' ? this.#approver : this.#approver(owner)
  }

  #forget(name: string): Known | undefined {
    const call = this.#calls.get(name)
    this.#calls.delete(name)
    return call
  }

  /** Puts a call last, and forgets the oldest beyond what is remembered. */
  #keep(toolCallId: string, call: Known): void {
    this.#calls.delete(toolCallId + call.key)
    this.#calls.set(toolCallId + call.key, call)
    const [oldest] = this.#calls.keys()
    if (this.#calls.size > remembered && oldest !== undefined) this.#calls.delete(oldest)
  }
}

function keyOf({ name, inputSchema }: AuthTool, input: unknown): string {
  return ` ${JSON.stringify([name, namedInput(inputSchema, input)])}`
}
