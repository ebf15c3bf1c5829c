import type { PlanAnswer } from '../method.ts'
import { errorIn } from '../service-error.ts'

/** What follows from an error. */
export type Follow =
  /** Of an identity assertion: another one, then for the other audience · that at once · one of a new login. */
  | 'again'
  | 'other-audience'
  | 'login'
  /** v0.1 does not give this kind of credential. */
  | 'other-credential'
  /** This way of registering is switched off. */
  | 'other-type'
  | 'ask-email'
  /** The person is not done; `slower`: and we ask too often. */
  | 'pending'
  | 'slower'
  /** The code's time is over: the claim endpoint gives another. */
  | 'new-code'
  | 'ask-code'
  /** The code comes up only when the person opens the mailed link, once more. */
  | 'open-link'
  /** The code is right, the person has yet to confirm on the page. */
  | 'confirm'
  | 'claimed'
  /** Nothing of this registration can be used any more. */
  | 'over'
  | 'denied'
  | 'wait'
  | 'unwell'
  | 'stop'

/** All versions' codes, synonyms side by side. What is not here goes by its status. */
const follows: Readonly<Record<string, Follow>> = {
  invalid_signature: 'again',
  replay_detected: 'again',
  invalid_audience: 'other-audience',
  audience_mismatch: 'other-audience',
  expired: 'again',
  credential_expired: 'again',
  login_required: 'login',
  invalid_issuer: 'other-type',
  issuer_not_enabled: 'other-type',
  invalid_client_id: 'other-type',
  missing_verified_email: 'other-type',
  identity_assertion_not_enabled: 'other-type',
  unsupported_credential_type: 'other-credential',
  anonymous_not_enabled: 'other-type',
  service_auth_not_enabled: 'other-type',
  verified_email_not_enabled: 'other-type',
  invalid_login_hint: 'ask-email',
  login_hint_mismatch: 'ask-email',
  authorization_pending: 'pending',
  slow_down: 'slower',
  expired_token: 'new-code',
  user_code_expired: 'new-code',
  otp_invalid: 'ask-code',
  invalid_user_code: 'ask-code',
  otp_not_generated: 'open-link',
  otp_expired: 'open-link',
  claim_not_confirmed: 'confirm',
  claimed_or_in_flight: 'claimed',
  previously_claimed: 'claimed',
  already_claimed: 'claimed',
  claim_already_completed: 'claimed',
  ceremony_in_flight: 'other-type',
  claim_expired: 'over',
  invalid_claim_token: 'over',
  invalid_claim: 'over',
  code_dead: 'over',
  invalid_grant: 'over',
  insufficient_user_authentication: 'over',
  access_denied: 'denied',
  rate_limited: 'wait',
}

/** What follows from an answer that holds nothing of use. */
export function followOf(answer: PlanAnswer): Follow {
  // A page or a redirect in the place of an answer says nothing of the registration.
  if (answer.status < 400 || answer.status >= 500) return 'unwell'
  const { code = '' } = errorIn(answer)
  if (Object.hasOwn(follows, code)) return follows[code] ?? 'stop'
  return answer.status === 429 ? 'wait' : 'stop'
}
