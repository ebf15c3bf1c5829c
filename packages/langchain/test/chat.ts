import { canary } from '@authmd/canary'
import type { BaseTracer } from '@langchain/core/tracers/base'
import {
  type BaseCheckpointSaver,
  type Command,
  INTERRUPT,
  type StateSnapshot,
} from '@langchain/langgraph'
import {
  AIMessage,
  type AnyAgentMiddleware,
  type BaseMessage,
  createAgent,
  fakeModel,
  HumanMessage,
  type StructuredTool,
  ToolMessage,
} from 'langchain'
import { z } from 'zod'
import type { AuthAdapter, ConsentRequest } from '../src/index.ts'
import type { ToolCall } from './world.ts'

/** What the scripted model does: call tools, or say something and stop. */
export type Move = ToolCall | readonly ToolCall[] | { readonly say: string }
/** Moves in their order; one that depends on what the tools said reads their last text. */
export type Script = readonly (Move | ((said: string) => Move))[]

export type Mode = 'invoke' | 'stream'
/** Both in CI; elsewhere one, since the scenarios go through both everywhere. */
export const modes: readonly Mode[] = process.env.CI ? ['invoke', 'stream'] : ['stream']

export interface Setup {
  readonly authmd: AuthAdapter
  readonly checkpointer: BaseCheckpointSaver
  /** What stands in the agent's list of middleware; ours alone where it is left out. */
  readonly middleware?: readonly AnyAgentMiddleware[]
  readonly tools?: readonly StructuredTool[]
  readonly context?: object
  readonly callbacks?: readonly BaseTracer[]
}

interface Interrupts {
  readonly [INTERRUPT]: { readonly id?: string; readonly value?: unknown }[]
}

export interface Turn {
  /** What `authmd.resume` is given. */
  readonly result: Interrupts
  /** The questions that were put to the person, by their text. */
  readonly asked: readonly (string | undefined)[]
  /** The ids of their consents. */
  readonly consents: readonly string[]
  /** What the tools of this turn said to the model. */
  readonly told: readonly string[]
  readonly messages: readonly BaseMessage[]
  /** All that left the framework, as text: chunks, result, the prompts that the model saw. */
  readonly seen: string
}

export const said = (text: string): { messages: HumanMessage[] } => ({
  messages: [new HumanMessage(text)],
})

/** What the person says to the questions of a turn, one after the other; the last holds for the rest. */
export function answer({ authmd }: Setup, { result }: Turn, ...said: boolean[]): Promise<Command> {
  const left = [...said]
  return authmd.resume(result, () => left.shift() ?? said.at(-1))
}

let calls = 0

/** A model that follows a script. */
export function scriptedModel(script: Script): ReturnType<typeof fakeModel> {
  const model = fakeModel()
  for (const move of [...script, { say: 'done' }]) {
    model.respond((messages) => {
      const last = messages.findLast((one) => ToolMessage.isInstance(one))
      const made = typeof move === 'function' ? move(last?.text ?? '') : move
      if ('say' in made) return new AIMessage(made.say)
      const list = 'name' in made ? [made] : made
      return new AIMessage({
        content: '',
        tool_calls: list.map((call) => ({ ...call, id: `call-${++calls}`, type: 'tool_call' })),
      })
    })
  }
  return model
}

/** What of an agent is used here; its own type names every tool, middleware and state. */
interface Agent {
  readonly graph: {
    updateState(config: object, values: object, asNode: string): Promise<unknown>
  }
  invoke(input: ReturnType<typeof said> | Command | null, config: object): Promise<object>
  stream(input: unknown, config: object): Promise<AsyncIterable<readonly [string, object]>>
  getState(config: object): Promise<StateSnapshot>
}

export function agentOf(setup: Setup, model: ReturnType<typeof fakeModel>): Agent {
  const { authmd, checkpointer, tools = [], middleware = [authmd.middleware] } = setup
  return createAgent({
    model,
    tools: [...authmd.tools, ...tools],
    middleware,
    checkpointer,
    contextSchema: z.looseObject({}),
  }) as unknown as Agent
}

/** One run of an agent that is made anew, as in another process, with the state of its thread. */
export async function turn(
  mode: Mode,
  setup: Setup,
  configurable: string | Record<string, unknown>,
  input: ReturnType<typeof said> | Command | null,
  script: Script = [],
): Promise<Turn> {
  const model = scriptedModel(script)
  const agent = agentOf(setup, model)
  const thread = typeof configurable === 'string' ? { thread_id: configurable } : configurable
  const config = {
    configurable: thread,
    context: { ...setup.context },
    recursionLimit: 200,
    callbacks: setup.callbacks,
  }
  const current = { configurable: { thread_id: thread.thread_id } }
  const before: BaseMessage[] = (await agent.getState(current)).values.messages ?? []
  const left: unknown[] = []
  let interrupts: Interrupts[typeof INTERRUPT] = []
  if (mode === 'invoke') {
    const result = await agent.invoke(input, config)
    left.push(result)
    interrupts = (result as Partial<Interrupts>)[INTERRUPT] ?? []
  } else {
    const streamMode = ['values', 'updates', 'custom', 'messages', 'tasks', 'checkpoints']
    for await (const chunk of await agent.stream(input, { ...config, streamMode })) {
      left.push(chunk)
      const [kind, part]: readonly [string, Partial<Interrupts>] = chunk
      if (kind === 'updates') interrupts = [...interrupts, ...(part[INTERRUPT] ?? [])]
    }
  }
  const state = await agent.getState(current)
  canary.see('checkpoint', state)
  canary.see('stream chunk', left)
  canary.see(
    'prompt',
    model.calls.map((call) => call.messages),
  )
  const { values } = state
  const messages: BaseMessage[] = values.messages
  const requests = interrupts.map(({ value }) => value as ConsentRequest)
  const earlier = new Set(before.map(({ id }) => id))
  return {
    result: { [INTERRUPT]: interrupts },
    asked: requests.flatMap((one) => one.actionRequests?.map((it) => it.description) ?? []),
    consents: requests.flatMap((one) => one.authmd?.consents ?? []),
    told: messages
      .filter((one) => ToolMessage.isInstance(one) && !earlier.has(one.id))
      .map(({ text }) => text),
    messages,
    seen: JSON.stringify([left, messages, model.calls.map((call) => call.messages)]),
  }
}
