export { claimLink } from './auth-md/claim-mail.ts'
export { type AuthMdEndpoint, type AuthMdErrorCode, authMdFault } from './auth-md/errors.ts'
export type { AuthMdSite } from './auth-md/index.ts'

export type {
  AuthMdOptions,
  AuthMdProfile,
  AuthMdRelease,
  AuthMdVariant,
  AuthMdVersion,
  IdentityMethod,
} from './auth-md/options.ts'
export { type Person, personAt } from './auth-md/person.ts'
export type { PersonPage } from './browser.ts'
export type { Clock, SandboxClock } from './clock.ts'
export type { ActiveFault, BodyReplacement, Fault, When } from './faults.ts'
export type {
  EventWish,
  IdentityProvider,
  IdJagWish,
  TokenDefect,
} from './identity-provider/index.ts'
export type { LedgerEntry, SecretKind } from './ledger.ts'
export { type LogEntry, longestChain } from './log.ts'
export type { Mail, Mailbox } from './mail.ts'
export type { OAuthSite } from './oauth/index.ts'
export type { OAuthGrant, OAuthOptions, OAuthQuirks, OAuthScope } from './oauth/options.ts'
export { type PersonAtOAuth, personAtOAuth } from './oauth/person.ts'
export type { ProseOptions, ProseSite } from './prose/index.ts'
export { type Sandbox, type SandboxOptions, type SandboxUrls, startSandbox } from './sandbox.ts'
export type { ChallengeType } from './telnyx/challenge.ts'
export type { TelnyxOptions } from './telnyx/options.ts'
export { type PersonAtPortal, type PortalKey, personAtPortal } from './telnyx/person.ts'
export { signInLink } from './telnyx/sign-in-mail.ts'
