import { authTools, type Owner } from '@authmd/core'
import type { Around, Chat, ChatOptions, Driver, Move, Step, Turn, World } from '@authmd/scenarios'
import type { BaseTracer } from '@langchain/core/tracers/base'
import { Command, MemorySaver } from '@langchain/langgraph'
import {
  AIMessage,
  createMiddleware,
  humanInTheLoopMiddleware,
  type StructuredTool,
  toolErrorMiddleware,
  toolRetryMiddleware,
} from 'langchain'
import { agentAuth } from '../src/index.ts'
import { agentOf, type Move as Moves, type Setup, said, scriptedModel, turn } from './chat.ts'
import type { ToolCall } from './world.ts'

type Interrupted = Awaited<ReturnType<typeof turn>>
type Input = Parameters<typeof turn>[3]

export const driver: Driver = {
  framework: 'langchain',
  ownWords: {},
  open: async (world, { mode, owner, mount, around, tracing }) => {
    const checkpointer = new MemorySaver()
    const traced = tracing ? { callbacks: [tracing as BaseTracer] } : {}
    const setup = async (as: unknown) => ({
      ...(await setupOf(world, checkpointer, as, mount, around)),
      ...traced,
    })
    const kept = await setup(owner)
    const seen: string[] = []
    /** The question that was put last, and the checkpoint at which it was. */
    let question: Interrupted['result'] | undefined
    let checkpoint: Record<string, unknown> = {}
    const go = async (input: Input, moves: readonly Move[], used: Setup, at: object = here) => {
      const way = mode === 'stream' ? 'stream' : 'invoke'
      const done = await turn(way, used, { ...at }, input, moves.map(asMove))
      seen.push(done.seen)
      if (done.asked.length > 0) {
        question = done.result
        const agent = agentOf(used, scriptedModel([]))
        const { config } = await agent.getState({ configurable: here })
        checkpoint = config.configurable ?? {}
      }
      return { told: done.told, asked: done.asked.map((words) => words ?? '') }
    }
    /** One input after the other, as far as the framework takes them. */
    const all = async (inputs: readonly Input[], at?: object): Promise<Turn> => {
      const turns: Turn[] = []
      for (const input of inputs) {
        const refused = (error: unknown) => ({ told: [String(error)], asked: [] })
        turns.push(await go(input, [], await setup(owner), at).catch(refused))
      }
      return {
        told: turns.flatMap(({ told }) => told),
        asked: turns.flatMap(({ asked }) => asked),
      }
    }
    const chat: Chat = {
      say: (moves) => go(said('get me a phone number'), moves, kept),
      answer: async (approved, moves = [], as) => {
        const used = mode === 'resume' || as ? await setup(as ?? owner) : kept
        return go(await used.authmd.resume(question, () => approved), moves, used)
      },
      tamper: {
        forge: async ({ tool, input }) => {
          const agent = agentOf(kept, scriptedModel([]))
          const call = { name: tool, args: input, id: 'made-up', type: 'tool_call' as const }
          const update = { messages: [new AIMessage({ content: '', tool_calls: [call] })] }
          await agent.graph.updateState({ configurable: here }, update, 'model_request')
          const made = authTools.find(({ name }) => name === tool)
          const action = await made?.preview(world.open().as(owner as Owner), input)
          const resume = approval(`cns_${action?.digest.slice(0, 16)}_0`)
          return all([new Command({ resume }), null])
        },
        reply: async (which) => {
          const command = await kept.authmd.resume(question, () => true)
          const [id = '', answer] =
            Object.entries(command.resume as Record<string, Approval>)[0] ?? []
          if (which !== 'first') return command
          return new Command({ resume: { [id]: approval(answer?.authmd.consents[0]) } })
        },
        take: (reply) => all([reply as Command, unnamed(reply as Command)]),
        alter: async (from, to) => {
          const rewrite = (bytes: Uint8Array) => encode(decode(bytes).replaceAll(from, to))
          replaceBytes([checkpointer.storage, checkpointer.writes], rewrite)
        },
        fork: async (approved) => {
          const command = await kept.authmd.resume(question, () => approved)
          return go(command, [], await setup(owner), checkpoint)
        },
      },
      held: async () => {
        const stored: string[] = []
        replaceBytes([checkpointer.storage, checkpointer.writes], (bytes) => {
          stored.push(decode(bytes))
          return bytes
        })
        return [...seen, ...stored].join('\n')
      },
    }
    return chat
  },
}

const here = { thread_id: 't' }

async function setupOf(
  world: World,
  checkpointer: MemorySaver,
  owner: unknown,
  mount: ChatOptions['mount'],
  around: Around | undefined,
): Promise<Setup> {
  const authmd = agentAuth<{ owner: Owner }>(world.open(), {
    owner: (runtime) => runtime.context.owner,
  })
  const mounted = mount
    ? (await authmd.mount(owner as Owner, mount.service, mount.options)).tools
    : []
  const tools = mounted as readonly StructuredTool[]
  const context = owner === null ? {} : { owner }
  const setup = { authmd, checkpointer, context, tools }
  switch (around) {
    case 'no approvals':
      return { ...setup, context: { ...context, interruptOn: {}, authmd: false } }
    case 'a silent approval function':
      return { ...setup, middleware: [humanInTheLoopMiddleware({ interruptOn: {} })] }
    case 'everything twice':
      return { ...setup, middleware: [authmd.middleware, ...swallowing] }
    default:
      return setup
  }
}

const twice = createMiddleware({
  name: 'twice',
  wrapToolCall: async (request, handler) => {
    await Promise.resolve(handler(request)).catch(() => undefined)
    return handler(request)
  },
})

type Approval = ReturnType<typeof approval>
const swallowing = [
  toolRetryMiddleware({ maxRetries: 2 }),
  toolErrorMiddleware({ onError: () => 'x' }),
  twice,
]

const approval = (consent: string | undefined) => ({
  decisions: [{ type: 'approve' }],
  authmd: { version: 1, consents: [consent] },
})

/** The same answer, for whatever interrupt stands open. */
const unnamed = ({ resume }: Command) =>
  new Command({ resume: Object.values(resume as Record<string, unknown>)[0] })

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const encode = (text: string) => new TextEncoder().encode(text)

/** Puts other bytes in place of all that lie in what a checkpointer has stored. */
function replaceBytes(stored: object, replace: (bytes: Uint8Array) => Uint8Array): void {
  for (const [key, one] of Object.entries(stored)) {
    if (one instanceof Uint8Array) Object.assign(stored, { [key]: replace(one) })
    else if (typeof one === 'object' && one !== null) replaceBytes(one, replace)
  }
}

function asMove(move: Move): Moves | ((text: string) => Moves) {
  return typeof move === 'function' ? (text) => asMoves(move(text)) : asMoves(move)
}

function asMoves(step: Step): ToolCall | readonly ToolCall[] {
  const calls = 'tool' in step ? [step] : step
  return calls.map(({ tool: name, input: args }) => ({ name, args }))
}
