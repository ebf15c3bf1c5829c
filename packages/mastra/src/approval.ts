import type { Action, Call, Owner, Session, Verb } from '@authmd/core'
import { authTools } from '@authmd/core'
import { type SessionFor, sameOwner } from './owner.ts'

export const channel = 'mastra'
const remembered = 1000

/** What Mastra's hooks say of a call. */
interface Hooked {
  readonly toolCallId: string
  readonly input?: unknown
}

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
  readonly approver: string
  readonly #calls = new Map<string, Known>()
  /** Answers that came when their question could not be told any more: its puzzle had expired. */
  readonly #answers = new Map<string, { owner: Owner; approved: boolean }>()

  constructor(sessionFor: SessionFor, approver: string = `unknown via ${channel}`) {
    this.sessionFor = sessionFor
    this.approver = approver
  }

  /** The model has made a call, or the input of one is shown again. */
  announced(verb: Verb, { toolCallId, input }: Hooked): undefined {
    const key = keyOf(verb, input)
    if (!this.#calls.has(toolCallId + key)) {
      keep(this.#calls, toolCallId + key, { key, at: 'announced' })
    }
  }

  /** The loop begins with a call, or goes on with it after a pause. */
  entered(verb: Verb, { toolCallId, input }: Hooked): void {
    const key = keyOf(verb, input)
    const known = this.#calls.get(toolCallId + key)
    const at = known ? 'begun' : 'resumed'
    keep(this.#calls, toolCallId + key, { key, at, twin: known?.twin })
  }

  /** `requireApproval`: it is told whose call it is but not which; calls come as they entered. */
  async asks(verb: Verb, input: unknown, requestContext: unknown): Promise<boolean> {
    const key = keyOf(verb, input)
    const entered = [...this.#calls.values()].filter((one) => one.key === key && !one.gate)
    const call = entered.find((one) => one.at !== 'announced')
    const gate: NonNullable<Known['gate']> = {}
    if (call) call.gate = gate
    try {
      const session = await this.sessionFor(requestContext)
      gate.session = session
      const action = await session.preview(verb, inputOf(verb, input))
      if (action === undefined) return false
      gate.action = action
      const { kind } = await session.look(action, { channel })
      if (kind === 'open' || kind === 'denied') return false
      if (await this.#answeredBefore(session, action)) return false
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
  async shown(verb: Verb, hooked: Hooked): Promise<string | undefined> {
    const { toolCallId: callId, input } = hooked
    const call = this.#forget(callId + keyOf(verb, input))
    const { session, action } = call?.gate ?? {}
    if (session === undefined) return undefined
    // A denial can be told from a question by this key alone: both are shown after a resume.
    if (call?.at !== 'resumed' || 'suspendPayload' in hooked) {
      if (action) await session.ask(action, { channel, callId })
    } else if (action) {
      const standing = await session.look(action, { channel, callId })
      if (standing.kind === 'asked') await this.#decide(session, standing.consent.id, false)
    } else {
      keep(this.#answers, callId, { owner: session.owner, approved: false })
    }
    return action?.summary
  }

  /**
   * An executed call as core knows it; undefined where it was resumed for another owner. `suspended`:
   * it goes on after a pause of its own, at which nobody was asked for a yes.
   */
  executed(
    verb: Verb,
    { toolCallId, input }: Hooked,
    { owner }: Session,
    suspended: boolean,
  ): Call | undefined {
    const key = keyOf(verb, input)
    const { at, gate } = this.#forget(toolCallId + key) ?? {}
    if (gate?.session && !sameOwner(gate.session.owner, owner)) return undefined
    for (const one of this.#calls.values()) {
      if (one.key === key && one.at === 'announced') one.twin = toolCallId
    }
    const call: Call = { channel, callId: gate?.done ?? toolCallId }
    if (at !== 'resumed' || gate?.session === undefined || suspended) return call
    if (!gate.action) keep(this.#answers, toolCallId, { owner, approved: true })
    return { ...call, answered: { approver: this.approver } }
  }

  /** A call is over. */
  finished(verb: Verb, { toolCallId, input }: Hooked): undefined {
    this.#forget(toolCallId + keyOf(verb, input))
  }

  #forget(name: string): Known | undefined {
    const call = this.#calls.get(name)
    this.#calls.delete(name)
    return call
  }

  /** Whether a question that stands open was answered through an earlier call. */
  async #answeredBefore(session: Session, action: Action): Promise<boolean> {
    for (const [callId, { owner, approved }] of this.#answers) {
      if (!sameOwner(owner, session.owner)) continue
      const standing = await session.look(action, { channel, callId })
      if (standing.kind !== 'asked') continue
      this.#answers.delete(callId)
      await this.#decide(session, standing.consent.id, approved)
      return true
    }
    return false
  }

  #decide(session: Session, consent: string, approved: boolean): Promise<void> {
    return session.decide(consent, { approved, approver: this.approver, channel })
  }
}

/** The input that the tool's schema names. A model that must name every field says null for none. */
export function inputOf(verb: Verb, input: unknown): Record<string, unknown> {
  const schema = authTools.find((tool) => tool.verb === verb)?.inputSchema
  const given = (input ?? {}) as Readonly<Record<string, unknown>>
  const named = Object.keys(schema?.shape ?? {}).map((name) => [name, given[name]] as const)
  return Object.fromEntries(named.filter(([, value]) => value !== undefined && value !== null))
}

function keyOf(verb: Verb, input: unknown): string {
  return ` ${JSON.stringify([verb, inputOf(verb, input)])}`
}

/** Puts an entry last, and forgets the oldest beyond what is remembered. */
function keep<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name)
  map.set(name, value)
  const [oldest] = map.keys()
  if (map.size > remembered && oldest !== undefined) map.delete(oldest)
}
