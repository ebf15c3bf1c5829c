import type { ChallengeType } from './challenge.ts'

/** How the imitated Telnyx behaves where its facts leave room. All off or generous by default. */
export interface TelnyxOptions {
  /** The challenge also names EU terms, and a sign-up must accept those as well. */
  euTerms?: boolean
  /** The sign-in link answers with a redirect carrying `portal_redirect_token` first. */
  redirectSession?: boolean
  /** A sign-up may leave `email` out and gets a placeholder address. */
  placeholderEmail?: boolean
  /** Mail domains that are refused with code `10027`. `['refused-mail.test']` if absent. */
  refusedMailDomains?: readonly string[]
  challenge?: {
    /** `['math', 'string', 'binary']` if absent. */
    types?: readonly ChallengeType[]
    /** Garble math problems; true if absent. */
    garble?: boolean
    /** Answer like an older server: no `challenge_type`, no `precision`. */
    older?: boolean
    /** A number from 0 to 1 (exclusive); `Math.random` if absent. */
    random?: () => number
  }
  /** The older variant: `pow_signup_challenge`, a proof of work, in place of the puzzle. */
  proofOfWork?: {
    /** 8 if absent. */
    leadingZeroBits?: number
  }
  agentInbox?: {
    /** 8 if absent. */
    difficultyBits?: number
  }
  limits?: {
    /** Sign-ups in an hour from one address; 1000 if absent. */
    signupsPerIp?: number
    /** Sign-ups in an hour for one mail domain; 1000 if absent. */
    signupsPerDomain?: number
    /** Requests in a minute with one API key; 1000 if absent. */
    requestsPerKey?: number
  }
}
