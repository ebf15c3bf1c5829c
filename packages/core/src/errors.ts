const marker = Symbol.for('authmd.AuthError')

/**
 * What can be wrong with an input, a store or a service, as a stable word.
 * Expected things (waiting, refusal, rate limits) are outcomes, not errors.
 */
export type AuthErrorCode =
  | 'invalid_input'
  | 'invalid_url'
  | 'address_refused'
  | 'look_alike'
  | 'redirect_refused'
  | 'response_too_large'
  | 'response_timeout'
  | 'response_malformed'
  | 'network_failed'
  | 'aborted'
  | 'owner_invalid'
  | 'approval_out_of_band'
  | 'not_found'
  | 'outside_audience'
  | 'secret_refused'
  | 'refresh_failed'
  | 'store_failed'
  | 'store_conflict'
  | 'store_damaged'
  | 'store_wrong_key'
  | 'store_version'
  | 'key_invalid'
  | 'key_unavailable'
  | 'mailbox_failed'
  | 'identity_failed'
  | 'method_failed'

/** Things about an error that may be printed: plain values only, never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * The one error class of the project: broken input, a broken store or a broken service.
 *
 * @example
 * ```ts
 * try {
 *   await session.discover({ service: 'not a url' })
 * } catch (error) {
 *   if (AuthError.isInstance(error) && error.code === 'invalid_url') report(error.message)
 * }
 * ```
 */
export class AuthError extends Error {
  readonly code: AuthErrorCode
  readonly details: ErrorDetails

  constructor(
    code: AuthErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AuthError'
    this.code = code
    this.details = options.details ?? {}
    Object.defineProperty(this, marker, { value: true })
  }

  /** True for an `AuthError` of any copy of this package. */
  static isInstance(value: unknown): value is AuthError {
    return typeof value === 'object' && value !== null && marker in value
  }

  /** Name, code, message and details; neither stack nor cause, whose text we did not write. */
  toJSON(): { name: string; code: AuthErrorCode; message: string; details: ErrorDetails } {
    return { name: this.name, code: this.code, message: this.message, details: this.details }
  }
}
