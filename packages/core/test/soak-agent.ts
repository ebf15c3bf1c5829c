import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { AuthMdOptions, Sandbox } from '@authmd/sandbox'
import { bundle } from './bundle.ts'
import { email, type Operator } from './soak-operator.ts'
import { type SoakArgument, type SoakEnd, wholeWay } from './soak-way.ts'

export type SoakMethod = 'telnyx-signup' | 'manual' | 'agent-auth' | 'guided'

/** A way of auth.md: with a person's address where somebody claims, `late` where that is after the first use. */
export interface Ceremony {
  readonly authMd: AuthMdOptions
  readonly email?: string
  readonly late?: true
}

export const ceremonies: readonly Ceremony[] = [
  { authMd: { version: 'v0.7' }, email },
  { authMd: { version: 'v0.4' }, email },
  { authMd: { version: 'v0.3' }, email },
  { authMd: { version: 'readback' }, email },
  { authMd: { version: 'v0.7' } },
  { authMd: { version: 'v0.7' }, email, late: true },
  { authMd: { version: 'readback' }, email, late: true },
]

export function nameOf({ authMd, email: address, late }: Ceremony): string {
  return [authMd.version, ...(late ? ['late'] : address === undefined ? ['anonymous'] : [])].join(
    ' ',
  )
}

let child = ''

/**
 * Makes the agent's program, in a folder of its own: who builds it anew must not take it from a run that lasts
 * an hour. What it returns removes it.
 */
export async function buildAgent(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'authmd-agent-'))
  child = join(folder, 'soak-child.mjs')
  await bundle('soak-child.ts', child)
  return () => rmSync(folder, { recursive: true })
}

export interface Way {
  readonly sandbox: Sandbox
  readonly operator: Operator
  /** Where its store is. */
  readonly dir: string
  readonly method: SoakMethod
  readonly ceremony?: Ceremony | undefined
}

/** How a process ended: a signal or an exit code, and what it said. */
export interface AgentEnd {
  readonly by: NodeJS.Signals | number | null
  readonly out: string
  readonly err: string
}

/** An agent's process that goes the whole way, or on from where one before it stood. */
export function startAgent(way: Way): {
  readonly process: ChildProcess
  readonly ended: Promise<AgentEnd>
} {
  const argument = JSON.stringify(argumentOf(way))
  const env = { ...process.env, NODE_COMPILE_CACHE: dirname(child) }
  const agent = spawn(process.execPath, [child, argument], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<NodeJS.Signals | number | null>((resolve) => {
    agent.once('close', (code, signal) => resolve(signal ?? code))
  })
  const ended = Promise.all([closed, text(agent.stdout), text(agent.stderr)])
  return { process: agent, ended: ended.then(([by, out, err]) => ({ by, out, err })) }
}

/** An agent of this process that goes on from where one before it stood, with nothing but what that has stored. */
export function goOn(way: Way): Promise<SoakEnd> {
  return wholeWay(argumentOf(way))
}

function argumentOf({ sandbox, operator, dir, method, ceremony }: Way): SoakArgument {
  const { mail, control, api: telnyx } = sandbox.urls
  const guided = method === 'guided' ? sandbox.prose.api : telnyx
  return {
    dir,
    api: ceremony ? sandbox.authMd[0].api : guided,
    mail,
    control,
    operator: operator.url,
    method,
    email: ceremony?.email,
    late: ceremony?.late,
  }
}
