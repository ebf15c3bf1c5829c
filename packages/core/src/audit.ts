import type { Action, Effect } from './consent/action.ts'
import type { AuthEvent, AuthListener, Ending } from './events.ts'
import type { Owner } from './owner.ts'

/** Who did what, for whom, by which consent, when, and what came of it: one line of JSON. */
export interface AuditRecord {
  /** ISO 8601, UTC. */
  readonly time: string
  readonly event: AuthEvent['type']
  /** Who decided: a person, as the application names them, or the policy. Absent where nobody had to. */
  readonly who?: string
  readonly what: {
    readonly verb?: string
    readonly service?: string
    readonly method?: string
    readonly registration?: string
    /** A handle. */
    readonly credential?: string
    /** As the person was shown them, but for the body of a request, of which its hash is here. */
    readonly effects?: readonly object[]
    /** Method and address without query. */
    readonly request?: string
    readonly [more: string]: unknown
  }
  readonly forWhom?: Owner
  /** The consent's id: the lines of one consent have it in common. */
  readonly consent?: string
  /** How the decision or the call came. */
  readonly channel?: string
  readonly outcome?: Partial<Ending> | { readonly status: string }
}

const maxText = 2_000
const maxItems = 100

/**
 * A listener for `onEvent` that makes a line of JSON of each event, without its line end, for `write`. Lines are
 * handed over in the order of events and before what they tell of goes on: a consent's before its request is sent.
 * Where `write` gives a promise, nothing waits for it, and the next line does not either.
 *
 * A line holds owners, approvers and addresses of people, and never a secret. Whatever a service or a person
 * wrote stays inside it: control characters, line separators and invisible ones are escaped, long texts cut.
 *
 * Where `write` throws or rejects, the verb goes on. `failed` gets the line, so that it can be put elsewhere, and
 * other listeners get the event `unheard`.
 *
 * @example
 * const onEvent = auditLines((line) => out.write(`${line}\n`), (line) => console.error(line))
 */
export function auditLines(
  write: (line: string) => unknown,
  failed: (line: string, error: unknown) => void,
): AuthListener {
  return (event) => {
    const record = auditRecord(event)
    if (record === undefined) return undefined
    const line = auditLine(record)
    const lost = (error: unknown): never => {
      failed(line, error)
      throw error
    }
    let result: unknown
    try {
      result = write(line)
    } catch (error) {
      return lost(error)
    }
    return result instanceof Promise ? result.catch(lost) : undefined
  }
}

/** JSON on one line, whatever reads it as lines. */
export function auditLine(record: object): string {
  return JSON.stringify(record, cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    [...Array(found.length).keys()].map((at) => escaped(found.charCodeAt(at))).join(''),
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

function cut(_: string, value: unknown): unknown {
  if (typeof value === 'string' && value.length > maxText) return `${value.slice(0, maxText)}…`
  if (!Array.isArray(value) || value.length <= maxItems) return value
  return [...value.slice(0, maxItems), `… ${value.length - maxItems} more`]
}

/** Undefined for an event that tells of nothing that was done. */
function auditRecord(event: AuthEvent): AuditRecord | undefined {
  const { type } = event
  const head = { time: new Date(event.at).toISOString(), event: type }
  switch (type) {
    case 'verb': {
      const { verb, owner, channel, service, registration, credential, consent } = event
      const what = { verb, service, registration, credential }
      const who = event.code === 'policy_denied' ? { who: 'policy' } : {}
      const outcome = resultOf(event)
      return {
        ...head,
        ...who,
        what,
        forWhom: owner,
        ...(consent && { consent }),
        channel,
        outcome,
      }
    }
    case 'decision': {
      const { approved, channel } = event
      return { ...head, ...consented(event), channel, outcome: { status: said(approved) } }
    }
    case 'redeemed':
      return { ...head, ...consented(event), channel: event.channel }
    case 'settled':
      return { ...head, ...consented(event), outcome: resultOf(event.ending) }
    case 'request': {
      const { service, credential, owner, method, url, httpStatus, code } = event
      const what = { service, credential, request: `${method} ${url}` }
      const outcome = code === undefined ? { httpStatus } : { status: 'failed' as const, code }
      return { ...head, what, forWhom: owner, outcome }
    }
    case 'refresh': {
      // Of all that waited, the one that asked tells of it.
      if (event.status === 'shared') return undefined
      return { ...head, ...owned(event), outcome: { status: event.status } }
    }
    case 'imported':
      return { ...head, ...owned(event) }
    case 'shared': {
      const { service, credential, owner, to, verbs } = event
      return { ...head, what: { service, credential, to, verbs }, forWhom: owner }
    }
    case 'unshared': {
      const { credential, owner, to } = event
      return { ...head, what: { credential, to }, forWhom: owner }
    }
    case 'ended':
      return { ...head, ...owned(event), outcome: { verdict: event.verdict } }
    case 'erased': {
      const { owner, records, damaged } = event
      return { ...head, what: { records, damaged }, forWhom: owner }
    }
    case 'changed': {
      const { owner, service, changes } = event
      return { ...head, what: { service, changes }, forWhom: owner }
    }
    case 'damaged':
      return { ...head, what: { record: event.record } }
    case 'unnotified':
      return { ...head, what: { need: event.need }, forWhom: event.owner }
    case 'unheard':
      return { ...head, what: { of: event.of } }
  }
}

function said(approved: boolean): string {
  return approved ? 'approved' : 'denied'
}

function consented(event: {
  readonly approver: string
  readonly action: Action
  readonly consent: string
}) {
  const { approver, action, consent } = event
  const { verb, service, method, registration, effects, owner } = action
  const what = { verb, service, method, registration, effects: effects.map(withoutBody) }
  return { who: approver, what, forWhom: owner, consent }
}

function withoutBody(effect: Effect): object {
  if (effect.kind !== 'unsafe-request') return effect
  const { body: _, ...rest } = effect
  return rest
}

function owned(event: {
  readonly service: string
  readonly credential: string
  readonly owner: Owner
}) {
  const { service, credential, owner } = event
  return { what: { service, credential }, forWhom: owner }
}

function resultOf({ status, code, verdict, httpStatus, captured }: Ending): Partial<Ending> {
  return {
    status,
    ...(code && { code }),
    ...(verdict && { verdict }),
    ...(httpStatus && { httpStatus }),
    ...(captured && { captured }),
  }
}
