import type { Verb } from './consent/action.ts'
import type { Outcome } from './outcome.ts'
import type { Owner } from './owner.ts'
import type { DamagedRecord } from './vault/store.ts'

/** What happened, for logs and audits. Holds no secret. */
export type AuthEvent =
  | {
      readonly type: 'verb'
      readonly at: number
      readonly verb: Verb
      readonly owner: Owner
      readonly status: Outcome['status']
      readonly service?: string
      readonly registration?: string
    }
  | {
      readonly type: 'decision'
      readonly at: number
      readonly consent: string
      readonly approved: boolean
      readonly approver: string
      readonly channel: string
    }
  /** A service names other addresses than when it was last read. Registrations that run keep theirs. */
  | {
      readonly type: 'changed'
      readonly at: number
      readonly owner: Owner
      readonly service: string
      /** One sentence an address. Holds the service's words. */
      readonly changes: readonly string[]
    }
  /** A stored record cannot be read. It was left as it is; what else is stored is not affected. */
  | { readonly type: 'damaged'; readonly at: number; readonly record: DamagedRecord }
  /** `onPersonNeeded` failed: nobody was told. It is called again with the next report. */
  | {
      readonly type: 'unnotified'
      readonly at: number
      readonly owner: Owner
      readonly need: 'consent' | 'need'
    }
