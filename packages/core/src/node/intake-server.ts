import type { AgentAuth } from '../agent-auth.ts'
import type { Intake, IntakeOptions, IntakeUrl } from '../people/intake.ts'
import { listenLocally } from './local-server.ts'

/** A running intake page. */
export interface IntakeServer {
  /** Where it is: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** See {@link Intake.link}. */
  link(id: string): Promise<IntakeUrl>
  /** Stops listening and ends open connections. */
  close(): Promise<void>
}

/**
 * Serves the intake page on this machine alone: on 127.0.0.1, and under that name alone. For an agent
 * whose person sits at the same machine; elsewhere mount `auth.people.intake` behind https.
 *
 * @param options.port A free one is taken where it is left out.
 * @throws What `listen` reports, such as a port that is in use
 * @example
 * ```ts
 * const intake = await serveIntake(auth)
 * const { url } = await intake.link(request.id)
 * ```
 */
export async function serveIntake(
  auth: Pick<AgentAuth, 'people'>,
  options: Omit<IntakeOptions, 'baseUrl'> & { readonly port?: number } = {},
): Promise<IntakeServer> {
  const { port = 0, ...rest } = options
  let intake: Intake | undefined
  const server = await listenLocally(port, () => intake?.handle)
  try {
    intake = auth.people.intake({ ...rest, baseUrl: server.url })
  } catch (error) {
    await server.close()
    throw error
  }
  const { url, close } = server
  return { url, close, link: intake.link }
}
