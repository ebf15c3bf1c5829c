import type { AgentAuth, Owner } from '@authmd/core'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import manifest from '../package.json' with { type: 'json' }
import { Approvals } from './approval.ts'
import { addTools } from './tools.ts'

/** What the application sets. */
export interface AuthServerOptions {
  /** Whose credentials they are: of the application's own session, never of anything a client says. */
  readonly owner: Owner
  /** Who answers the questions at this client, for the record; `unknown via mcp` where it is left out. */
  readonly approver?: string
  /**
   * The page where a person hands over what a registration waits for, such as the link of a mail or a code: opened
   * by elicitation in URL mode, so that neither model nor client sees what is handed over.
   */
  readonly intakeUrl?: (registration: string) => string | Promise<string>
}

/**
 * An MCP server with the five tools, for one owner and one connection. Tools of your own are added with
 * `registerTool`, before `connect`.
 *
 * What binds somebody is asked by elicitation in form mode, and core checks each answer against the
 * question that it has on record. A client without elicitation gets `needs_consent`, which a person
 * answers elsewhere, with `auth.people.answer`. Nothing in a tool's arguments is ever a consent.
 *
 * @throws AuthError `owner_invalid`
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
 * @example
 * ```ts
 * const server = createAuthServer(auth, { owner: { tenant: user.org, user: user.id } })
 * await server.connect(transport)
 * ```
 */
export function createAuthServer(auth: AgentAuth, options: AuthServerOptions): McpServer {
  const session = auth.as(options.owner)
  const server = new McpServer({ name: 'authmd', title: 'authmd', version: manifest.version })
  addTools(server, session, new Approvals(session, options))
  return server
}
