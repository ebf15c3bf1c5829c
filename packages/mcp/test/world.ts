import {
  type AgentAuth,
  allowLoopback,
  type Consent,
  createAgentAuth,
  type Method,
  memoryStore,
  type PersonRequest,
  type Policy,
  type Session,
} from '@authmd/core'
import { personAtPortal, type Sandbox, startSandbox } from '@authmd/sandbox'

export const owner = { tenant: 'acme', user: 'kim' }
export const email = 'agents@operator.test'

export interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly service: string
  readonly session: Session
  /** What the application's hook was told. */
  readonly told: readonly PersonRequest[]
  /** The book of consents as it lies in the store. */
  readonly consents: () => Promise<readonly Consent[]>
  readonly close: () => Promise<void>
}

export interface WorldOptions {
  /** Whether mail can be read without a person. */
  readonly mailbox?: boolean
  readonly methods?: readonly Method[]
  readonly policy?: Policy
  readonly codesThroughModel?: boolean
}

/** The sandbox and an `AgentAuth` that may speak to it, on one clock. */
export async function startWorld({
  mailbox,
  methods,
  policy,
  codesThroughModel = false,
}: WorldOptions = {}): Promise<World> {
  const sandbox = await startSandbox()
  const clock = () => sandbox.clock.now()
  const told: PersonRequest[] = []
  const box = {
    address: email,
    list: async ({ to, since }: { to: string; since: number }) =>
      sandbox.mail.list(to).filter((mail) => mail.receivedAt >= since),
  }
  const store = memoryStore({ clock })
  const auth = createAgentAuth({
    store,
    [allowLoopback]: true,
    clock,
    codesThroughModel,
    identity: () => (mailbox === false ? { email } : { mailbox: box }),
    ...(methods === undefined ? {} : { methods }),
    ...(policy === undefined ? {} : { policy }),
    onPersonNeeded: (one) => void told.push(one),
  })
  const service = sandbox.urls.api
  const consents = async () => {
    const { records } = await store.list({ kind: 'consent' })
    return records.map(({ value }) => JSON.parse(value) as Consent)
  }
  const close = () => sandbox.close()
  return { sandbox, auth, service, session: auth.as(owner), told, consents, close }
}

/** Names of the requests that left something behind at the service. */
export function effects({ sandbox }: Pick<World, 'sandbox'>): string[] {
  return sandbox.log.filter((one) => one.effect).map((one) => one.name)
}

export interface Signup {
  readonly service: string
  readonly registration: string
  readonly answer: string
}

/** The arguments that answer the puzzle of a tool's text, as a model that solves it would. */
export function solution({ sandbox }: Pick<World, 'sandbox'>, said: string): Signup {
  const problem = /<<<[^\n]*\n([\s\S]*)\n>>>/.exec(said)?.[1] ?? ''
  const answer = sandbox.answerTo(problem)
  if (answer === undefined) throw new Error(`the sandbox does not know the puzzle of ${said}`)
  return { service: sandbox.urls.api, registration: find(said, /reg_[\w-]+/), answer }
}

export function find(text: string, pattern: RegExp): string {
  const [found] = pattern.exec(text) ?? []
  if (found === undefined) throw new Error(`no ${pattern} in ${text}`)
  return found
}

/** Calls a tool and gives its text. */
export type CallTool = (name: string, input: object) => Promise<string>

/** What a model does that reads the tools' texts and nothing else, and what it read. */
export async function wholeFlow(world: Pick<World, 'sandbox'>, call: CallTool): Promise<string[]> {
  const { sandbox } = world
  const service = sandbox.urls.api
  const texts: string[] = []
  const say: CallTool = async (name, input) => {
    const text = await call(name, input)
    texts.push(text)
    return text
  }
  await say('auth_discover', { service })
  const signup = solution(world, await say('auth_register', { service }))
  await say('auth_register', signup)
  await sandbox.mail.waitFor(email)
  const ready = await say('auth_claim', { registration: signup.registration })
  const credential = find(ready, /cred_[\w-]+/)
  await say('auth_use', { service, method: 'GET', path: '/v2/available_phone_numbers' })
  await say('auth_use', { service, method: 'GET', path: '/v2/debug/echo' })
  await say('auth_revoke', { credential })
  await personAtPortal(sandbox, email).deleteKeys()
  await say('auth_revoke', { credential })
  return texts
}

/** The first words of what {@link wholeFlow} reads. */
export const flowStatuses: readonly string[] = [
  'found',
  'needs_answer',
  'pending',
  'ready',
  'answered',
  'answered',
  'needs_person',
  'ended',
]

/** A key that a person made in the portal. */
export async function makeKey({ sandbox }: Pick<World, 'sandbox'>): Promise<string> {
  return (await personAtPortal(sandbox, email).makeKey()).api_key
}
