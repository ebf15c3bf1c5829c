import { Hono } from 'hono'
import type { MailServer } from '../mail.ts'
import { messagePage } from '../page.ts'
import type { SandboxEnv, SandboxServer } from '../server.ts'
import { browserRoutes } from './browser.ts'
import { claimRoutes } from './claim.ts'
import { clientRoutes } from './clients.ts'
import { completeRoutes } from './complete.ts'
import { isRelease, release } from './dialects.ts'
import { discoveryRoutes } from './discovery.ts'
import { eventRoutes } from './events.ts'
import type { AuthMdOptions, AuthMdProfile, AuthMdVersion, OneOrMore } from './options.ts'
import { registerRoutes } from './register.ts'
import { resourceRoutes } from './resource.ts'
import { type AuthMd, createAuthMd, type TrustedProvider } from './state.ts'
import { tokenRoutes } from './token.ts'
import { isVariant, variant } from './variants.ts'

/** One auth.md service that the sandbox runs. Origins have no slash at the end. */
export interface AuthMdSite {
  readonly version: AuthMdVersion
  readonly profile: AuthMdProfile
  readonly name: string
  /** The resource: `GET` and `POST` of `/api/resource`, and where discovery begins. */
  readonly api: string
  /** The authorization server. */
  readonly issuer: string
}

/** Puts each auth.md service onto two virtual hosts; no two may have one name. */
export function mountAuthMds(
  server: SandboxServer,
  mail: MailServer,
  providers: readonly TrustedProvider[],
  options: OneOrMore<AuthMdOptions>,
): readonly [AuthMdSite, ...AuthMdSite[]] {
  const [first, ...rest] = isList(options) ? options : [options]
  for (const { version = 'v0.7' } of [first, ...rest]) {
    if (!isRelease(version) && !isVariant(version)) {
      throw new TypeError(`there is no auth.md version ${version}`)
    }
  }
  const names = [first, ...rest].map(nameOf)
  for (const [at, name] of names.entries()) {
    if (!/^[a-z0-9-]+$/.test(name)) throw new TypeError(`${name} is no label of a host`)
    if (names.indexOf(name) !== at) throw new TypeError(`two auth.md services are called ${name}`)
  }
  const mount = (one: AuthMdOptions) => mountAuthMd(server, mail, providers, one)
  return [mount(first), ...rest.map(mount)]
}

function isList<T>(value: OneOrMore<T>): value is readonly [T, ...T[]] {
  return Array.isArray(value)
}

function nameOf({ name, version = 'v0.7' }: AuthMdOptions): string {
  return name ?? version.replace('.', '-')
}

function mountAuthMd(
  server: SandboxServer,
  mail: MailServer,
  providers: readonly TrustedProvider[],
  options: AuthMdOptions,
): AuthMdSite {
  const { version = 'v0.7', profile = 'strict-spec' } = options
  const name = nameOf(options)
  const { issuer = name } = options
  const hostnames = { api: `api.${name}.localhost`, auth: `auth.${issuer}.localhost` }
  const origins = { api: server.origin(hostnames.api), issuer: server.origin(hostnames.auth) }
  const dialect = isRelease(version) ? release(version, profile) : variant(version, origins.issuer)
  const site = createAuthMd({
    version,
    name,
    dialect,
    options,
    server,
    mail,
    providers,
    ...origins,
  })
  const api = new Hono<SandboxEnv>()
  const auth = new Hono<SandboxEnv>()
  discoveryRoutes(api, auth, site)
  if (version === 'rfc7591') clientRoutes(auth, site)
  else agentRoutes(auth, site)
  resourceRoutes(api, site)
  auth.notFound(
    server.endpoint('not_found', (c) =>
      c.html(messagePage('Not found', 'There is nothing at this address.'), 404),
    ),
  )
  server.mount(hostnames.api, api)
  server.mount(hostnames.auth, auth)
  return { version, profile, name, ...origins }
}

function agentRoutes(auth: Hono<SandboxEnv>, site: AuthMd): void {
  registerRoutes(auth, site)
  claimRoutes(auth, site)
  completeRoutes(auth, site)
  browserRoutes(auth, site)
  tokenRoutes(auth, site)
  eventRoutes(auth, site)
}
