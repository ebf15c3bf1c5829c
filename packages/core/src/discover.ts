import type { Consents } from './consent/consents.ts'
import { type Contacts, stoppedBefore } from './consent/contacts.ts'
import type { Call } from './consent/ledger.ts'
import { isIncomplete } from './discovery/freshness.ts'
import type { Profiles } from './discovery/profiles.ts'
import type { Engine } from './engine/engine.ts'
import { readyOutcome } from './engine/outcome-of.ts'
import { viewRegistration } from './engine/registration.ts'
import { serviceUrl } from './inputs.ts'
import type { Outcome } from './outcome.ts'
import type { Owner } from './owner.ts'
import { isOpen } from './register.ts'
import { viewCredential } from './vault/credential-view.ts'
import type { Credentials } from './vault/credentials.ts'

interface DiscoverParts {
  readonly owner: Owner
  readonly engine: Engine
  readonly profiles: Profiles
  readonly credentials: Credentials
  readonly consents: Consents
  readonly contacts: Contacts
  readonly now: () => number
}

/** All that the owner holds and all that waits, at whichever service. Asks nobody. */
export async function allHeld({ engine, credentials, owner }: DiscoverParts): Promise<Outcome> {
  const held = await credentials.list(owner)
  const left = (await engine.list(owner)).filter((one) => isOpen(one) || one.orphans.length > 0)
  return {
    status: 'found',
    offers: [],
    credentials: held
      .map(viewCredential)
      .filter(({ state, orphan }) => state !== 'revoked' || orphan !== undefined),
    registrations: left.map(viewRegistration),
    warnings: [],
    next: 'auth_discover { service: "…" } for one service',
  }
}

/** How a service lets agents in, and what is held there; a credential that can be used is the whole answer. */
export async function waysIn(parts: DiscoverParts, asked: string, call: Call): Promise<Outcome> {
  const { owner, engine, profiles, credentials } = parts
  const service = serviceUrl(asked)
  const stopped = await stoppedBefore(parts, { verb: 'discover', service }, call)
  if (stopped) return stopped
  const held = await credentials.forService(owner, asked)
  const [best] = held
  if (best?.state === 'active' && best.kind !== 'none') return readyOutcome(best, parts.now())
  const profile = await profiles.of(owner, service)
  const { offers, because } = engine.ranked(profile)
  const registrations = (await engine.list(owner)).filter(isOpen)
  const open = registrations.filter((one) => one.offer.service === profile.service)
  const [running] = open
  const next = running
    ? `auth_claim { registration: "${running.id}" } says where the registration stands`
    : offers.length > 0
      ? `auth_register { service: "${profile.service}" }`
      : isIncomplete(profile.tried)
        ? 'the same call again, later: not all that was asked for answered in time'
        : 'none: no way in was found that this agent can go'
  return {
    status: 'found',
    service: profile.service,
    offers,
    ...(because === undefined ? {} : { because }),
    credentials: held.map(viewCredential),
    registrations: open.map(viewRegistration),
    warnings: profile.warnings,
    next,
  }
}
