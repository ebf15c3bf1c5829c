import type { Owner } from '@authmd/core'
import type { Driver, Move } from '@authmd/scenarios'
import { MemorySaver } from '@langchain/langgraph'
import type { StructuredTool } from 'langchain'
import { agentAuth } from '../src/index.ts'
import { type Move as Call, type Setup, said, type Turn, turn } from './chat.ts'

export const driver: Driver = {
  framework: 'langchain',
  ownWords: {},
  open: async (world, { mode, owner, mount }) => {
    const checkpointer = new MemorySaver()
    const setup = async (as: Owner | null | undefined): Promise<Setup> => {
      const authmd = agentAuth<{ owner: Owner }>(world.open(), {
        owner: (runtime) => runtime.context.owner,
      })
      const mounted = mount
        ? (await authmd.mount(owner as Owner, mount.service, mount.options)).tools
        : []
      const context = as ? { owner: as } : {}
      return { authmd, checkpointer, context, tools: mounted as readonly StructuredTool[] }
    }
    const kept = await setup(owner)
    let last: Turn | undefined
    const go = async (input: Parameters<typeof turn>[3], moves: readonly Move[], used: Setup) => {
      const way = mode === 'stream' ? 'stream' : 'invoke'
      last = await turn(way, used, 't', input, moves.map(asCall))
      return { told: last.told, asked: last.asked.map((words) => words ?? '') }
    }
    return {
      say: (moves) => go(said('get me a phone number'), moves, kept),
      answer: async (approved, moves = [], as) => {
        const used = mode === 'resume' || as ? await setup(as ?? owner) : kept
        return go(await used.authmd.resume(last?.result, () => approved), moves, used)
      },
    }
  },
}

function asCall(move: Move): Call | ((text: string) => Call) {
  if (typeof move === 'function') return (text) => asCall(move(text)) as Call
  return { name: move.tool, args: move.input }
}
