import { AuthError } from '../errors.ts'

/** A mail as a mailbox gives it. */
export interface MailMessage {
  readonly id: string
  readonly from: string
  readonly subject: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly text?: string
  readonly html?: string
}

/**
 * A mailbox that the operator plugs in (IMAP, a provider's API), so that sign-in links need no
 * person. It reads; it never follows a link.
 *
 * @example
 * ```ts
 * const mailbox: Mailbox = {
 *   address: 'agents@operator.example',
 *   list: async ({ since }) => inbox.search({ to: 'agents@operator.example', since }),
 * }
 * ```
 */
export interface Mailbox {
  /** The address that is given to services. */
  readonly address: string
  /** Mails to `to`, received at `since` (epoch milliseconds) or later, in any order. */
  list(query: { readonly to: string; readonly since: number }): Promise<readonly MailMessage[]>
}

/** Who the owner is towards services, as the application knows it. */
export interface OwnerIdentity {
  /** The address that services may be given. */
  readonly email?: string
  /**
   * When a service is told the address: `offered`, wherever it registers people by address (the default), or
   * `needed`, only where there is no other way. What was made without it can be claimed by a person later.
   */
  readonly tell?: 'offered' | 'needed'
  /** A mailbox that can be read without a person; its address is used where `email` is left out. */
  readonly mailbox?: Mailbox
}

/** A mailbox is the application's code: what it throws may say anything, so that only its cause is kept. */
export async function readMail(
  mailbox: Mailbox,
  { to, since }: { to: string; since: number },
): Promise<readonly MailMessage[]> {
  try {
    return await mailbox.list({ to, since })
  } catch (error) {
    throw new AuthError('mailbox_failed', 'the mailbox could not be read', { cause: error })
  }
}
