/**
 * How a service is found and read, for tools that judge what it publishes. Nothing here holds or sends a
 * credential; an application wants `createAgentAuth`.
 */
export { parseChallenges, resourceMetadataUrls } from './discovery/challenge.ts'
export { type DiscoverDeps, discover } from './discovery/discover.ts'
export { withoutHidden } from './discovery/markdown/clean.ts'
export { addressFacts, type DocumentReading, readDocument } from './discovery/markdown/read.ts'
export { type Outline, outlineOf, type Statement } from './discovery/markdown/statements.ts'
export type { Token } from './discovery/markdown/tokens.ts'
export {
  ownerOfWellKnown,
  resourceMetadataUrlsOf,
  serverMetadataUrls,
} from './discovery/metadata.ts'
export type { Fact } from './discovery/profile.ts'
export { createGuardedFetch } from './net/guarded-fetch.ts'
export { parseJson } from './net/json.ts'
export type { GuardedAnswer, GuardedFetch, GuardedRequest } from './net/transport.ts'
export { checkUrl, isLoopbackHost, registrableDomain } from './net/url.ts'
