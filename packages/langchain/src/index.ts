import {
  type AgentAuth,
  authTools,
  type Mounted,
  type MountOptions,
  type Owner,
  ToolBook,
  type WatchReport,
} from '@authmd/core'
import type { BaseMessage } from '@langchain/core/messages'
import type { StructuredToolInterface } from '@langchain/core/tools'
import type { Command } from '@langchain/langgraph'
import { type AgentMiddleware, createMiddleware } from 'langchain'
import { askPerson, channel } from './approval.ts'
import { type OwnerSource, sessionsOf } from './owner.ts'
import { type Ask, resume } from './resume.ts'
import { type AuthTools, makeTool } from './tools.ts'
import { awaitPerson } from './waits.ts'
import { type ThreadWatch, watchThreads } from './watch.ts'

export type { ConsentRequest } from './approval.ts'
export type { AuthRuntime, OwnerSource } from './owner.ts'
export type { Ask, AuthAnswer, AuthQuestion, ConsentQuestion } from './resume.ts'
export type { AuthProgress, AuthTools } from './tools.ts'
export type { PersonWait, WaitRequest } from './waits.ts'
export type { Threads, ThreadWatch, WaitingThread } from './watch.ts'

/** What the application sets. */
export interface AgentAuthOptions<CONTEXT> {
  /** Whose credentials they are: from what the application gave with the run, never from a message. */
  readonly owner: OwnerSource<CONTEXT>
  /** Who approves, for the record; `unknown via langchain` where it is left out. */
  readonly approver?: string | ((owner: Owner) => string)
  /** What a person has to do elsewhere is a tool's `'result'`, the default, or an `'interrupt'`. */
  readonly waits?: 'result' | 'interrupt'
  /** A name for this graph's threads, where threads of several graphs wait in one store; `langchain` by default. */
  readonly queue?: string
  /**
   * Decisions without the ids of consents count as well, as other review pages send them: for what the
   * thread asks when they arrive. Leave it off where one may arrive twice or late.
   */
  readonly unnamedDecisions?: boolean
}

/** The tools, and what to `pin` and to know of those that were left out. */
export interface MountedTools extends Omit<Mounted, 'tools'> {
  readonly tools: readonly StructuredToolInterface[]
}

export interface AuthAdapter {
  /** `auth_discover`, `auth_register`, `auth_claim`, `auth_use`, `auth_revoke`. */
  readonly tools: AuthTools
  /**
   * Tools of a service's own MCP server, for `createAgent` beside ours. `owner` is whose key lists
   * them; a call carries the key of its own run's owner. Each asks, but for those in `allow`.
   */
  mount(owner: Owner, service: string, options?: MountOptions): Promise<MountedTools>
  /** Asks before our tools run. Without it they do nothing that binds anybody. */
  readonly middleware: AgentMiddleware<undefined, undefined, unknown>
  /** The same as a node of a plain `StateGraph`, between the model and the tools. */
  approve(state: { readonly messages: BaseMessage[] }): Promise<void>
  /**
   * Puts the questions of an interrupted result to the person and makes the `Command` to go on with.
   * Interrupts that are not ours stay open.
   *
   * @throws AuthError `invalid_input` where none is ours
   */
  resume(result: unknown, ask: Ask): Promise<Command<unknown, never, never>>
  /**
   * Resumes threads that wait for a person (`waits: 'interrupt'`) when the person has done their part, each once
   * however many processes watch. With `intervalMs` until `signal` aborts, else one look.
   *
   * @throws AuthError as `auth.watchRegistrations`
   * @example
   * ```ts
   * await authmd.watch({
   *   graph: agent,
   *   run: async (command, { thread, owner }) => {
   *     await agent.invoke(command, { context: { owner }, configurable: { thread_id: thread } })
   *   },
   *   intervalMs: 5000,
   *   onError: report,
   * })
   * ```
   */
  watch(options: ThreadWatch): Promise<WatchReport>
}

/**
 * The five tools of authmd for LangChain.js and LangGraph, and the middleware that asks the person.
 *
 * What binds somebody is put in an interrupt before the tools run, and core checks each answer against
 * the question that it has on record: a made-up, changed, late or used-up answer runs nothing, and a
 * checkpoint that is run again does nothing twice. Interrupts need a checkpointer.
 *
 * @throws AuthError `owner_invalid` for a fixed owner that is none
 * @example
 * ```ts
 * const authmd = agentAuth(auth, { owner: (runtime) => runtime.context.owner })
 * const agent = createAgent({
 *   model,
 *   tools: [...authmd.tools, ...mine],
 *   middleware: [authmd.middleware],
 *   contextSchema,
 *   checkpointer,
 * })
 * const config = { context: { owner }, configurable: { thread_id } }
 * let result = await agent.invoke({ messages }, config)
 * while (isInterrupted(result)) {
 *   result = await agent.invoke(await authmd.resume(result, askThePerson), config)
 * }
 * ```
 */
export function agentAuth<CONTEXT = { readonly owner: Owner }>(
  auth: AgentAuth,
  options: AgentAuthOptions<CONTEXT>,
): AuthAdapter {
  const { owner, approver = `unknown via ${channel}`, unnamedDecisions = false } = options
  const { queue = channel } = options
  const sessionFor = sessionsOf(auth, owner)
  const book = new ToolBook(auth)
  const tools = authTools.map((one) => makeTool(one, sessionFor)) as unknown as AuthTools
  const ask = (unnamed: boolean) => (state: { readonly messages: BaseMessage[] }) =>
    askPerson({ tools: book, sessionFor, approver, unnamed }, state.messages)
  const middleware = createMiddleware({
    name: 'authmd',
    afterModel: ask(unnamedDecisions),
    ...(options.waits === 'interrupt'
      ? { beforeModel: ({ messages }) => awaitPerson({ tools, sessionFor, queue }, messages) }
      : {}),
  })
  const mount: AuthAdapter['mount'] = async (...asked) => {
    const { tools: mounted, ...rest } = await book.mount(...asked)
    return { ...rest, tools: mounted.map((one) => makeTool(one, sessionFor)) }
  }
  const watch: AuthAdapter['watch'] = (how) => watchThreads(auth, queue, how)
  return { tools, mount, middleware, approve: ask(false), resume, watch }
}
