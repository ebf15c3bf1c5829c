import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canary } from '@authmd/canary'
import {
  type AgentAuth,
  type AgentAuthOptions,
  allowLoopback,
  createAgentAuth,
  memoryStore,
  type Outcome,
  type OutcomeOf,
  type Owner,
} from '@authmd/core'
import { auditFile, readAudit } from '@authmd/core/node'
import { personAtPortal, type Sandbox, startSandbox } from '@authmd/sandbox'
import { onTestFinished } from 'vitest'
import { type ConsoleServer, serveConsole } from '../src/node.ts'

export const kim = { approver: 'kim@operator.test', owners: [{ tenant: 'acme', user: 'kim' }] }
export const lee = { approver: 'lee@operator.test', owners: [{ tenant: 'acme', user: 'lee' }] }

export interface World {
  readonly sandbox: Sandbox
  readonly auth: AgentAuth
  readonly console: ConsoleServer
  readonly api: string
}

/** A sandbox, agents of two people, and the console over what they do. */
export async function openWorld(options: Partial<AgentAuthOptions> = {}): Promise<World> {
  const sandbox = await startSandbox()
  const dir = mkdtempSync(join(tmpdir(), 'authmd-console-'))
  const path = join(dir, 'audit.jsonl')
  const clock = () => sandbox.clock.now()
  let server: ConsoleServer | undefined
  const auth = createAgentAuth({
    store: memoryStore({ clock }),
    [allowLoopback]: true,
    clock,
    identity: ({ user }) => ({ email: `${user}@operator.test` }),
    onEvent: [auditFile({ path }), (event) => server?.onEvent(event)],
    ...options,
  })
  server = await serveConsole(auth, {
    name: 'Acme Operations',
    history: () => readAudit(path),
    clock,
  })
  const console = server
  onTestFinished(async () => {
    await console.close()
    await sandbox.close()
    rmSync(dir, { recursive: true })
  })
  return { sandbox, auth, console, api: sandbox.urls.api }
}

export function expectStatus<S extends Outcome['status']>(
  outcome: Outcome | undefined,
  status: S,
): OutcomeOf<S> {
  if (outcome?.status === status) return outcome as OutcomeOf<S>
  throw new Error(`expected ${status}, got ${JSON.stringify(outcome, null, 1)}`)
}

/** An agent of this owner wants to sign up: what is asked, and the call to repeat. */
export async function wantsToSignUp({ auth, sandbox, api }: World, owner: Owner) {
  const session = auth.as(owner)
  const begun = expectStatus(await session.register({ service: api }), 'needs_answer')
  const input = {
    service: api,
    registration: begun.registration ?? '',
    answer: sandbox.answerTo(begun.problem) ?? '',
  }
  return { input, consent: expectStatus(await session.register(input), 'needs_consent') }
}

/** An agent of this owner waits for a key: the registration. */
export async function wantsKey({ auth, api }: World, owner: Owner): Promise<string> {
  const asked = await auth.as(owner).register({ service: api, method: 'manual' })
  return expectStatus(asked, 'needs_person').registration ?? ''
}

/** A key as a person makes it in the portal. */
export async function makeKey({ sandbox }: World): Promise<string> {
  return (await personAtPortal(sandbox, 'kim@operator.test').makeKey()).api_key
}

export async function importKey({ auth, api }: World, owner: Owner, secret: string) {
  canary.watch(secret, 'an imported key')
  return auth.as(owner).import({ service: api, audience: `${api}/v2`, secret })
}
