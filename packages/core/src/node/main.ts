import { AgentAuth, type AgentAuthOptions } from '../agent-auth.ts'
import { proofOfWork } from './proof-of-work.ts'
import { nodeTransport } from './transport.ts'

export * from '../api.ts'

/**
 * Makes the one object that an application holds. On Node every connection goes to the very address
 * that was checked.
 *
 * @example
 * ```ts
 * const auth = createAgentAuth({ store: fileStore({ dir: '.authmd', key: keyFromEnv('AUTHMD_KEY') }) })
 * const outcome = await auth.as({ tenant: 'acme' }).discover({ service: 'https://api.vendor.example' })
 * ```
 */
export function createAgentAuth(options: AgentAuthOptions): AgentAuth {
  return new AgentAuth(options, options.transport ?? nodeTransport(), proofOfWork)
}
