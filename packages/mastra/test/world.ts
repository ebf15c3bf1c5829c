import {
  type AgentAuth,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
  type Session,
  type Store,
} from '@authmd/core'
import { personAtPortal, type Sandbox, signInLink, startSandbox } from '@authmd/sandbox'

export const owner = { tenant: 'acme', user: 'kim' }
export const email = 'agents@operator.test'

export interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly service: string
  readonly session: Session
  readonly mail: 'read' | 'handed over'
  /** Ids of the consents that the application was told of. */
  readonly asked: readonly string[]
  readonly close: () => Promise<void>
}

/**
 * The sandbox and an `AgentAuth` that may speak to it, on one clock. It may read its mail as well, unless
 * a person is to hand the links over.
 */
export async function startWorld({
  mail = 'read',
  store,
}: {
  mail?: 'read' | 'handed over'
  store?: Store
} = {}): Promise<World> {
  const sandbox = await startSandbox()
  const clock = () => sandbox.clock.now()
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const asked: string[] = []
  const auth = createAgentAuth({
    store: store ?? memoryStore({ clock }),
    [allowLoopback]: true,
    clock,
    onPersonNeeded: ({ kind, id }) => void (kind === 'consent' && asked.push(id)),
    identity: () => (mail === 'read' ? { mailbox } : { email }),
  })
  const service = sandbox.urls.api
  const session = auth.as(owner)
  return { sandbox, auth, service, session, mail, asked, close: () => sandbox.close() }
}

/** Names of the requests that left something behind at the service. */
export function effects({ sandbox }: World): string[] {
  return sandbox.log.filter((one) => one.effect).map((one) => one.name)
}

export interface Signup {
  readonly tool: 'auth_register'
  readonly input: {
    readonly service: string
    readonly registration: string
    readonly answer: string
  }
}

/** The call that answers the puzzle of a tool's text, as a model that solves it would make it. */
export function solution({ sandbox, service }: World, said: string): Signup {
  const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(said)?.[1] ?? ''
  const registration = /reg_[\w-]+/.exec(said)?.[0] ?? ''
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle of ${said}`)
  return { tool: 'auth_register', input: { service, registration, answer } }
}

const registerTool = authTools[1]!

/** A registration that waits for the answer to its puzzle, and the call that answers it. */
export async function beginSignup(world: World): Promise<Signup> {
  const { session, service } = world
  const { text } = await registerTool.run(session, { service }, { channel: 'code' })
  return solution(world, text)
}

/** A credential, got by a person who agreed outside the chat. */
export async function obtain(world: World): Promise<string> {
  const { session, auth } = world
  const { input } = await beginSignup(world)
  const asked = await session.register(input)
  if (asked.status !== 'needs_consent') throw new Error(`expected a consent, got ${asked.status}`)
  await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  await session.register(input)
  await handOver(world, input.registration)
  const ready = await session.claim({ registration: input.registration })
  if (ready.status !== 'ready') throw new Error(`expected a credential, got ${ready.status}`)
  return ready.credential.handle
}

/** Waits for the mail with the sign-in link; where nobody reads the mail, a person hands the link over. */
export async function handOver(world: World, registration = ''): Promise<void> {
  const link = signInLink(await world.sandbox.mail.waitFor(email)) ?? ''
  if (world.mail === 'read') return
  await world.auth.people.answer(registration, { link }, { approver: 'kim' })
}

/** A person deletes all keys in the portal. */
export const deleteKeys = ({ sandbox }: World): Promise<void> =>
  personAtPortal(sandbox, email).deleteKeys()
