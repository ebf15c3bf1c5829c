import {
  type AgentAuthOptions,
  allowLoopback,
  createAgentAuth,
  memoryStore,
  type Outcome,
  type Session,
} from '@authmd/core'
import { startSandbox } from '@authmd/sandbox'
import { onTestFinished } from 'vitest'
import { type OpenTelemetryOptions, openTelemetry } from '../src/index.ts'

export const owner = { tenant: 'acme-tenant', user: 'kim-user' }
export const approver = 'lee@operator.test'
/** Of an access token's hour: so late that it is renewed first. */
export const nearlyOver: number = 59 * 60_000 + 45_000

/** The sandbox, and an `AgentAuth` that tells OpenTelemetry. */
export async function startWorld(
  telemetry: OpenTelemetryOptions = {},
  options: Partial<AgentAuthOptions> = {},
) {
  const sandbox = await startSandbox()
  onTestFinished(() => sandbox.close())
  const clock = () => sandbox.clock.now()
  const auth = createAgentAuth({
    store: memoryStore({ clock }),
    [allowLoopback]: true,
    clock,
    ...openTelemetry(telemetry),
    ...options,
  })
  const service = sandbox.urls.authMd

  async function decide(asked: Outcome, approve: boolean): Promise<void> {
    if (asked.status !== 'needs_consent') throw new Error(`asked nothing: ${asked.status}`)
    await auth.people.answer(asked.consent, { approve }, { approver })
  }

  /** Registers anonymously, with a person's agreement. */
  async function held(session: Session): Promise<string> {
    await decide(await session.register({ service }), true)
    const outcome = await session.register({ service })
    if (outcome.status !== 'ready') throw new Error(`not ready: ${JSON.stringify(outcome)}`)
    return outcome.credential.handle
  }

  /** One request that any registration may make. */
  const reads = (session: Session) => session.use({ service, path: '/api/resource' })

  return { sandbox, auth, service, session: auth.as(owner), decide, held, reads }
}

export type World = Awaited<ReturnType<typeof startWorld>>
