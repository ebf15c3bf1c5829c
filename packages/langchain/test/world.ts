import {
  type AgentAuth,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
  type OwnerIdentity,
  type Session,
  type Store,
} from '@authmd/core'
import { personAtPortal, type Sandbox, startSandbox } from '@authmd/sandbox'

export const owner = { tenant: 'acme', user: 'kim' }
export const eve = { tenant: 'acme', user: 'eve' }
export const email = 'agents@operator.test'

export interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly service: string
  readonly session: Session
  readonly close: () => Promise<void>
}

interface WorldOptions {
  readonly store?: Store
  /** Who is registered; the operator's mailbox where it is left out. */
  readonly identity?: OwnerIdentity
}

/** The sandbox and an `AgentAuth` that may speak to it and read its mail, on one clock. */
export async function startWorld({ store, identity }: WorldOptions = {}): Promise<World> {
  const sandbox = await startSandbox()
  const clock = () => sandbox.clock.now()
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const auth = createAgentAuth({
    store: store ?? memoryStore({ clock }),
    [allowLoopback]: true,
    clock,
    identity: () => identity ?? { mailbox },
  })
  const service = sandbox.urls.api
  return { sandbox, auth, service, session: auth.as(owner), close: () => sandbox.close() }
}

/** Names of the requests that left something behind at the service. */
export function effects({ sandbox }: World): string[] {
  return sandbox.log.filter((one) => one.effect).map((one) => one.name)
}

/** How many messages the service sent. */
export const sent = (world: World): number =>
  effects(world).filter((name) => name === 'messages').length

export interface ToolCall {
  readonly name: string
  readonly args: Record<string, unknown>
}
export interface Signup extends ToolCall {
  readonly args: { service: string; registration: string; answer: string }
}

/** The call that answers the puzzle of a tool's text, as a model that solves it would make it. */
export function solution({ sandbox, service }: World, said: string): Signup {
  const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(said)?.[1] ?? ''
  const registration = /reg_[\w-]+/.exec(said)?.[0] ?? ''
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle of ${said}`)
  return { name: 'auth_register', args: { service, registration, answer } }
}

/** A registration that waits for the answer to its puzzle, and the call that answers it. */
export async function beginSignup(world: World, session: Session = world.session): Promise<Signup> {
  const { service } = world
  const { text } = await authTools[1]!.run(session, { service }, { channel: 'code' })
  return solution(world, text)
}

/** A credential, got by a person who agreed outside the chat. */
export async function obtain(world: World): Promise<string> {
  const { session, auth, sandbox } = world
  const { args } = await beginSignup(world)
  const asked = await session.register(args)
  if (asked.status !== 'needs_consent') throw new Error(`expected a consent, got ${asked.status}`)
  await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  await session.register(args)
  await sandbox.mail.waitFor(email)
  const ready = await session.claim({ registration: args.registration })
  if (ready.status !== 'ready') throw new Error(`expected a credential, got ${ready.status}`)
  return ready.credential.handle
}

/** A call that sends a message, which binds somebody. */
export function message({ service }: World, text: string): ToolCall {
  const json = { from: '+13125550100', to: '+13125550101', text }
  return { name: 'auth_use', args: { service, method: 'POST', path: '/v2/messages', json } }
}

/** A person deletes all keys in the portal. */
export const deleteKeys = ({ sandbox }: World): Promise<void> =>
  personAtPortal(sandbox, email).deleteKeys()
