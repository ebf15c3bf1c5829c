export type { Admin } from './admin.ts'
export {
  type AgentAuth,
  type AgentAuthOptions,
  defaultMethods,
  type TickReport,
} from './agent-auth.ts'
export { type AuditRecord, auditLines } from './audit.ts'
export type { Action, Effect, TermsText, Verb } from './consent/action.ts'
export type { Call, Consent, Decision, Standing } from './consent/ledger.ts'
export type { Explanation } from './consent/policy.ts'
export type {
  AcceptedTerms,
  Policy,
  PolicyCondition,
  PolicyDecision,
  PolicyRule,
} from './consent/policy-data.ts'
export * from './discovery/profile.ts'
export type { Recipe } from './engine/recipes.ts'
export type { OnSettled, Settled, Waiter, WatchReport } from './engine/waiters.ts'
export type { WorkLimits } from './engine/work.ts'
export type { EraseReport } from './erase.ts'
export { AuthError, type AuthErrorCode, type ErrorDetails } from './errors.ts'
export type { AuthEvent, AuthListener, Ending, RefreshStatus } from './events.ts'
export type {
  IdentityAnswer,
  IdentityAssertion,
  IdentityRequest,
} from './identity/assertion.ts'
export { type TokenExchangeOptions, tokenExchange } from './identity/token-exchange.ts'
export type {
  ClaimInput,
  DiscoverInput,
  ImportInput,
  RegisterInput,
  RevokeInput,
  UseInput,
} from './inputs.ts'
export type { McpAccess } from './mcp/access.ts'
export type { LeftOut } from './mcp/definition.ts'
export type { Mounted, MountOptions } from './mcp/mount.ts'
export { guided } from './methods/guided/index.ts'
export { manual } from './methods/manual/index.ts'
export type * from './methods/method.ts'
export { oauthMethods } from './methods/oauth/index.ts'
export type { Grant, OAuthClient, OAuthOptions } from './methods/oauth/options.ts'
export { open } from './methods/open/index.ts'
export {
  type AgentInboxOptions,
  telnyxSignup,
  telnyxSignupWith,
} from './methods/telnyx-signup/index.ts'
export {
  allowLoopback,
  type NetLimits,
  type Transport,
} from './net/transport.ts'
export { type WebTransportOptions, webTransport } from './net/web-transport.ts'
export type { KeyRequest, KeySource, OperatorKey } from './operator-key.ts'
export type * from './outcome.ts'
export { type Owner, sameOwner } from './owner.ts'
export type { Intake, IntakeOptions, IntakeUrl } from './people/intake.ts'
export type { Mailbox, MailMessage, OwnerIdentity } from './people/mailbox.ts'
export type { FormFor, People, PersonDecision, PersonRequest } from './people/people.ts'
export type { Session } from './session.ts'
export type { CredentialRef, ShareOptions } from './share.ts'
export { noteWaiter, type Pause, pauseOf, pauseSchema, type VerbCall } from './tools/pause.ts'
export { renderOutcome } from './tools/render.ts'
export { type SeeThroughOptions, seeThrough } from './tools/see-through.ts'
export { ToolBook } from './tools/tool-book.ts'
export {
  type AuthTool,
  authTools,
  faultResult,
  namedInput,
  type ToolOutput,
  type ToolResult,
  toolOutput,
} from './tools/tools.ts'
export type { Operation, OperationEnd, Trace } from './trace.ts'
export type { Audience } from './use/audience.ts'
export type { PaymentHook, PaymentProof, PaymentRequest } from './use/paid.ts'
export type { PaymentDemand, PaymentTerms } from './use/payment.ts'
export type { Redactor } from './use/redactor.ts'
export { type KmsOptions, keyFromKms } from './vault/kms.ts'
export { type KeyContext, MasterKey, type WrappingKey } from './vault/master-key.ts'
export { memoryStore } from './vault/memory-store.ts'
export type { CacheOptions } from './vault/owner-cache.ts'
export { type ResealReport, type SealedStore, type StoreKey, sealed } from './vault/sealed.ts'
export { Secret } from './vault/secret.ts'
export type * from './vault/store.ts'
export {
  checkLease,
  checkQuery,
  checkRef,
  checkWrite,
  conflict,
  maxSealedBytes,
} from './vault/store-check.ts'
export type { WatchOptions } from './watch.ts'
