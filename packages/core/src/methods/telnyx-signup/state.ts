import type { TermsText } from '../../consent/action.ts'
import type { Endpoints } from './endpoints.ts'

/** Where a signup stands. Plain JSON; the link, the session and the key are never in it. */
export interface State {
  readonly step:
    | 'inbox-challenge'
    | 'inbox-work'
    | 'inbox-create'
    | 'inbox-later'
    | 'inbox-messages'
    | 'lost-inbox'
    | 'challenge'
    | 'challenge-later'
    | 'terms'
    | 'answer'
    | 'work'
    | 'signup'
    | 'lost-signup'
    | 'mail'
    | 'resend'
    | 'resend-later'
    | 'session'
    | 'key'
    | 'key-later'
    | 'lost-key'
    | 'done'
  readonly endpoints: Endpoints
  /** Puzzles asked for so far. */
  readonly challenges: number
  /** Further mails asked for so far. */
  readonly resends: number
  /** Requests for a key whose answer was lost: each may have made one. */
  readonly lostKeys: number
  /** An earlier signup may have been done. */
  readonly lostSignup?: boolean
  /** Puzzles in a row that the service failed to give. */
  readonly failures?: number
  readonly nonce?: string
  readonly nonceAt?: number
  readonly problem?: string
  /** Leading zero bits of the proof of work, in place of a problem. */
  readonly bits?: number
  readonly form?: string
  readonly accept?: 'number' | 'text'
  readonly terms?: readonly TermsText[]
  readonly email?: string
  /** When the latest request was begun. */
  readonly askedAt?: number
  /** Mails before this do not count. */
  readonly mailSince?: number
  /** When the latest mail was asked for, and until when its link is good. */
  readonly mailAt?: number
  readonly mailUntil?: number
  /** A request of which it is not known whether it was done. */
  readonly inDoubt?: string
  /** The inbox that was made for this signup; its key is the secret `inbox_key`. */
  readonly inbox?: { readonly email: string; readonly account: string }
  /** The challenge of an inbox that is not made yet, and how many there were. */
  readonly inboxChallenge?: string
  readonly inboxTries?: number
  /** An earlier inbox may have been made. */
  readonly lostInbox?: true
  /** To be said once with the next wait. */
  readonly notice?: string
}
