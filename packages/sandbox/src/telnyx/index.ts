import { Hono } from 'hono'
import type { MailServer } from '../mail.ts'
import type { SandboxEnv, SandboxServer } from '../server.ts'
import { agentInboxRoutes } from './agent-inbox.ts'
import { createGuard } from './api-auth.ts'
import { apiError } from './api-error.ts'
import { debugEchoRoute } from './debug-echo.ts'
import { mcpRoute } from './mcp.ts'
import type { TelnyxOptions } from './options.ts'
import { portalRoutes } from './portal.ts'
import { productRoutes } from './products.ts'
import { sessionRoutes } from './sessions.ts'
import { signupRoutes } from './signup.ts'
import { developersRoutes, metadataRoutes, siteRoutes } from './sites.ts'
import { createTelnyx, hostnames, type Telnyx } from './state.ts'

/** Puts the imitated Telnyx onto its virtual hosts. */
export function mountTelnyx(
  server: SandboxServer,
  mail: MailServer,
  options: TelnyxOptions,
): Telnyx {
  const telnyx = createTelnyx(server, mail, options)
  const hosts = {
    api: new Hono<SandboxEnv>(),
    developers: new Hono<SandboxEnv>(),
    portal: new Hono<SandboxEnv>(),
    site: new Hono<SandboxEnv>(),
    agentInbox: new Hono<SandboxEnv>(),
  }
  const guard = createGuard(telnyx)
  metadataRoutes(hosts.api, telnyx)
  signupRoutes(hosts.api, telnyx)
  sessionRoutes(hosts.api, telnyx)
  productRoutes(hosts.api, telnyx, guard)
  mcpRoute(hosts.api, telnyx, guard)
  debugEchoRoute(hosts.api, telnyx)
  hosts.api.notFound(
    server.endpoint('not_found', (c) => apiError(c, 'notFound', 'There is nothing here.')),
  )
  developersRoutes(hosts.developers, telnyx)
  portalRoutes(hosts.portal, telnyx)
  siteRoutes(hosts.site, telnyx)
  agentInboxRoutes(hosts.agentInbox, telnyx)

  server.mount(hostnames.api, hosts.api)
  server.mount(hostnames.developers, hosts.developers)
  server.mount(hostnames.portal, hosts.portal)
  server.mount(hostnames.site, hosts.site)
  server.mount(hostnames.agentInbox, hosts.agentInbox)
  return telnyx
}
