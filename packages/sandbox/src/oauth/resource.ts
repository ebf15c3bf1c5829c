import type { Hono } from 'hono'
import { bearer } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import type { Inner } from './inner.ts'
import { mcpRoute } from './mcp.ts'
import { type OAuthScope, scopes } from './options.ts'
import { type OAuth, paths } from './state.ts'

const wellKnown = '/.well-known/oauth-protected-resource'

/** What introspection says of a token that is good here. */
export interface Bearer {
  readonly token: string
  readonly client: string
  /** The person's address; absent where a client acts for itself. */
  readonly user?: string
  readonly scopes: readonly string[]
}

/** Lets in whoever has a good token for the resource, with the scope if one is needed. */
export type Guard = (
  c: SandboxContext,
  need: OAuthScope | undefined,
  handle: (bearer: Bearer) => Response | Promise<Response>,
) => Promise<Response>

/** The API: `GET /v1/me` for any good token, `/v1/things` by scope; and `/mcp`, a resource of its own. */
export function resourceRoutes(app: Hono<SandboxEnv>, site: OAuth, inner: Inner): void {
  const { server, api, things } = site
  metadataRoute(app, site, wellKnown, api)
  const guard = createGuard(site, inner, api, wellKnown)
  const mcp = `${wellKnown}/mcp`
  metadataRoute(app, site, mcp, `${api}/mcp`)
  mcpRoute(app, site, createGuard(site, inner, `${api}/mcp`, mcp))
  app.get(
    '/v1/me',
    server.endpoint('oauth_me', (c) =>
      guard(c, undefined, ({ user = null, client, scopes }) =>
        c.json({ user, client_id: client, scope: scopes.join(' ') }),
      ),
    ),
  )
  app.get(
    '/v1/things',
    server.endpoint('oauth_things', (c) => guard(c, 'things.read', () => c.json({ things }))),
  )
  app.post(
    '/v1/things',
    server.endpoint('oauth_things', (c) =>
      guard(c, 'things.write', ({ user, client }) => {
        const { text } = JSON.parse(c.env.entry.body || '{}') as { text?: unknown }
        const thing = { by: user ?? client, text: String(text ?? '') }
        things.push(thing)
        c.env.entry.effect = true
        return c.json(thing, 201)
      }),
    ),
  )
  app.delete(
    '/v1/things',
    server.endpoint('oauth_things', (c) =>
      guard(c, 'things.admin', () => {
        things.length = 0
        c.env.entry.effect = true
        return c.body(null, 204)
      }),
    ),
  )
  app.notFound(server.endpoint('not_found', (c) => c.json({ error: 'not_found' }, 404)))
}

/** RFC 9728. */
function metadataRoute(
  app: Hono<SandboxEnv>,
  { server, issuer, name }: OAuth,
  path: string,
  resource: string,
): void {
  app.get(
    path,
    server.endpoint('oauth_resource_metadata', (c) =>
      c.json({
        resource,
        authorization_servers: [issuer],
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
        resource_name: `Sandbox ${name}`,
      }),
    ),
  )
}

function createGuard(site: OAuth, inner: Inner, resource: string, metadataPath: string): Guard {
  const { server, api, options } = site
  const challenge = (fields: Readonly<Record<string, string>>) => {
    if (options.quirks?.bareChallenge) return 'Bearer'
    const all = { ...fields, resource_metadata: `${api}${metadataPath}` }
    const parts = Object.entries(all).map(([name, value]) => `${name}="${value}"`)
    return `Bearer ${parts.join(', ')}`
  }
  return async (c, need, handle) => {
    const refuse = (status: 401 | 403, error: string | undefined, scope: string) =>
      c.json({ error: error ?? 'unauthorized' }, status, {
        'www-authenticate': challenge({ ...(error === undefined ? {} : { error }), scope }),
      })
    const token = bearer(c.req.header('authorization'))
    const first = need ?? scopes[0]
    if (token === undefined) return refuse(401, undefined, first)
    const known = await introspect(site, inner, token)
    if (!known || ![known.aud].flat().includes(resource)) {
      return refuse(401, 'invalid_token', first)
    }
    const entry = server.ledger.find(token)
    if (entry) server.ledger.markUsed(entry)
    const granted = (known.scope ?? '').split(' ').filter(Boolean)
    if (need && !granted.includes(need)) return refuse(403, 'insufficient_scope', need)
    return handle({
      token,
      client: known.client_id,
      scopes: granted,
      ...(known.sub === undefined ? {} : { user: known.sub }),
    })
  }
}

interface Introspected {
  readonly client_id: string
  readonly sub?: string
  readonly scope?: string
  readonly aud?: string | string[]
}

/** Asks the authorization server, as RFC 7662 has it. What the two say to each other is in no log. */
async function introspect(
  { issuer, introspector: { id, secret } }: OAuth,
  inner: Inner,
  token: string,
): Promise<Introspected | undefined> {
  const answer = await inner.ask({
    method: 'POST',
    path: paths.introspection,
    headers: {
      host: new URL(issuer).host,
      authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ token }).toString(),
  })
  const body = (await answer.json()) as Introspected & { active?: boolean }
  return body.active === true ? body : undefined
}
