import { AgentAuth, type AgentAuthOptions } from './agent-auth.ts'
import { AuthError } from './errors.ts'

export * from './api.ts'

/**
 * Makes the one object that an application holds. Outside Node there are no sockets whose address
 * could be checked: pass a `transport` (`webTransport(fetch)`).
 *
 * @throws AuthError `invalid_input` where no transport is given
 * @example
 * ```ts
 * const auth = createAgentAuth({ store, transport: webTransport(fetch) })
 * const outcome = await auth.as({ tenant: 'acme' }).discover({ service: 'https://api.vendor.example' })
 * ```
 */
export function createAgentAuth(options: AgentAuthOptions): AgentAuth {
  if (options.transport === undefined) {
    throw new AuthError('invalid_input', 'pass a transport: this runtime has none of its own')
  }
  return new AgentAuth(options, options.transport)
}
