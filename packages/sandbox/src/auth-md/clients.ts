import { randomUUID } from 'node:crypto'
import type { Hono } from 'hono'
import type { SandboxEnv } from '../server.ts'
import { answering, noStore, Refusal } from './errors.ts'
import { loginPage } from './pages.ts'
import { readJson } from './read.ts'
import type { AuthMd } from './state.ts'

/** A site that calls its OAuth client registration (RFC 7591) what others call an agent's. */
export function clientRoutes(app: Hono<SandboxEnv>, { server }: AuthMd): void {
  app.post(
    '/oauth/register',
    answering(server, 'agent_client_registration', (c) => {
      const { redirect_uris: uris, client_name } = readJson(c)
      if (!Array.isArray(uris) || !uris.every((uri) => URL.canParse(String(uri)))) {
        throw new Refusal('invalid_redirect_uri', 'redirect_uris must be a list of URLs.')
      }
      c.env.entry.effect = true
      const client = { client_id: randomUUID(), redirect_uris: uris, client_name }
      return c.json({ ...client, token_endpoint_auth_method: 'none' }, 201, noStore)
    }),
  )
  app.get(
    '/login',
    answering(server, 'agent_login', (c) => c.html(loginPage('/'))),
  )
}
