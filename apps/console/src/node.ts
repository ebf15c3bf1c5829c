import type { AgentAuth, AuthEvent } from '@authmd/core'
import { listenLocally } from '@authmd/core/node'
import { type Console, type ConsoleOptions, createConsole, type SignInLink } from './console.ts'
import type { ConsolePerson } from './person.ts'

/** A running console. */
export interface ConsoleServer {
  /** Where it is: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** See {@link Console.link}. */
  link(person: ConsolePerson, at?: string): Promise<SignInLink>
  /** See {@link Console.onEvent}. */
  onEvent(event: AuthEvent): void
  /** Stops listening and ends open connections. */
  close(): Promise<void>
}

/**
 * Serves the console on this machine alone: on 127.0.0.1, and under that name alone. A person signs in by a one-time
 * link. Elsewhere mount `createConsole` behind https.
 *
 * @param options.port A free one is taken where it is left out.
 * @throws What `listen` reports, such as a port that is in use
 * @example
 * ```ts
 * const server = await serveConsole(auth)
 * const { url } = await server.link({ approver: 'kim', owners: [{ tenant: 'acme', user: 'kim' }] })
 * ```
 */
export async function serveConsole(
  auth: AgentAuth,
  options: Omit<ConsoleOptions, 'baseUrl' | 'identify' | 'signOutUrl'> & {
    readonly port?: number
  } = {},
): Promise<ConsoleServer> {
  const { port = 0, ...rest } = options
  let made: Console | undefined
  const server = await listenLocally(port, () => made?.handle)
  try {
    made = createConsole(auth, { ...rest, baseUrl: server.url })
  } catch (error) {
    await server.close()
    throw error
  }
  const { link, onEvent } = made
  return { url: server.url, close: server.close, link, onEvent }
}
