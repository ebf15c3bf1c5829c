import type { AgentAuth, OnSettled, Owner, WatchOptions, WatchReport } from '@authmd/core'
import { Command } from '@langchain/langgraph'
import type { WaitRequest } from './waits.ts'

/** A thread that can go on. */
export interface WaitingThread {
  /** The `thread_id`. */
  readonly thread: string
  readonly owner: Owner
  readonly registration: string
}

/** What is used of an agent or a compiled graph: where its threads stand. */
export interface Threads {
  getState(config: { configurable: { thread_id: string } }): Promise<{
    readonly tasks: readonly {
      readonly interrupts: readonly { readonly id?: string; readonly value?: unknown }[]
    }[]
  }>
}

/** How threads are resumed. */
export interface ThreadWatch extends Pick<WatchOptions, 'intervalMs' | 'signal' | 'onError'> {
  readonly graph: Threads
  /**
   * Goes on with a thread: `graph.invoke(command, config)` with the `thread_id` and the owner's context. What it
   * stops at next is the application's to show. A throw is tried again.
   */
  readonly run: (command: Command<unknown, never, never>, waiting: WaitingThread) => Promise<void>
}

export function watchThreads(
  auth: AgentAuth,
  queue: string,
  { graph, run, ...options }: ThreadWatch,
): Promise<WatchReport> {
  const onSettled: OnSettled = async ({ at, owner, registration }) => {
    const { thread } = at as { readonly thread: string }
    const state = await graph.getState({ configurable: { thread_id: thread } })
    const open = state.tasks.flatMap(({ interrupts }) => interrupts)
    const ours = open.filter(({ value }) => waitsFor(value, registration))
    const answers = ours.flatMap(({ id }) =>
      id ? [[id, { authmd: { version: 1 } }] as const] : [],
    )
    if (answers.length === 0) return 'gone'
    const resume = Object.fromEntries(answers)
    return run(new Command({ resume }), { thread, owner, registration })
  }
  return auth.watchRegistrations({ ...options, queue, onSettled })
}

function waitsFor(value: unknown, registration: string): boolean {
  const { authmd } = (value ?? {}) as Partial<WaitRequest>
  if (authmd?.version !== 1 || !Array.isArray(authmd.waits)) return false
  return authmd.waits.some((wait) => wait.registration === registration)
}
