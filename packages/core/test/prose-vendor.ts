import { canary } from '@authmd/canary'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import { allowLoopback, createAgentAuth, memoryStore } from '../src/node/main.ts'
import type { PersonRequest } from '../src/people/people.ts'
import { serve } from './loopback-servers.ts'
import { owner } from './world.ts'

export const key = 'vk_live_made-up-0001'

/** A service that only writes prose, and answers 200 to `accepts` alone. */
export async function vendor(
  lines: readonly string[],
  accepts: (headers: Record<string, unknown>, url: string) => boolean,
  options: Partial<AgentAuthOptions> = {},
) {
  canary.watch(key, 'the key')
  const service = await serve((request, response) => {
    if (request.url === '/auth.md') {
      response.setHeader('content-type', 'text/markdown')
      const { origin } = service
      return void response.end(
        [
          '# auth.md',
          '',
          'How agents get into Vendor.',
          '',
          `Base URL: ${origin}/v1`,
          '',
          `Create an API key at ${origin}/keys.`,
          '',
          ...lines,
          '',
          '```http',
          'GET /v1/me',
          '```',
        ].join('\n'),
      )
    }
    if (!request.url?.startsWith('/v1/')) return void response.writeHead(404).end()
    response.writeHead(accepts(request.headers, request.url) ? 200 : 401).end('{}')
  })
  const asked: PersonRequest[] = []
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    onPersonNeeded: (request) => void asked.push(request),
    ...options,
  })
  const session = auth.as(owner)
  const { origin } = service
  const register = () => session.register({ service: origin, method: 'manual' })
  return { auth, session, service, origin, asked, register }
}
