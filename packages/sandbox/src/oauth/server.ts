import { Hono } from 'hono'
import type { LogEntry } from '../log.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { adjust } from './answers.ts'
import type { Inner } from './inner.ts'
import { scopes } from './options.ts'
import { type OAuth, paths } from './state.ts'

const metadata = '/.well-known/oauth-authorization-server'
const openidMetadata = '/.well-known/openid-configuration'

/** The names by which faults find the authorization server's endpoints. */
const endpoints: Readonly<Record<string, string>> = {
  [openidMetadata]: 'oauth_metadata',
  [metadata]: 'oauth_metadata',
  [paths.jwks]: 'oauth_jwks',
  [paths.registration]: 'oauth_register',
  [`${paths.registration}/:id`]: 'oauth_client',
  [paths.device_authorization]: 'oauth_device',
  [paths.code_verification]: 'oauth_device_page',
  [`${paths.code_verification}/:uid`]: 'oauth_device_page',
  [paths.authorization]: 'oauth_authorize',
  [`${paths.authorization}/:uid`]: 'oauth_authorize',
  '/interaction/:uid': 'oauth_consent',
  [paths.token]: 'oauth_token',
  [paths.revocation]: 'oauth_revoke',
  [paths.introspection]: 'oauth_introspect',
}

/** The authorization server's host: the library answers, and its answers are adjusted. */
export function serverApp(site: OAuth, inner: Inner): Hono<SandboxEnv> {
  const { server } = site
  const app = new Hono<SandboxEnv>()
  const answer = (name: string) =>
    server.endpoint(name, async (c: SandboxContext) => {
      const { entry, incoming } = c.env
      if (site.options.quirks?.openidOnly && c.req.path === metadata) {
        return c.json({ error: 'not_found' }, 404)
      }
      const { method } = entry
      const asked = { method, headers: incoming.headers, ...withScope(name, entry) }
      const response = await inner.ask(asked, entry)
      return adjust(site, name, c, response)
    })
  for (const [path, name] of Object.entries(endpoints)) app.all(path, answer(name))
  app.notFound(answer('not_found'))
  return app
}

/** Who names no scope asks for the least (RFC 6749, section 3.3). The library would give none. */
function withScope(name: string, { path, body }: LogEntry): Pick<LogEntry, 'path' | 'body'> {
  if (name === 'oauth_authorize' && path.startsWith(`${paths.authorization}?`)) {
    const [, query = ''] = path.split('?')
    return { path: `${paths.authorization}?${scoped(query)}`, body }
  }
  const begins = name === 'oauth_device' || /(^|&)grant_type=client_credentials(&|$)/.test(body)
  return { path, body: begins ? scoped(body) : body }
}

function scoped(fields: string): string {
  const all = new URLSearchParams(fields)
  if (!all.get('scope')) all.set('scope', scopes[0])
  return all.toString()
}
