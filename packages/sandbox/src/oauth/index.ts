import { Hono } from 'hono'
import type { OneOrMore } from '../auth-md/options.ts'
import { randomId } from '../auth-md/state.ts'
import type { SandboxEnv, SandboxServer } from '../server.ts'
import { createInner } from './inner.ts'
import type { OAuthOptions } from './options.ts'
import { resourceRoutes } from './resource.ts'
import { serverApp } from './server.ts'
import type { OAuth, OAuthClients } from './state.ts'

/**
 * One API behind OAuth that the sandbox runs, with an authorization server of its own. Origins have
 * no slash at the end.
 *
 * @example
 * await using sandbox = await startSandbox({ oauth: { grants: ['device_code'], refresh: 'none' } })
 * const [service] = sandbox.oauth
 * // … an agent is refused at `${service.api}/v1/me`, finds the server, asks for a device code …
 * await personAtOAuth('ada@agents.example').connect(verification_uri, user_code)
 */
export interface OAuthSite {
  readonly name: string
  /** The API: `GET /v1/me`, `GET`, `POST` and `DELETE` of `/v1/things`; MCP at `/mcp`. */
  readonly api: string
  /** The authorization server. */
  readonly issuer: string
  readonly clients: OAuthClients
  /** What was written through the API. It grows while the sandbox runs. */
  readonly things: readonly { readonly by: string; readonly text: string }[]
}

/** Puts each OAuth service onto two virtual hosts; no two may have one name. */
export function mountOAuths(
  server: SandboxServer,
  options: OneOrMore<OAuthOptions>,
): readonly [OAuthSite, ...OAuthSite[]] {
  const [first, ...rest] = isList(options) ? options : [options]
  const names = [first, ...rest].map(nameOf)
  for (const [at, name] of names.entries()) {
    if (!/^[a-z0-9-]+$/.test(name)) throw new TypeError(`${name} is no label of a host`)
    if (names.indexOf(name) !== at) throw new TypeError(`two OAuth services are called ${name}`)
  }
  return [mountOAuth(server, first), ...rest.map((one) => mountOAuth(server, one))]
}

function isList<T>(value: OneOrMore<T>): value is readonly [T, ...T[]] {
  return Array.isArray(value)
}

function nameOf({ name = 'oauth' }: OAuthOptions): string {
  return name
}

function mountOAuth(server: SandboxServer, options: OAuthOptions): OAuthSite {
  const name = nameOf(options)
  const hostnames = { api: `api.${name}.localhost`, auth: `auth.${name}.localhost` }
  const api = server.origin(hostnames.api)
  const site: OAuth = {
    name,
    options,
    server,
    api,
    issuer: server.origin(hostnames.auth),
    resources: [api, `${api}/mcp`],
    clients: {
      native: { id: 'sandbox-native' },
      confidential: { id: 'sandbox-confidential', secret: randomId('') },
    },
    introspector: { id: 'sandbox-api', secret: randomId('') },
    polls: new Map(),
    things: [],
  }
  // Loaded when it is first asked, for the sake of all who need another service.
  const inner = createInner(async () => (await import('./provider.ts')).createProvider(site, inner))
  const apiHost = new Hono<SandboxEnv>()
  resourceRoutes(apiHost, site, inner)
  server.mount(hostnames.api, apiHost)
  server.mount(hostnames.auth, serverApp(site, inner))
  const { issuer, clients, things } = site
  return { name, api, issuer, clients, things }
}
