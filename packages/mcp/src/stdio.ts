import type { AgentAuth } from '@authmd/core'
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { type AuthServerOptions, createAuthServer } from './server.ts'

/**
 * Serves the five tools over this process' standard input and output, until the client closes them or
 * is gone. Nothing else may write to standard output: log to standard error.
 *
 * @throws AuthError `owner_invalid`
 * @example
 * ```ts
 * await serveStdio(auth, { owner: { tenant: 'acme', user: userInfo().username } })
 * ```
 */
export async function serveStdio(auth: AgentAuth, options: AuthServerOptions): Promise<McpServer> {
  const server = createAuthServer(auth, options)
  const close = () => void server.close()
  process.stdin.once('end', close).once('close', close)
  // A client that was killed reads no answer; without a listener the failed write ends the process
  // in the middle of what it does.
  process.stdout.on('error', close)
  await server.connect(new StdioServerTransport())
  return server
}
