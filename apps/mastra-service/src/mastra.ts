import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { agentAuth } from '@authmd/mastra'
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { SimpleAuth } from '@mastra/core/server'
import { InMemoryStore } from '@mastra/core/storage'
import { Memory } from '@mastra/memory'
import { errandScript } from 'demo/src/errand.ts'
import { scriptedModel } from 'demo/src/scripted-model.ts'

interface Caller {
  readonly id: string
  readonly tenant: string
}

const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
const authmd = agentAuth(auth, {
  // The server puts its caller there; a request may say what it likes, but not under this name.
  owner: (context) => {
    const { tenant, id } = context.get('mastra__user') as Caller
    return { tenant, user: id }
  },
  // Each caller answers their own questions.
  approver: ({ user = 'nobody' }) => user,
})

const helper = new Agent({
  id: 'helper',
  name: 'helper',
  instructions: 'Do what the person asks.',
  model: scriptedModel(errandScript(process.env.SERVICE ?? '')) as never,
  tools: { ...authmd.tools },
  memory: new Memory({ options: { lastMessages: 100 } }),
})

export const mastra: Mastra = new Mastra({
  agents: { helper },
  storage: new InMemoryStore(),
  logger: false,
  server: {
    /** Stands for your own sessions: who is calling, by the token that they bring. */
    auth: new SimpleAuth<Caller>({
      tokens: {
        'made-up-token-of-kim': { id: 'kim', tenant: 'acme' },
        'made-up-token-of-lee': { id: 'lee', tenant: 'acme' },
        'made-up-token-of-mia': { id: 'mia', tenant: 'acme' },
      },
      mapUserToResourceId: ({ id }) => id,
    }),
  },
})
