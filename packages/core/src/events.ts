import type { Action, Verb } from './consent/action.ts'
import { AuthError, type AuthErrorCode } from './errors.ts'
import type { Outcome, OutcomeOf, RefusalCode, ShareVerb } from './outcome.ts'
import type { Owner } from './owner.ts'
import type { DamagedRecord } from './vault/store.ts'

/** What came of a verb, without anybody's words. */
export interface Ending {
  /** The outcome's; `failed` where the verb threw instead. */
  readonly status: Outcome['status'] | 'failed'
  /** Why it was refused, or the error that was thrown; `unknown` for one that is no `AuthError`. */
  readonly code?: RefusalCode | AuthErrorCode | 'unknown'
  readonly verdict?: OutcomeOf<'ended'>['verdict']
  readonly httpStatus?: number
  readonly service?: string
  readonly registration?: string
  /** A handle. */
  readonly credential?: string
  /** Handles of credentials that the service's answer held, now in the vault. */
  readonly captured?: readonly string[]
  /** With `needs_consent`: the question that is open. */
  readonly consent?: string
}

/** A consent, at one point of its life. */
interface Consented {
  readonly at: number
  readonly consent: string
  /** What it is for, and for whom. */
  readonly action: Action
  /** Who decided: a person, as the application names them, or `policy: …` with the rule. */
  readonly approver: string
}

/** One thing that happened to a service or a credential of an owner. */
interface Owned {
  readonly at: number
  readonly owner: Owner
  readonly service: string
}

/** What happened, for logs and audits. Holds no secret. `at` is in epoch milliseconds. */
export type AuthEvent =
  /** A verb has ended. `channel` is how it was called. */
  | ({
      readonly type: 'verb'
      readonly at: number
      readonly verb: Verb
      readonly owner: Owner
      readonly channel: string
    } & Ending)
  /** A person or a policy has decided. Written down before it is told. */
  | (Consented & {
      readonly type: 'decision'
      readonly approved: boolean
      /** How the decision came. */
      readonly channel: string
      readonly askedAt: number
    })
  /** A consent is used up: what it is for is done next. `channel` is that of the call that does it. */
  | (Consented & { readonly type: 'redeemed'; readonly channel: string })
  /** What came of it. `open`: nothing was done yet, and it can be redeemed again. */
  | (Consented & { readonly type: 'settled'; readonly open: boolean; readonly ending: Ending })
  /** A request went out with a credential, by `use` or `session.fetch`. */
  | (Owned & {
      readonly type: 'request'
      readonly credential: string
      readonly method: string
      /** Without its query. */
      readonly url: string
      /** Of the answer; absent where there was none. */
      readonly httpStatus?: number
      readonly code?: Ending['code']
    })
  /** A call needed a newer credential. */
  | (Owned & {
      readonly type: 'refresh'
      readonly credential: string
      readonly status: RefreshStatus
    })
  /** The application put a credential of its own into the vault. */
  | (Owned & { readonly type: 'imported'; readonly credential: string })
  /** The application let another owner, `to`, do something with a credential of this one. */
  | (Owned & {
      readonly type: 'shared'
      readonly credential: string
      readonly to: Owner
      readonly verbs: readonly ShareVerb[]
    })
  /** What `to` was given of this owner's credential was taken back. */
  | {
      readonly type: 'unshared'
      readonly at: number
      readonly owner: Owner
      readonly credential: string
      readonly to: Owner
    }
  /** The secret of a credential was deleted here. */
  | (Owned & {
      readonly type: 'ended'
      readonly credential: string
      readonly verdict: OutcomeOf<'ended'>['verdict']
    })
  /** An operator deleted every record of an owner that can be read. */
  | {
      readonly type: 'erased'
      readonly at: number
      readonly owner: Owner
      readonly records: number
      readonly damaged: number
    }
  /** A service names other addresses than when it was last read. Registrations that run keep theirs. */
  | (Owned & {
      readonly type: 'changed'
      /** One sentence an address. Holds the service's words. */
      readonly changes: readonly string[]
    })
  /** A stored record cannot be read. It was left as it is; what else is stored is not affected. */
  | { readonly type: 'damaged'; readonly at: number; readonly record: DamagedRecord }
  /** `onPersonNeeded` failed: nobody was told. It is called again with the next report. */
  | {
      readonly type: 'unnotified'
      readonly at: number
      readonly owner: Owner
      readonly need: 'consent' | 'need'
    }
  /** One of several listeners failed with an event; the others are told. */
  | { readonly type: 'unheard'; readonly at: number; readonly of: AuthEvent['type'] }

/**
 * `renewed`: this call asked the service · `shared`: another call or process did, and this one waited ·
 * `ended`: there will be no newer one · `later`: it did not work yet.
 */
export type RefreshStatus = 'renewed' | 'shared' | 'ended' | 'later'

/** Told of what happened. What it throws, or rejects with, changes nothing. */
export type AuthListener = (event: AuthEvent) => unknown

/** Tells all listeners, in their order, before it returns; none of them can stop what goes on. */
export function announcing(listeners: readonly AuthListener[]): (event: AuthEvent) => void {
  return (event) => {
    for (const listener of listeners) {
      aside(
        () => listener(event),
        () => {
          const unheard: AuthEvent = { type: 'unheard', at: event.at, of: event.type }
          const others = listeners.filter((one) => one !== listener)
          for (const other of others) aside(() => other(unheard))
        },
      )
    }
  }
}

/** Calls code of the application's that must not matter: neither an error nor a rejection gets out. */
export function aside(call: () => unknown, failed: () => void = () => {}): void {
  try {
    const result = call()
    const then = (result as { then?: unknown } | null | undefined)?.then
    if (typeof then === 'function') Promise.resolve(result).catch(failed)
  } catch {
    failed()
  }
}

export function endingOf(outcome: Outcome): Ending {
  const { status, service, registration } = outcome
  return {
    status,
    ...(service === undefined ? {} : { service }),
    ...(registration === undefined ? {} : { registration }),
    ...particulars(outcome),
  }
}

function particulars(outcome: Outcome): Omit<Ending, 'status'> {
  switch (outcome.status) {
    case 'ready':
      return { credential: outcome.credential.handle }
    case 'needs_consent':
      return { consent: outcome.consent }
    case 'refused': {
      const { code, httpStatus } = outcome
      return httpStatus === undefined ? { code } : { code, httpStatus }
    }
    case 'answered': {
      const { credential, answer } = outcome
      const { status: httpStatus, captured } = answer
      return { credential, httpStatus, ...(captured.length === 0 ? {} : { captured }) }
    }
    case 'ended':
      return { verdict: outcome.verdict }
    default:
      return {}
  }
}

/** What was thrown, as a word. */
export function codeOf(error: unknown): AuthErrorCode | 'unknown' {
  if (AuthError.isInstance(error)) return error.code
  const { name } = (error ?? {}) as { name?: unknown }
  if (name === 'AbortError') return 'aborted'
  return name === 'TimeoutError' ? 'response_timeout' : 'unknown'
}
