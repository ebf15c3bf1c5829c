import { personAt } from '@authmd/sandbox'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import type { Outcome } from '../src/outcome.ts'
import { approve, expectStatus, openWorld, type World } from './world.ts'

export const ada = 'ada@agents.test'
export const minute = 60_000
type AuthMd = NonNullable<NonNullable<Parameters<typeof openWorld>[1]>['authMd']>

/** A world with one auth.md service, and the address that the application names. */
export async function at(authMd: AuthMd, email?: string, options: Partial<AgentAuthOptions> = {}) {
  const identity = () => (email ? { email } : {})
  const world = await openWorld({ identity, ...options }, { authMd })
  const [site] = world.sandbox.authMd
  if (site === undefined) throw new Error('no auth.md service')
  return { ...world, site, person: personAt(site, email ?? ada) }
}
export type At = Awaited<ReturnType<typeof at>>

/** Registers with a person's agreement. */
export async function registered(world: At): Promise<Outcome> {
  const input = { service: world.site.api }
  await approve(world, await world.session.register(input))
  return world.session.register(input)
}

/** A registration that waits for its person, with what that person is shown. */
export async function waiting(world: At) {
  const outcome = expectStatus(await registered(world), 'needs_person')
  const { need, registration = '' } = outcome
  const claim = () => world.session.claim({ registration })
  const pass = (ms: number) => world.sandbox.clock.advance(ms)
  const later = (ms: number) => {
    pass(ms)
    return claim()
  }
  return { need, url: need.url ?? '', code: need.code ?? '', registration, claim, pass, later }
}

/** One request that any registration may make. */
export function reads(world: World & { site: { api: string } }) {
  return world.session.use({ service: world.site.api, path: '/api/resource' })
}
export const ok = { status: 'answered', answer: { status: 200 } }

/** What a person hands over. */
export async function handOver(
  { auth }: Pick<World, 'auth'>,
  registration: string,
  code: string,
): Promise<Outcome> {
  return (await auth.people.answer(registration, { code }, { approver: 'ada' })) as Outcome
}

/** What an owner's list of all that waits says of a registration's remains at its service. */
export async function orphansOf({ session }: World, registration: string): Promise<string[]> {
  const { registrations } = expectStatus(await session.discover(), 'found')
  const one = registrations.find(({ id }) => id === registration)
  return one?.orphans.map(({ what }) => what) ?? []
}
