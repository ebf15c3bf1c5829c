import {
  type AgentAuth,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
  type Session,
} from '@authmd/core'
import { type ChallengeType, personAtPortal, type Sandbox, startSandbox } from '@authmd/sandbox'

export const owner = { tenant: 'acme', user: 'kim' }
export const email = 'agents@operator.test'

export interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly service: string
  readonly session: Session
  /** Of which kind the next puzzle is: one of these. */
  readonly puzzles: ChallengeType[]
  readonly close: () => Promise<void>
}

/** The sandbox and an `AgentAuth` that may speak to it and read its mail, on one clock. */
export async function startWorld(): Promise<World> {
  const puzzles: ChallengeType[] = ['math', 'string', 'binary']
  const sandbox = await startSandbox({ challenge: { types: puzzles } })
  const clock = () => sandbox.clock.now()
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const auth = createAgentAuth({
    store: memoryStore({ clock }),
    [allowLoopback]: true,
    clock,
    identity: () => ({ mailbox }),
  })
  const service = sandbox.urls.api
  return { sandbox, auth, service, puzzles, session: auth.as(owner), close: () => sandbox.close() }
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
  const { session, auth, sandbox } = world
  const { input } = await beginSignup(world)
  const asked = await session.register(input)
  if (asked.status !== 'needs_consent') throw new Error(`expected a consent, got ${asked.status}`)
  await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
  await session.register(input)
  await sandbox.mail.waitFor(email)
  const ready = await session.claim({ registration: input.registration })
  if (ready.status !== 'ready') throw new Error(`expected a credential, got ${ready.status}`)
  return ready.credential.handle
}

/** A person deletes all keys in the portal. */
export const deleteKeys = ({ sandbox }: World): Promise<void> =>
  personAtPortal(sandbox, email).deleteKeys()
