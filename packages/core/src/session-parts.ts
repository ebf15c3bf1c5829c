import type { Verb } from './consent/action.ts'
import type { Consents } from './consent/consents.ts'
import type { Contacts } from './consent/contacts.ts'
import type { Call } from './consent/ledger.ts'
import type { Profiles } from './discovery/profiles.ts'
import type { Engine } from './engine/engine.ts'
import type { Recipes } from './engine/recipes.ts'
import type { Waiters } from './engine/waiters.ts'
import type { AuthEvent } from './events.ts'
import type { NetOptions } from './net/transport.ts'
import type { KeySource } from './operator-key.ts'
import type { Outcome } from './outcome.ts'
import type { Owner } from './owner.ts'
import type { OwnerIdentity } from './people/mailbox.ts'
import type { PaymentHook } from './use/paid.ts'
import type { Redactor } from './use/redactor.ts'
import type { Credentials } from './vault/credentials.ts'

export interface SessionParts {
  readonly owner: Owner
  readonly engine: Engine
  readonly recipes: Recipes
  readonly waiters: Waiters
  readonly profiles: Profiles
  readonly credentials: Credentials
  readonly consents: Consents
  readonly contacts: Contacts
  readonly net: NetOptions
  readonly now: () => number
  readonly identity: () => Promise<OwnerIdentity>
  readonly codesThroughModel: boolean
  readonly keys: KeySource | undefined
  readonly onPaymentRequired: PaymentHook | undefined
  /** Does a verb, and tells of it: events, traces and the application's hook. */
  readonly perform: (verb: Verb, call: Call, act: () => Promise<Outcome>) => Promise<Outcome>
  readonly emit: (event: AuthEvent) => void
}

/** With what takes every live secret of the owner out of a text. */
export type WithRedactor = SessionParts & { readonly redactor: () => Promise<Redactor> }
