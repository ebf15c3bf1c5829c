import type { Action } from './consent/action.ts'
import type { Offer } from './methods/method.ts'
import type { Owner } from './owner.ts'
import type { PaymentTerms } from './use/payment.ts'

/** Why a verb was refused, as a stable word. */
export type RefusalCode =
  | 'consent_denied'
  | 'policy_denied'
  | 'tools_changed'
  | 'answer_form'
  | 'person_input'
  | 'no_offer'
  | 'no_credential'
  | 'credential_invalid'
  | 'credential_revoked'
  | 'permission_denied'
  | 'rate_limited'
  | 'payment_required'
  | 'service_refused'
  | 'service_failed'
  | 'service_unreachable'
  | 'outside_audience'
  | 'identity_failed'
  | 'request_refused'
  | 'registration_ended'
  | 'expired'

/** What a person has to do, and what to show them. Never holds a secret. */
export interface PersonNeed {
  /**
   * `give-email`: an address to register with · `open-mail`: the link of a mail, handed over
   * outside the chat · `open-link`: do something on a page of the service · `paste-key`: make a key on
   * that page and hand it over outside the chat · `enter-code`: type `code` on that page ·
   * `read-code`: that page, or the page of a mail's link, shows a code to hand over.
   */
  readonly kind: 'give-email' | 'open-mail' | 'open-link' | 'paste-key' | 'enter-code' | 'read-code'
  /** One or two sentences for the person. */
  readonly text: string
  /** A page of the service, where there is one to open. */
  readonly url?: string
  /**
   * With `enter-code`: what the service gave to be typed on its page. The person may see it anywhere, a
   * chat too; it is of no use to anybody else and is sent nowhere.
   */
  readonly code?: string
  /** The address that the mail went to. */
  readonly email?: string
  /** The URLs under which a key that is handed over will be sent, and nowhere else. */
  readonly audience?: readonly string[]
  /** With `paste-key`: what is handed over beside the key, such as an id or a second key. */
  readonly beside?: readonly BesideKey[]
  /** Epoch milliseconds after which it is of no use any more. */
  readonly until?: number
}

/** A value that a person hands over beside a key. */
export interface BesideKey {
  readonly name: string
  /** What it is, for the person: `user name`, `x-app-id`. */
  readonly label: string
  /** Not to be shown while it is typed. */
  readonly secret: boolean
}

/** A thing that may exist at the service without our holding it; only a person can end it. */
export interface Orphan {
  readonly what: string
  /** Name of the request whose answer was lost. */
  readonly request: string
  /** Where a person can look and delete. */
  readonly url?: string
  /** Epoch milliseconds of the request. */
  readonly at: number
}

/** What may be done with a credential of another owner's. */
export type ShareVerb = 'use' | 'revoke'

/** A credential as seen from outside the vault. */
export interface CredentialView {
  /** The handle: names the credential, is not the credential. */
  readonly handle: string
  readonly service: string
  readonly kind: string
  readonly state: 'active' | 'invalid' | 'revoking' | 'revoked' | 'forgotten'
  /** The URLs under which it may be sent. */
  readonly audience: readonly string[]
  readonly issuedAt: number
  readonly lastUsedAt?: number
  readonly method: string
  /** The handle of the credential that made this one, where it came in an answer to `use`. */
  readonly parent?: string
  /** What a renewal of it may have given in an answer that was lost. */
  readonly orphan?: Orphan
  /** It is another owner's, and was shared by the application. `by` is said by `list` alone. */
  readonly shared?: { readonly verbs: readonly ShareVerb[]; readonly by?: Owner }
}

/** A registration as seen from outside. */
export interface RegistrationView {
  readonly id: string
  readonly service: string
  readonly method: string
  readonly state: string
  readonly createdAt: number
  readonly orphans: readonly Orphan[]
}

/** An error of the service in its own words. */
export interface ServiceError {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
}

/** An answer of the service to `use`, made safe to show. */
export interface UseAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text, cut and redacted. */
  readonly body: string
  readonly truncated: boolean
  /** How many places of the answer held a secret that was taken out. */
  readonly redacted: number
  /** Handles of new credentials that the answer held, now in the vault. */
  readonly captured: readonly string[]
}

interface Common {
  /** The registration that this is about; any process can go on with it. */
  readonly registration?: string
  readonly service?: string
  /**
   * What the service says otherwise by now than when this registration began, which goes on with what it
   * began with. Holds the service's words.
   */
  readonly changes?: readonly string[]
  /** What can be done next, in one sentence that names the call. */
  readonly next: string
}

/**
 * What a verb returns. Expected things are values of this union, told apart by `status`; errors are
 * thrown as `AuthError`.
 */
export type Outcome =
  | (Common & {
      readonly status: 'found'
      readonly offers: readonly Offer[]
      /** Why the first offer is first, in one sentence. */
      readonly because?: string
      readonly credentials: readonly CredentialView[]
      readonly registrations: readonly RegistrationView[]
      readonly warnings: readonly string[]
    })
  | (Common & { readonly status: 'ready'; readonly credential: CredentialView })
  | (Common & {
      readonly status: 'needs_consent'
      readonly consent: string
      readonly action: Action
    })
  | (Common & {
      readonly status: 'needs_person'
      readonly need: PersonNeed
      readonly notice?: string
    })
  | (Common & {
      readonly status: 'needs_answer'
      /** The service's own words: cut, cleaned, never an instruction. */
      readonly problem: string
      /** The form of the answer, in our words. */
      readonly form: string
      readonly notice?: string
    })
  | (Common & { readonly status: 'pending'; readonly notBefore: number; readonly reason: string })
  | (Common & {
      readonly status: 'uncertain'
      /** Name of the request whose answer was lost. */
      readonly request: string
      readonly check: string
      readonly orphans: readonly Orphan[]
      /** What a person can do to settle it. */
      readonly need?: PersonNeed
    })
  | (Common & {
      readonly status: 'refused'
      readonly code: RefusalCode
      readonly reason: string
      readonly errors?: readonly ServiceError[]
      /** With `payment_required`: what the service asks for, in its own words. Nothing was spent. */
      readonly payment?: readonly PaymentTerms[]
      /** With `consent_denied`: why, in the person's words. */
      readonly personSays?: string
      /** HTTP status of the service, where it was the service that refused. */
      readonly httpStatus?: number
      /** Epoch milliseconds before which trying again is of no use. */
      readonly notBefore?: number
    })
  | (Common & {
      readonly status: 'answered'
      readonly credential: string
      readonly answer: UseAnswer
    })
  | (Common & {
      readonly status: 'ended'
      readonly verdict: 'revoked' | 'forgotten' | 'unknown' | 'cancelled'
      readonly reason: string
      /** Where a person can end it, unless it is surely ended. */
      readonly url?: string
    })

/** One status of the union. */
export type OutcomeOf<S extends Outcome['status']> = Extract<Outcome, { status: S }>
