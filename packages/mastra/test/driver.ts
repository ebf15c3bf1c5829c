import type { Owner } from '@authmd/core'
import type { Driver, Move, World } from '@authmd/scenarios'
import { RequestContext } from '@mastra/core/request-context'
import { InMemoryStore } from '@mastra/core/storage'
import { agentAuth } from '../src/index.ts'
import { Chat, type Turn } from './chat.ts'

const known = new Map<string, Owner>()

export const driver: Driver = {
  framework: 'mastra',
  ownWords: {
    denied: 'Mastra tells the model of a no by itself',
    needs_person: 'the call is suspended: the person is told, not the model',
  },
  open: async (world, { mode, owner, mount }) => {
    const storage = new InMemoryStore()
    const chatOf = async (moves: readonly Move[]) => {
      const authmd = adapter(world)
      const mounted = mount
        ? (await authmd.mount(owner as Owner, mount.service, mount.options)).tools
        : {}
      const tools = { ...authmd.tools, ...mounted }
      const way = mode === 'stream' ? 'stream' : 'generate'
      return new Chat(way, authmd, moves, { tools, storage })
    }
    let last: Turn | undefined
    let chat: Chat | undefined
    const tell = (turn: Turn) => {
      const before = last?.runId === turn.runId ? last.told.length : 0
      last = turn
      const { paused } = turn
      const told = turn.told.slice(before)
      if (paused?.pause) return { told, asked: [], waits: paused.text }
      return { told, asked: paused ? [paused.text] : [] }
    }
    return {
      say: async (moves) => {
        if (last?.paused?.pause && chat) {
          return tell(await chat.answer(last, { resume: {} }, as(owner)))
        }
        chat = await chatOf(moves)
        return tell(await chat.say(as(owner)))
      },
      answer: async (approved, moves = [], other) => {
        if (last === undefined || chat === undefined) throw new Error('nothing was asked')
        if (mode === 'resume' || other) chat = await chatOf(moves)
        else chat.go(moves)
        return tell(await chat.answer(last, approved ? 'yes' : 'no', as(other ?? owner)))
      },
    }
  },
}

function adapter(world: World) {
  return agentAuth(world.open(), { owner: (context) => known.get(String(context.get('session'))) })
}

function as(owner: Owner | null | undefined): RequestContext {
  if (!owner) return new RequestContext()
  const session = JSON.stringify(owner)
  known.set(session, owner)
  return new RequestContext([['session', session]])
}
