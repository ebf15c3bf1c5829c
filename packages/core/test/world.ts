import { canary } from '@authmd/canary'
import { type Sandbox, type SandboxOptions, startSandbox } from '@authmd/sandbox'
import type { AgentAuthOptions } from '../src/agent-auth.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Outcome, OutcomeOf } from '../src/outcome.ts'
import type { Mailbox } from '../src/people/mailbox.ts'
import type { Session } from '../src/session.ts'
import { memoryStore } from '../src/vault/memory-store.ts'

export const owner = { tenant: 'acme', user: 'kim' }
export const email = 'agents@operator.test'

/** The mailbox of the sandbox, as an operator would plug it in. */
export function sandboxMailbox(sandbox: Sandbox, address: string = email): Mailbox {
  return {
    address,
    list: async ({ to, since }) => {
      return sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since)
    },
  }
}

/** The sandbox and an `AgentAuth` that may speak to it, on one clock. */
export async function startWorld(
  options: Partial<AgentAuthOptions> = {},
  sandboxOptions: SandboxOptions = {},
) {
  const sandbox = await startSandbox(sandboxOptions)
  const auth = createAgentAuth({
    store: memoryStore({ clock: () => sandbox.clock.now() }),
    [allowLoopback]: true,
    clock: () => sandbox.clock.now(),
    identity: () => ({ mailbox: sandboxMailbox(sandbox) }),
    onEvent: (event) => canary.see('event', event),
    ...options,
  })
  return { sandbox, auth, session: auth.as(owner) }
}

/** Solves the puzzle that a registration waits with. */
export function solve(sandbox: Sandbox, problem: string): string {
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know ${problem}`)
  return answer
}

/** Registers and claims at the sandbox's Telnyx with a person who agrees to everything. */
export async function obtain(
  sandbox: Sandbox,
  session: Session,
  approve: (id: string) => Promise<unknown>,
) {
  const asked = await session.register({ service: sandbox.urls.api })
  if (asked.status !== 'needs_answer') throw new Error(`expected a puzzle, got ${asked.status}`)
  const input = {
    service: sandbox.urls.api,
    registration: asked.registration ?? '',
    answer: solve(sandbox, asked.problem),
  }
  const consent = await session.register(input)
  if (consent.status !== 'needs_consent')
    throw new Error(`expected a consent, got ${consent.status}`)
  await approve(consent.consent)
  await session.register(input)
  return session.claim({ registration: input.registration })
}

export type World = Awaited<ReturnType<typeof startWorld>>

const worlds: Sandbox[] = []

/** A world that `closeWorlds` ends, for `afterEach`. */
export async function openWorld(...options: Parameters<typeof startWorld>): Promise<World> {
  const world = await startWorld(...options)
  worlds.push(world.sandbox)
  return world
}

export async function closeWorlds(): Promise<void> {
  for (const sandbox of worlds.splice(0)) await sandbox.close()
}

/** The outcome, which must be of this status. */
export function expectStatus<S extends Outcome['status']>(
  outcome: Outcome | undefined,
  status: S,
): OutcomeOf<S> {
  if (outcome?.status === status) return outcome as OutcomeOf<S>
  throw new Error(`expected ${status}, got ${JSON.stringify(outcome, null, 1)}`)
}

/** The call that answers a puzzle, rightly unless another answer is given. */
export function answerTo({ sandbox }: Pick<World, 'sandbox'>, outcome: Outcome, answer?: string) {
  const { problem, registration = '' } = expectStatus(outcome, 'needs_answer')
  return {
    service: sandbox.urls.api,
    registration,
    answer: answer ?? solve(sandbox, problem),
  }
}

/** Begins a registration and answers the puzzle: what is asked of a person, and the call to repeat. */
export async function askedFor(world: World, register: { email?: string } = {}) {
  const begun = await world.session.register({ service: world.sandbox.urls.api, ...register })
  const input = answerTo(world, begun)
  const consent = expectStatus(await world.session.register(input), 'needs_consent')
  return { input, consent, registration: input.registration }
}

/** A person's yes. */
export async function approve({ auth }: Pick<World, 'auth'>, outcome: Outcome): Promise<void> {
  const { consent } = expectStatus(outcome, 'needs_consent')
  await auth.people.answer(consent, { approve: true }, { approver: 'kim' })
}

/** Signs up with everybody's agreement, to where the service's mail is waited for. */
export async function signedUp(world: World, register: { email?: string } = {}) {
  const { input, consent, registration } = await askedFor(world, register)
  await approve(world, consent)
  return { registration, outcome: await world.session.register(input) }
}

/** How often a request reached the service. */
export function sent({ sandbox }: Pick<World, 'sandbox'>, name: string): number {
  return sandbox.log.filter((entry) => entry.name === name).length
}

/** How often the service did something lasting because of it. */
export function done({ sandbox }: Pick<World, 'sandbox'>, name: string): number {
  return sandbox.log.filter((entry) => entry.name === name && entry.effect).length
}

/** Every API key that the service gave out. */
export function keysOf({ sandbox }: Pick<World, 'sandbox'>) {
  return sandbox.ledger.filter((entry) => entry.kind === 'api_key')
}
