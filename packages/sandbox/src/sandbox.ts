import { type AuthMdSite, mountAuthMds } from './auth-md/index.ts'
import type { AuthMdOptions, OneOrMore } from './auth-md/options.ts'
import { type Clock, createClock, type SandboxClock } from './clock.ts'
import { controlApp } from './control.ts'
import type { Fault, Faults } from './faults.ts'
import { type IdentityProvider, mountIdentityProvider } from './identity-provider/index.ts'
import type { LedgerEntry } from './ledger.ts'
import type { LogEntry } from './log.ts'
import { type Mailbox, MailServer, mailApp } from './mail.ts'
import { mountOAuths, type OAuthSite } from './oauth/index.ts'
import type { OAuthOptions } from './oauth/options.ts'
import { mountProse, type ProseOptions, type ProseSite } from './prose/index.ts'
import { startServer } from './server.ts'
import { mountTelnyx } from './telnyx/index.ts'
import type { TelnyxOptions } from './telnyx/options.ts'

export interface SandboxOptions extends TelnyxOptions {
  /** 0, the default, takes any free one. */
  port?: number
  /** Where the time comes from; the system's clock if absent. */
  clock?: Clock
  /** Faults that are in force from the beginning. */
  faults?: readonly Fault[]
  /** The auth.md services, each under a name of its own; one of v0.7 if absent. */
  authMd?: OneOrMore<AuthMdOptions>
  /** The APIs behind OAuth, each under a name of its own; one with everything if absent. */
  oauth?: OneOrMore<OAuthOptions>
  /** The service whose text alone tells how to sign up. */
  prose?: ProseOptions
}

/** Origins without a slash at the end, such as `http://api.telnyx.localhost:8787`. */
export interface SandboxUrls {
  api: string
  developers: string
  portal: string
  site: string
  /** The API of the first auth.md service; `authMd` has the rest. */
  authMd: string
  /** The first API behind OAuth; `oauth` has the rest. */
  oauth: string
  /** The service whose text alone tells how to sign up. */
  prose: string
  identityProvider: string
  mail: string
  control: string
}

export interface Sandbox extends AsyncDisposable {
  readonly port: number
  readonly urls: SandboxUrls
  readonly clock: SandboxClock
  readonly mail: Mailbox
  /** The auth.md services, in the order of the options. */
  readonly authMd: readonly [AuthMdSite, ...AuthMdSite[]]
  /** The APIs behind OAuth, in the order of the options. */
  readonly oauth: readonly [OAuthSite, ...OAuthSite[]]
  readonly prose: ProseSite
  /** Vouches for users at all auth.md services. */
  readonly identityProvider: IdentityProvider
  readonly faults: Pick<Faults, 'add' | 'list' | 'clear' | 'names'>
  /** Every secret ever issued, oldest first. It grows while the sandbox runs. */
  readonly ledger: readonly LedgerEntry[]
  /** Every request to a service, in the order of arrival. It grows while the sandbox runs. */
  readonly log: readonly LogEntry[]
  /** The right answer to a challenge, found by its nonce or its problem's exact text. */
  answerTo(nonceOrProblem: string): string | undefined
  /** Lets go of held requests, cuts open connections and frees the port. */
  close(): Promise<void>
}

/**
 * Starts the services on 127.0.0.1, each site on a virtual host below `.localhost`. All state is
 * in memory and gone after `close()`.
 *
 * @throws Error (`EADDRINUSE` …) when the port cannot be had; TypeError for a fault that makes no sense,
 * or for two services of one name
 *
 * @example
 * await using sandbox = await startSandbox({ euTerms: true })
 * console.log(sandbox.urls.developers + '/auth.md')
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, clock: base, faults = [], ...services } = options
  const { authMd = {}, oauth = {}, prose: proseOptions = {}, ...telnyxOptions } = services
  const clock = createClock(base)
  const server = await startServer(port, clock)
  const mail = new MailServer(clock)
  const telnyx = mountTelnyx(server, mail, telnyxOptions)
  const identityProvider = mountIdentityProvider(server)
  const prose = mountProse(server, proseOptions)
  const answerTo = (nonceOrProblem: string) => telnyx.challenges.answerTo(nonceOrProblem)
  server.mount('mail.localhost', mailApp(mail), { logged: false })
  server.mount('control.localhost', controlApp(server, answerTo), { logged: false })
  let sites: Sandbox['authMd']
  let oauths: Sandbox['oauth']
  try {
    sites = mountAuthMds(server, mail, [identityProvider], authMd)
    oauths = mountOAuths(server, oauth)
    for (const fault of faults) server.faults.add(fault)
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    port: server.port,
    urls: {
      ...telnyx.urls,
      authMd: sites[0].api,
      oauth: oauths[0].api,
      prose: prose.api,
      identityProvider: identityProvider.issuer,
      mail: server.origin('mail.localhost'),
      control: server.origin('control.localhost'),
    },
    clock,
    mail,
    authMd: sites,
    oauth: oauths,
    prose,
    identityProvider,
    faults: server.faults,
    ledger: server.ledger.entries,
    log: server.log,
    answerTo,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  }
}
