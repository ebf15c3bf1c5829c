import { personAtOAuth, type OAuthOptions as SandboxOAuth } from '@authmd/sandbox'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import type { Grant, OAuthOptions } from '../src/methods/oauth/options.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Outcome } from '../src/outcome.ts'
import type { Owner } from '../src/owner.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import type { Store } from '../src/vault/store.ts'
import { approve, expectStatus, openWorld, owner } from './world.ts'

export const redirectUri = 'https://agents.operator.test/back'
export const ada = 'ada@operator.test'
export const works = { status: 'answered', answer: { status: 200 } }

type Decision = NonNullable<Parameters<ReturnType<typeof personAtOAuth>['connect']>[2]>

/** A world whose one OAuth service is as asked for, and a person with a browser. */
export async function oauthWorld(
  oauth: SandboxOAuth | readonly [SandboxOAuth, ...SandboxOAuth[]] = {},
  options: Partial<AgentAuthOptions> = {},
  path = '/v1/me',
) {
  const world = await openWorld({ oauth: { redirectUri }, ...options }, { oauth })
  const { sandbox } = world
  const site = sandbox.oauth[0]
  const service = `${site.api}${path}`
  const person = personAtOAuth(ada)
  const verbs = ({ auth, session }: Pick<typeof world, 'auth' | 'session'>) => ({
    auth,
    session,
    /** Begins by this grant, with a person's yes. */
    async begun(grant: Grant): Promise<Outcome> {
      const input = { service, method: `oauth-${grant}` }
      const asked = await session.register(input)
      if (asked.status !== 'needs_consent') return asked
      await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
      return session.register(input)
    },
    /** Looks again when this time has passed. */
    later(outcome: Outcome, ms = 5_000): Promise<Outcome> {
      sandbox.clock.advance(ms)
      return session.claim({ registration: outcome.registration ?? '' })
    },
    back: (url: string | URL, by: Owner = owner) =>
      auth.people.callback(url, { owner: by, approver: ada }),
    me: () => session.use({ service, path: '/v1/me' }),
    write: () => session.use({ service, method: 'POST', path: '/v1/things', json: { text: 'a' } }),
  })
  return {
    ...world,
    ...verbs(world),
    site,
    service,
    person,
    /** The person types the code that is shown. */
    async connect(outcome: Outcome, decision?: Decision): Promise<void> {
      const { need } = expectStatus(outcome, 'needs_person')
      await person.connect(need.url ?? '', need.code ?? '', decision)
    },
    /** The person opens the link: the address by which the browser comes back. */
    async authorise(outcome: Outcome, decision?: Decision): Promise<string> {
      const { need } = expectStatus(outcome, 'needs_person')
      return (await person.authorize(need.url ?? '', decision)).url
    },
    /** Another process, with other options, or with the same store. */
    with(oauth: OAuthOptions, store: Store = memoryStore()) {
      const clock = () => sandbox.clock.now()
      const auth = createAgentAuth({ store, [allowLoopback]: true, clock, oauth })
      return verbs({ auth, session: auth.as(owner) })
    },
    /** What every request of this name sent as its form. */
    forms: (name: string): Readonly<Record<string, string>>[] =>
      sandbox.log
        .filter((entry) => entry.name === name)
        .map(({ body }) => Object.fromEntries(new URLSearchParams(body))),
    /** How often a client was registered and deleted again. */
    clients() {
      const made = sandbox.log.filter(
        ({ name, status }) => name === 'oauth_register' && status === 201,
      )
      const gone = sandbox.log.filter(
        ({ name, method, status }) =>
          name === 'oauth_client' && method === 'DELETE' && status === 204,
      )
      return { made: made.length, gone: gone.length }
    },
  }
}

export type OAuthWorld = Awaited<ReturnType<typeof oauthWorld>>

/** All the way to a credential. */
export async function obtained(world: OAuthWorld, grant: Grant, decision?: Decision) {
  const begun = await world.begun(grant)
  let outcome = begun
  if (grant === 'device') {
    await world.connect(begun, decision)
    outcome = await world.later(begun)
  }
  if (grant === 'code') outcome = await world.back(await world.authorise(begun, decision))
  return expectStatus(outcome, 'ready').credential
}

/** A person's yes to a call, and the call again. */
export async function agreed(world: OAuthWorld, call: () => Promise<Outcome>): Promise<Outcome> {
  const asked = await call()
  if (asked.status !== 'needs_consent') return asked
  await approve(world, asked)
  return call()
}
