import {
  type AgentAuth,
  type AgentAuthOptions,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
  type OwnerIdentity,
  type Policy,
  type Session,
  type Store,
} from '@authmd/core'
import {
  type AuthMdOptions,
  type ChallengeType,
  personAtPortal,
  type Sandbox,
  startSandbox,
} from '@authmd/sandbox'
import type { Call } from './driver.ts'

export const owner = { tenant: 'acme', user: 'kim' }
export const stranger = { tenant: 'acme', user: 'eve' }
export const email = 'agents@operator.test'

/** One sandbox, and an `AgentAuth` that may speak to it, on one clock. */
export interface World {
  readonly sandbox: Sandbox
  readonly service: string
  readonly auth: AgentAuth
  /** The owner's. */
  readonly session: Session
  /** An `AgentAuth` over the same store, as another process makes it when it starts. */
  readonly open: () => AgentAuth
  readonly close: () => Promise<void>
}

export interface WorldOptions {
  readonly store?: Store
  /** Who is registered; the operator's mailbox where it is left out. */
  readonly identity?: OwnerIdentity
  /** Of which kinds the puzzles are. */
  readonly puzzles?: readonly ChallengeType[]
  readonly onPersonNeeded?: AgentAuthOptions['onPersonNeeded']
  readonly policy?: Policy
  /** The service is one that follows auth.md. */
  readonly authMd?: AuthMdOptions
  /** An identity provider vouches for this address. */
  readonly vouchedFor?: string
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { puzzles = ['string'], onPersonNeeded, policy, authMd, vouchedFor } = options
  const sandbox = await startSandbox({
    challenge: { types: puzzles },
    ...(authMd ? { authMd } : {}),
  })
  const clock = () => sandbox.clock.now()
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const { store = memoryStore({ clock }), identity = { mailbox } } = options
  const open = () =>
    createAgentAuth({
      store,
      [allowLoopback]: true,
      clock,
      identity: () => identity,
      ...(onPersonNeeded ? { onPersonNeeded } : {}),
      ...(policy ? { policy } : {}),
      ...(vouchedFor === undefined
        ? {}
        : {
            identityAssertion: ({ audience }) =>
              sandbox.identityProvider.idJag({ email: vouchedFor, audience }),
          }),
    })
  const auth = open()
  const session = auth.as(owner)
  const service = authMd ? sandbox.authMd[0].api : sandbox.urls.api
  return { sandbox, service, auth, session, open, close: () => sandbox.close() }
}

/** Runs in a world that is closed afterwards. */
export async function inWorld<T>(
  run: (world: World) => Promise<T>,
  options: WorldOptions = {},
): Promise<T> {
  const world = await startWorld(options)
  try {
    return await run(world)
  } finally {
    await world.close()
  }
}

/** Names of the requests that left something behind at the service, a person's in the portal apart. */
export function effects({ sandbox }: Pick<World, 'sandbox'>): string[] {
  const names = sandbox.log.filter((one) => one.effect).map((one) => one.name)
  return names.filter((name) => !name.startsWith('portal'))
}

/** A call that binds somebody: it sends a message. */
export function message({ service }: Pick<World, 'service'>, text: string): Call {
  const json = { from: '+13125550100', to: '+13125550101', text }
  return { tool: 'auth_use', input: { service, method: 'POST', path: '/v2/messages', json } }
}

/** The texts of the messages that the service sent. */
export function sent({ sandbox }: Pick<World, 'sandbox'>): string[] {
  const sending = sandbox.log.filter(({ name, effect }) => name === 'messages' && effect)
  return sending.map(({ body }) => JSON.parse(body).text)
}

export interface Signup extends Call {
  readonly tool: 'auth_register'
  readonly input: {
    readonly service: string
    readonly registration: string
    readonly answer: string
  }
}

/** The call that answers the puzzle of a tool's text, as a model that solves it would make it. */
export function solution(
  { sandbox, service }: Pick<World, 'sandbox' | 'service'>,
  said: string,
): Signup {
  const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(said)?.[1] ?? ''
  const registration = /reg_[\w-]+/.exec(said)?.[0] ?? ''
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle of ${said}`)
  return { tool: 'auth_register', input: { service, registration, answer } }
}

/** A registration that waits for the answer to its puzzle, and the call that answers it. */
export async function beginSignup(world: World, session: Session = world.session): Promise<Signup> {
  const register = authTools.find(({ verb }) => verb === 'register')
  const said = await register?.run(session, { service: world.service }, { channel: 'code' })
  return solution(world, said?.text ?? '')
}

/** A person makes a key in the portal, and the operator imports it. Returns its handle. */
export async function importKey({ sandbox, service, session }: World): Promise<string> {
  const { api_key: secret } = await personAtPortal(sandbox, email).makeKey()
  const { handle } = await session.import({ service, audience: `${service}/v2`, secret })
  return handle
}

/** A credential by way of a signup to which a person agreed outside the chat. Returns its handle. */
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
export function deleteKeys({ sandbox }: Pick<World, 'sandbox'>): Promise<void> {
  return personAtPortal(sandbox, email).deleteKeys()
}

/** Kinds of the secrets that the service issued and that occur in a text, however it is encoded. */
export function secretsIn({ sandbox }: Pick<World, 'sandbox'>, text: string): string[] {
  const forms = (secret: string) => [
    secret,
    Buffer.from(secret).toString('base64url').slice(0, -2),
    Buffer.from(secret).toString('hex'),
  ]
  const found = sandbox.ledger.filter(({ value }) => forms(value).some((one) => text.includes(one)))
  return found.map(({ kind }) => kind)
}
