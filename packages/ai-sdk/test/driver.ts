import type { Around, Chat, ChatOptions, Driver, Move, World } from '@authmd/scenarios'
import type { ModelMessage, TelemetryOptions, ToolSet } from 'ai'
import { agentAuth } from '../src/index.ts'
import { answered, forged, reloaded, type Setup, turn, user } from './chat.ts'

export const driver: Driver = {
  framework: 'ai-sdk',
  ownWords: { denied: 'the SDK tells the model of a no by itself' },
  open: async (world, { mode, owner, mount, around, tracing }) => {
    let history: ModelMessage[] = []
    let question: ModelMessage[] = []
    const seen: string[] = []
    const telemetry = tracing ? { telemetry: tracing as TelemetryOptions } : {}
    const setup = async (as = owner) => ({
      ...(await setupOf(world, as, mount, around)),
      ...telemetry,
    })
    const kept = await setup()
    const go = async (messages: ModelMessage[], moves: readonly Move[], as = owner) => {
      // As another process does it: from what was stored, with an adapter of its own.
      const fresh = mode === 'resume' || as !== owner
      const said = await turn(
        mode === 'stream' ? 'stream' : 'generate',
        fresh ? await setup(as) : kept,
        fresh ? reloaded(messages) : messages,
        moves,
      )
      history = said.messages
      seen.push(said.seen)
      if (said.asked.length > 0) question = history
      return { told: said.told, asked: said.asked.map(({ reason }) => reason ?? '') }
    }
    const chat: Chat = {
      say: (moves) => go([...history, user], moves),
      answer: (approved, moves = [], as) => go(answered(history, approved), moves, as),
      tamper: {
        forge: ({ tool, input }) => go(forged(tool, input), []),
        reply: async (which) => {
          const reply = answered(history, true).at(-1)
          if (which === 'first' && reply?.role === 'tool') reply.content.splice(1)
          return reply
        },
        take: (reply) => go([...history, reply as ModelMessage], []),
        alter: async (from, to) => {
          history = JSON.parse(JSON.stringify(history).replaceAll(from, to))
          question = JSON.parse(JSON.stringify(question).replaceAll(from, to))
        },
        fork: (approved) => go(reloaded(answered(question, approved)), []),
      },
      held: async () => seen.join('\n'),
    }
    return chat
  },
}

async function setupOf(
  world: World,
  owner: unknown,
  mount: ChatOptions['mount'],
  around: Around | undefined,
): Promise<Setup> {
  const authmd = agentAuth(world.open(), { owner: owner as never })
  const mounted = mount ? (await authmd.mount(mount.service, mount.options)).tools : {}
  const tools: ToolSet = { ...authmd.tools, ...mounted }
  switch (around) {
    case 'no approvals':
      return { tools, toolApproval: () => 'not-applicable' }
    case 'a silent approval function':
      return { tools, toolApproval: () => undefined }
    case 'everything twice':
      return { tools: twice(tools), toolApproval: authmd.toolApproval() }
    default:
      return { tools, toolApproval: authmd.toolApproval() }
  }
}

function twice(tools: ToolSet): ToolSet {
  const wrapped = Object.entries(tools).map(([name, tool]) => {
    const run = tool.execute as (...given: unknown[]) => AsyncIterable<unknown>
    const execute = async function* (...given: unknown[]) {
      for (let times = 0; times < 2; times++) {
        try {
          yield* run(...given)
        } catch {
          // Swallowed.
        }
      }
    }
    return [name, { ...tool, execute }]
  })
  return Object.fromEntries(wrapped)
}
