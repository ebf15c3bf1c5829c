import { canary } from '@authmd/canary'
import type { AgentAuth, Owner } from '@authmd/core'
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import type { ObservabilityEntrypoint } from '@mastra/core/observability'
import { RequestContext } from '@mastra/core/request-context'
import { InMemoryStore, type MastraCompositeStore } from '@mastra/core/storage'
import { convertArrayToReadableStream, MockLanguageModelV4 } from 'ai/test'
import { type AuthAdapter, agentAuth, type Shown } from '../src/index.ts'
import type { World } from './world.ts'

/** What the scripted model does: call a tool, or say something and stop. */
export type Move = ToolMove | readonly ToolMove[] | { readonly say: string }
export interface ToolMove {
  readonly tool: string
  readonly input: object
  /** The call's id, for providers that count instead of choosing one. */
  readonly id?: string
}
/** Moves in their order; one that depends on what the tools said reads their last text. */
export type Script = readonly (Move | ((said: string) => Move))[]

export type Mode = 'generate' | 'stream'
/** Both in CI; elsewhere one, since the scenarios go through both everywhere. */
export const modes: readonly Mode[] = process.env.CI ? ['generate', 'stream'] : ['stream']

/** Until the model is done, or a call is paused. */
export interface Turn {
  readonly runId: string
  readonly finish: string
  /** What a person is shown, where the turn ended in a pause. */
  readonly paused: Shown | undefined
  /** What the model was told of its calls so far, one text a result. */
  readonly told: readonly string[]
}

export const sessions: Readonly<Record<string, unknown>> = {
  kim: { tenant: 'acme', user: 'kim' },
  eve: { tenant: 'acme', user: 'eve' },
  broken: { tenant: ' ' },
}

export function adapter(world: World): AuthAdapter {
  return adapterOf(world.auth)
}

export function adapterOf(auth: AgentAuth): AuthAdapter {
  return agentAuth(auth, {
    owner: (context) => sessions[context.get<string, string>('session')] as Owner,
    approver: ({ user }) => `${user}@acme.example`,
  })
}

export function as(session?: string): RequestContext {
  return new RequestContext(session === undefined ? [] : [['session', session]])
}

type Tools = Record<string, unknown>
interface Stores {
  readonly tools?: Tools
  readonly storage?: MastraCompositeStore
  readonly observability?: ObservabilityEntrypoint
}
type Answer = 'yes' | 'no' | { readonly resume: unknown }
/** Anything that Mastra's calls take; the tests also pass what they should not. */
type Options = Record<string, unknown>

/** A chat with an agent of the real framework, whose model follows a script. */
export class Chat {
  readonly agent: Agent
  readonly model: MockLanguageModelV4
  readonly mode: Mode
  readonly #authmd: AuthAdapter
  readonly #left: unknown[] = []
  readonly #storage: MastraCompositeStore
  readonly #moves: Script[number][]

  constructor(
    mode: Mode,
    authmd: AuthAdapter,
    script: Script,
    {
      tools = authmd.tools as Tools,
      storage = new InMemoryStore(),
      observability,
      ...config
    }: Stores & Options = {},
  ) {
    this.mode = mode
    this.#storage = storage
    this.#authmd = authmd
    this.#moves = [...script]
    this.model = scriptedModel(this.#moves)
    const model = this.model
    const agent = { id: 'a', name: 'a', instructions: 'act', model, tools, ...config }
    this.agent = new Agent(agent as unknown as AgentConfig) as unknown as Agent
    new Mastra({
      agents: { a: this.agent as never },
      storage,
      logger: false,
      ...(observability ? { observability } : {}),
    })
  }

  /** What the model does when it has done all before. */
  go(moves: Script): void {
    this.#moves.push(...moves)
  }

  /** The user says something, in the session of the request context. */
  async say(
    requestContext: RequestContext = as('kim'),
    options: Options = {},
    messages: unknown = 'get me a phone number',
  ): Promise<Turn> {
    const all = { requestContext, maxSteps: 40, ...options }
    const said = messages as string
    return this.#turn(
      this.mode === 'generate'
        ? await this.agent.generate(said, all)
        : await this.agent.stream(said, all),
    )
  }

  /** The application passes on what a person answered to a pause. */
  async answer(
    { runId, paused }: Turn,
    answer: Answer,
    requestContext: RequestContext | undefined = as('kim'),
    more: Options = {},
  ): Promise<Turn> {
    const toolCallId = paused?.toolCallId ?? 'none is paused'
    const at = { runId, toolCallId, requestContext, maxSteps: 40, ...more } as never
    const { agent, mode } = this
    if (answer === 'yes') {
      return this.#turn(
        await (mode === 'generate' ? agent.approveToolCallGenerate(at) : agent.approveToolCall(at)),
      )
    }
    if (answer === 'no') {
      return this.#turn(
        await (mode === 'generate' ? agent.declineToolCallGenerate(at) : agent.declineToolCall(at)),
      )
    }
    return this.#turn(
      await (mode === 'generate'
        ? agent.resumeGenerate(answer.resume, at)
        : agent.resumeStream(answer.resume as never, at)),
    )
  }

  /** All that left the framework, as text: chunks, results, the prompts that the model saw. */
  get seen(): string {
    return JSON.stringify([this.#left, this.prompts])
  }

  /** The chunks of all turns, in a stream. */
  get chunks(): readonly { readonly type?: string; readonly data?: unknown }[] {
    return this.#left.flat() as never
  }

  /** What of the prompts a provider puts before its model. */
  get read(): string {
    const options = new Set(['providerOptions', 'providerMetadata'])
    return JSON.stringify(this.prompts, (name, value) => (options.has(name) ? undefined : value))
  }

  get prompts(): readonly Prompt[] {
    const { doGenerateCalls, doStreamCalls } = this.model
    return [...doGenerateCalls, ...doStreamCalls].map(({ prompt }) => prompt)
  }

  async #turn(result: Result): Promise<Turn> {
    const chunks: unknown[] = []
    if ('fullStream' in result) for await (const chunk of result.fullStream) chunks.push(chunk)
    else chunks.push(result)
    this.#left.push(chunks)
    canary.see('stream chunk', chunks)
    canary.see('prompt', this.prompts)
    canary.see('snapshot', this.#storage)
    const last = this.prompts.at(-1)
    return {
      runId: result.runId ?? '',
      finish: String(await result.finishReason),
      paused: chunks.map((chunk) => this.#authmd.describe(chunk)).findLast(Boolean),
      told: last ? results(last) : [],
    }
  }
}

type AgentConfig = ConstructorParameters<typeof Agent>[0]
type Result =
  | Awaited<ReturnType<Agent['generate']>>
  | Awaited<ReturnType<Agent['stream']>>
  | Awaited<ReturnType<Agent['approveToolCall']>>
type Prompt = MockLanguageModelV4['doGenerateCalls'][number]['prompt']

let calls = 0

/** A model that follows a script. */
export function scriptedModel(moves: Script[number][]): MockLanguageModelV4 {
  const next = (prompt: Prompt) => {
    const move = moves.shift() ?? { say: 'done' }
    const made = typeof move === 'function' ? move(results(prompt).at(-1) ?? '') : move
    if ('say' in made) return { text: made.say, made: [] }
    const list = 'tool' in made ? [made] : made
    return {
      made: list.map(({ tool: toolName, input, id }) => {
        const toolCallId = id ?? `call-${++calls}-${Date.now()}`
        return { type: 'tool-call' as const, toolCallId, toolName, input: JSON.stringify(input) }
      }),
    }
  }
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const { text, made } = next(prompt)
      const content = text === undefined ? made : [{ type: 'text' as const, text }]
      return { content, finishReason: reason(text), usage, warnings: [] }
    },
    doStream: async ({ prompt }) => {
      const { text, made } = next(prompt)
      const body =
        text === undefined
          ? made
          : [
              { type: 'text-start' as const, id: 't' },
              { type: 'text-delta' as const, id: 't', delta: text },
              { type: 'text-end' as const, id: 't' },
            ]
      return {
        stream: convertArrayToReadableStream([
          { type: 'stream-start', warnings: [] },
          ...body,
          { type: 'finish', finishReason: reason(text), usage },
        ]),
      }
    },
  })
}

/** The texts of all tool results in a prompt. */
function results(prompt: Prompt): string[] {
  return prompt
    .flatMap(({ role, content }) => (role === 'tool' ? content : []))
    .flatMap((part) => (part.type === 'tool-result' ? [words(part.output)] : []))
}

function words(output: { type: string; value?: unknown; reason?: string | undefined }): string {
  if (output.type === 'execution-denied') return `denied: ${output.reason}`
  return typeof output.value === 'string' ? output.value : JSON.stringify(output.value)
}

function reason(text: string | undefined) {
  return { unified: text === undefined ? 'tool-calls' : 'stop', raw: undefined } as const
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
