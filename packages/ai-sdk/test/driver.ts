import type { Chat, ChatOptions, Driver, Move, World } from '@authmd/scenarios'
import type { ModelMessage } from 'ai'
import { agentAuth } from '../src/index.ts'
import { answered, reloaded, type Setup, turn, user } from './chat.ts'

export const driver: Driver = {
  framework: 'ai-sdk',
  ownWords: { denied: 'the SDK tells the model of a no by itself' },
  open: async (world, { mode, owner, mount }) => {
    let history: ModelMessage[] = []
    const setup = (as = owner) => setupOf(world, as, mount)
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
      return { told: said.told, asked: said.asked.map(({ reason }) => reason ?? '') }
    }
    const chat: Chat = {
      say: (moves) => go([...history, user], moves),
      answer: (approved, moves = [], as) => go(answered(history, approved), moves, as),
    }
    return chat
  },
}

async function setupOf(
  world: World,
  owner: ChatOptions['owner'],
  mount: ChatOptions['mount'],
): Promise<Setup> {
  const authmd = agentAuth(world.open(), { owner: owner as never })
  const mounted = mount ? (await authmd.mount(mount.service, mount.options)).tools : {}
  return { tools: { ...authmd.tools, ...mounted }, toolApproval: authmd.toolApproval() }
}
