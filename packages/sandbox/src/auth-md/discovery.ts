import type { Hono } from 'hono'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { claimEndpoint } from './answers.ts'
import { idJagType, jwtBearer } from './dialects.ts'
import { answering } from './errors.ts'
import type { IdentityMethod } from './options.ts'
import { authMdText } from './prose.ts'
import { type AuthMd, supportedScopes } from './state.ts'

type Json = Record<string, unknown>

const cached = { 'cache-control': 'public, max-age=300' } as const
const asPath = '/.well-known/oauth-authorization-server'

/** Metadata and prose, on the hosts that they belong to. */
export function discoveryRoutes(api: Hono<SandboxEnv>, auth: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, signer, version, options } = site
  const prm = answering(server, 'agent_prm', (c) => c.json(resourceMetadata(site), 200, cached))
  if (!options.textOnly) api.get('/.well-known/oauth-protected-resource', prm)
  // Not the form with a path inserted: the resource is the whole origin.
  api.get(
    '/.well-known/*',
    server.endpoint('not_found', (c) => c.text('Not found', 404)),
  )
  api.get(
    '/logo.svg',
    server.endpoint('agent_logo', (c) => c.body(logo, 200, { 'content-type': 'image/svg+xml' })),
  )
  const prose = answering(server, 'agent_auth_md', (c) => markdown(c, authMdText(site)))
  api.get('/auth.md', prose)
  auth.get('/auth.md', prose)
  const metadata = answering(server, 'agent_as_metadata', (c) =>
    c.json(serverMetadata(site), 200, cached),
  )
  if (!options.textOnly) auth.get(asPath, metadata)
  const jwks = answering(server, 'agent_jwks', async (c) => c.json(await signer.jwks()))
  auth.get('/.well-known/jwks.json', jwks)
  if (version === 'hosted') auth.get('/sso/jwks/:client', jwks)
}

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 8V4l4-4 4 4v4z"/></svg>
`

function markdown(c: SandboxContext, text: string): Response {
  return c.body(text, 200, { 'content-type': 'text/markdown; charset=utf-8', ...cached })
}

/** RFC 9728. */
function resourceMetadata({ api, issuer, name, dialect }: AuthMd): Json {
  return {
    resource: api,
    resource_name: `Sandbox ${name}`,
    resource_logo_uri: `${api}/logo.svg`,
    // The sample ends it with a slash that its issuer has not.
    authorization_servers: [dialect.quirks.leanMetadata ? `${issuer}/` : issuer],
    scopes_supported: supportedScopes,
    bearer_methods_supported: ['header'],
  }
}

/** RFC 8414 with `agent_auth`. */
function serverMetadata(site: AuthMd): Json {
  const { issuer, dialect } = site
  const { leanMetadata } = dialect.quirks
  if (site.version === 'rfc7591') {
    return {
      issuer,
      authorization_endpoint: `${issuer}/login`,
      token_endpoint: `${issuer}/oauth/token`,
      registration_endpoint: `${issuer}/oauth/register`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code'],
      agent_auth: { skill: `${site.api}/auth.md`, ...dialect.discovery.more },
    }
  }
  const tokens =
    dialect.gives === 'assertion'
      ? {
          token_endpoint: `${issuer}/oauth2/token`,
          revocation_endpoint: `${issuer}/oauth2/revoke`,
          grant_types_supported: [
            jwtBearer,
            ...(dialect.grants.claim === undefined ? [] : [dialect.grants.claim]),
          ],
        }
      : {}
  const named = dialect.gives === 'assertion' || !leanMetadata ? { issuer } : {}
  const full = leanMetadata
    ? resourceMetadata(site)
    : {
        response_types_supported: [],
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        scopes_supported: supportedScopes,
      }
  return { ...full, ...named, ...tokens, agent_auth: agentAuth(site) }
}

/** The block that this is all about, with the fields of the version. */
function agentAuth(site: AuthMd): Json {
  const { api, issuer, dialect, options } = site
  const { discovery, paths, emailType } = dialect
  const offers = (method: IdentityMethod) => options.methods?.includes(method) ?? true
  const identityTypes = discovery.identityTypes.filter(
    (type) =>
      type === 'refresh' ||
      offers(type) ||
      (type === 'identity_assertion' && emailType === 'verified_email' && offers('service_auth')),
  )
  const types = (anonymous: Json, assertion: Json) => ({
    ...(Object.keys(anonymous).length > 0 ? { anonymous } : {}),
    identity_assertion: {
      assertion_types_supported: [
        ...(offers('identity_assertion') ? [idJagType] : []),
        ...(emailType === 'verified_email' && offers('service_auth') ? ['verified_email'] : []),
      ],
      ...assertion,
    },
  })
  const claim = discovery.register === 'register_uri' ? 'claim_uri' : 'claim_endpoint'
  return {
    skill: `${api}/auth.md`,
    [discovery.register]: issuer + paths.register,
    [claim]: claimEndpoint(site),
    ...(discovery.revocationUri ? { revocation_uri: issuer + paths.events } : {}),
    ...(discovery.eventsEndpoint ? { events_endpoint: issuer + paths.events } : {}),
    ...(discovery.revocationUri || discovery.eventsEndpoint
      ? { events_supported: [dialect.eventUri] }
      : {}),
    identity_types_supported: identityTypes,
    ...(identityTypes.includes('identity_assertion')
      ? discovery.credentialTypes
        ? types(offers('anonymous') ? { credential_types_supported: ['api_key'] } : {}, {
            credential_types_supported: ['access_token', 'api_key'],
          })
        : types({}, {})
      : {}),
    ...discovery.more,
  }
}
