import { z } from 'zod'
import { scopeToken } from '../../consent/scopes.ts'
import { isLoopbackHost } from '../../net/url.ts'
import { Secret } from '../../vault/secret.ts'

/** `client`: client credentials · `device`: device authorization · `code`: authorization code with PKCE. */
export type Grant = 'client' | 'device' | 'code'

/** A client that the operator has at an authorization server, for one service alone. */
export interface OAuthClient {
  /** A URL of the service, whose origin counts. */
  readonly service: string
  /** The authorization server, as its own metadata names itself. */
  readonly issuer: string
  readonly clientId: string
  /** A function is called each time that the secret is needed. */
  readonly clientSecret?: Secret | (() => string | Promise<string>)
  /**
   * What the client may do there; `device` and `code` where it is left out. `client` is to be named, since
   * nobody is asked at the server then.
   */
  readonly grants?: readonly Grant[]
}

/** How an application stands with OAuth. All may be left out. */
export interface OAuthOptions {
  /**
   * Where browsers come back to: an https address whose requests the application hands to
   * `auth.people.callback`, or that of `serveRedirect`. Without it a person is never sent to authorise
   * by a browser (the device grant needs none).
   */
  readonly redirectUri?: string
  /** The name by which clients are registered, and which the person reads at the server. */
  readonly clientName?: string
  /** The address of the application's client id metadata document, for servers that take one. */
  readonly clientMetadata?: string
  /** Clients that exist already; they are used before any other. */
  readonly clients?: readonly OAuthClient[]
  /** The most that is ever asked for; whatever a service names where it is left out. */
  readonly scopes?: readonly string[]
}

const secure = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || url.username || url.password || url.hash) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}
const address = z.string().max(2_048).refine(secure, 'https, or http on loopback')

const clientSchema = z.strictObject({
  service: address,
  issuer: address,
  clientId: z.string().min(1).max(2_048),
  clientSecret: z
    .union([z.instanceof(Secret), z.custom<() => string>((value) => typeof value === 'function')])
    .optional(),
  grants: z.array(z.enum(['client', 'device', 'code'])).optional(),
})

export const oauthOptions: z.ZodType<OAuthOptions> = z.strictObject({
  redirectUri: address.optional(),
  clientName: z.string().min(1).max(80).optional(),
  clientMetadata: address
    .refine((text) => new URL(text).pathname !== '/', 'a document has a path')
    .optional(),
  clients: z.array(clientSchema).max(1_000).optional(),
  scopes: z.array(z.string().regex(scopeToken, 'not a scope (RFC 6749 §3.3)')).optional(),
}) as z.ZodType<OAuthOptions>

/** The client that the operator has for a service at a server. */
export function givenClient(
  { clients = [] }: OAuthOptions,
  grant: Grant,
  service: string,
  issuer: string,
): OAuthClient | undefined {
  const { origin } = new URL(service)
  return clients.find((one) => {
    const may = one.grants ?? ['device', 'code']
    if (!may.includes(grant) || (grant === 'client' && !one.clientSecret)) return false
    return new URL(one.service).origin === origin && sameServer(one.issuer, issuer)
  })
}

/** Both name one authorization server: the same text, but for the slash of an empty path. */
export function sameServer(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return one === other
  return new URL(one).href === new URL(other).href
}

/** What a client's secret is by now. */
export async function secretOf({ clientSecret }: OAuthClient): Promise<Secret | undefined> {
  return typeof clientSecret === 'function' ? new Secret(await clientSecret()) : clientSecret
}
