import type { Hono } from 'hono'
import { bearer } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { kindName } from './answers.ts'
import { answering, Refusal } from './errors.ts'
import { scopesOf } from './registrations.ts'
import type { AuthMd, supportedScopes } from './state.ts'

/** The API that all this is for: `GET /api/resource` reads, `POST /api/resource` writes. */
export function resourceRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server } = site
  for (const [method, scope] of [
    ['GET', 'api.read'],
    ['POST', 'api.write'],
  ] as const) {
    app.on(
      method,
      '/api/resource',
      answering(server, 'agent_resource', (c) => serve(c, site, scope)),
    )
  }
  app.notFound(
    answering(server, 'agent_resource', (c) => {
      authorise(c, site)
      return c.json({ error: 'not_found', message: 'There is nothing here.' }, 404)
    }),
  )
}

function challenge({ api, options }: AuthMd, more = ''): Record<string, string> {
  const metadata = `resource_metadata="${api}/.well-known/oauth-protected-resource"`
  if (options.textOnly)
    return { 'www-authenticate': `Bearer ${more || 'realm="api"'}`.replace(/, $/, '') }
  return { 'www-authenticate': `Bearer ${more}${metadata}` }
}

/** The registration of the credential in a request, and what it may do. */
function authorise(c: SandboxContext, site: AuthMd) {
  const { server, registrations, narrowed, dialect } = site
  const header = c.req.header('authorization')
  const entry = server.ledger.findBearer(header)
  const registration = registrations.get(entry?.account ?? '')
  const isCredential = entry?.kind === 'access_token' || entry?.kind === 'api_key'
  if (!entry || !registration || !isCredential || !server.ledger.isGood(entry)) {
    const invalid = bearer(header) !== undefined && dialect.quirks.checksScopes
    throw new Refusal('unauthorized', 'A good credential is required.', {
      headers: challenge(site, invalid ? 'error="invalid_token", ' : ''),
    })
  }
  server.ledger.markUsed(entry)
  const scopes = scopesOf(registration)
  const limited = narrowed.get(entry.id)
  return {
    entry,
    registration,
    scopes: limited ? scopes.filter((s) => limited.includes(s)) : scopes,
  }
}

function serve(c: SandboxContext, site: AuthMd, scope: (typeof supportedScopes)[number]): Response {
  const { entry, registration, scopes } = authorise(c, site)
  if (site.dialect.quirks.checksScopes && !scopes.includes(scope)) {
    throw new Refusal('insufficient_scope', `The scope ${scope} is required.`, {
      headers: challenge(site, `error="insufficient_scope", scope="${scope}", `),
    })
  }
  const { account } = registration
  const writes = scope === 'api.write'
  if (writes) c.env.entry.effect = true
  return c.json(
    {
      user: account ? { id: account.id, email: account.email ?? null } : null,
      credential: {
        type: entry.kind,
        registration_id: registration.id,
        registration_type: kindName(site, registration),
        scopes,
      },
      ...(writes ? { written: c.env.entry.n } : {}),
    },
    writes ? 201 : 200,
  )
}
