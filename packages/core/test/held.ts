import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { canary as watched } from '@authmd/canary'
import { onTestFinished } from 'vitest'
import {
  type AgentAuthOptions,
  allowLoopback,
  createAgentAuth,
  memoryStore,
} from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import type { Session } from '../src/session.ts'
import { serve } from './loopback-servers.ts'
import { owner } from './world.ts'

/** A key that is nobody's, with characters that encodings treat differently. */
export const canary = 'made-up+canary/7f3a9c0d=='

/** The canary in the forms in which it could stand in a text. */
export const canaryForms: readonly string[] = [
  canary,
  encodeURIComponent(canary),
  Buffer.from(canary).toString('base64'),
  Buffer.from(canary).toString('base64url'),
  Buffer.from(canary).toString('hex'),
]

export interface Held {
  readonly auth: ReturnType<typeof createAgentAuth>
  readonly session: Session
  readonly handle: string
  readonly service: Awaited<ReturnType<typeof serve>>
}

/** A service on loopback and an owner who holds the canary for all of it. */
export async function hold(
  handler: RequestListener,
  more: Partial<Parameters<Session['import']>[0]> = {},
  options: Partial<AgentAuthOptions> = {},
): Promise<Held> {
  const service = await serve(handler)
  const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true, ...options })
  const session = auth.as(owner)
  const { origin } = service
  const given = { service: origin, audience: origin, secret: canary, ...more }
  const { handle } = await session.import(given)
  watched.watch(String(given.secret), 'the key that is held')
  return { auth, session, handle, service }
}

/** Does a thing that needs a consent, with a person who agrees once. */
export async function agreed(auth: Held['auth'], act: () => Promise<Outcome>): Promise<Outcome> {
  const asked = await act()
  if (asked.status !== 'needs_consent') throw new Error(`expected a consent, got ${asked.status}`)
  await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  return act()
}

/** A service that can go down and come back at the same address. */
export async function stoppable(handler: RequestListener) {
  let server: Server
  let port = 0
  const start = async () => {
    server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await start()
  onTestFinished(stop)
  return { origin: `http://localhost:${port}`, start, stop }
}
