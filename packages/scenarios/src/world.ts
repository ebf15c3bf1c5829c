import {
  type AgentAuth,
  allowLoopback,
  authTools,
  createAgentAuth,
  memoryStore,
} from '@authmd/core'
import { personAtPortal, type Sandbox, startSandbox } from '@authmd/sandbox'
import type { Call } from './driver.ts'

export const owner = { tenant: 'acme', user: 'kim' } as const
export const stranger = { tenant: 'acme', user: 'eve' } as const
const email = 'agents@operator.test'

/** One sandbox, and what another process would open anew over the same store. */
export interface World {
  readonly sandbox: Sandbox
  readonly service: string
  /** An `AgentAuth` as a process makes it when it starts. */
  readonly open: () => AgentAuth
}

export async function startWorld(): Promise<World> {
  const sandbox = await startSandbox({ challenge: { types: ['string'] } })
  const clock = () => sandbox.clock.now()
  const store = memoryStore({ clock })
  const mailbox = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const open = () =>
    createAgentAuth({ store, [allowLoopback]: true, clock, identity: () => ({ mailbox }) })
  return { sandbox, service: sandbox.urls.api, open }
}

/** Runs in a world that is closed afterwards. */
export async function inWorld<T>(run: (world: World) => Promise<T>): Promise<T> {
  const world = await startWorld()
  try {
    return await run(world)
  } finally {
    await world.sandbox.close()
  }
}

/** Names of the requests that left something behind at the service, a person's in the portal apart. */
export function effects({ sandbox }: World): readonly string[] {
  const names = sandbox.log.filter((one) => one.effect).map((one) => one.name)
  return names.filter((name) => !name.startsWith('portal'))
}

/** A call that binds somebody: it sends a message. */
export function message({ service }: World, text: string): Call {
  const json = { from: '+13125550100', to: '+13125550101', text }
  return { tool: 'auth_use', input: { service, method: 'POST', path: '/v2/messages', json } }
}

/** The texts of the messages that the service sent. */
export function sent({ sandbox }: World): readonly string[] {
  const sending = sandbox.log.filter(({ name, effect }) => name === 'messages' && effect)
  return sending.map(({ body }) => JSON.parse(body).text)
}

/** The input that answers the puzzle of a tool's text, as a model that solves it would write it. */
export function solution({ sandbox, service }: World, said: string): Record<string, unknown> {
  const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(said)?.[1] ?? ''
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle of: ${said}`)
  return { service, registration: /reg_[\w-]+/.exec(said)?.[0], answer }
}

/** A registration of the owner's that waits for the answer to its puzzle, and the input that answers it. */
export async function beginSignup(world: World): Promise<Record<string, unknown>> {
  const register = authTools.find(({ verb }) => verb === 'register')
  const session = world.open().as(owner)
  const said = await register?.run(session, { service: world.service }, { channel: 'code' })
  return solution(world, said?.text ?? '')
}

/** A person makes a key in the portal, and the operator imports it. */
export async function importKey(world: World): Promise<void> {
  const { api_key: secret } = await personAtPortal(world.sandbox, email).makeKey()
  const audience = `${world.service}/v2`
  await world.open().as(owner).import({ service: world.service, audience, secret })
}

/** A person deletes all keys in the portal. */
export const deleteKeys = ({ sandbox }: World): Promise<void> =>
  personAtPortal(sandbox, email).deleteKeys()

/** Kinds of the secrets that the service issued and that occur in a text, however it is encoded. */
export function secretsIn({ sandbox }: World, text: string): readonly string[] {
  const forms = (secret: string) => [
    secret,
    Buffer.from(secret).toString('base64url').slice(0, -2),
    Buffer.from(secret).toString('hex'),
  ]
  const found = sandbox.ledger.filter(({ value }) => forms(value).some((one) => text.includes(one)))
  return found.map(({ kind }) => kind)
}
