import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { agentAuth } from '@authmd/langchain'
import { errandScript } from 'demo/src/errand.ts'
import { ScriptedChatModel } from 'demo/src/scripted-chat-model.ts'
import { createAgent } from 'langchain'
import { ownerOf } from './callers.ts'

const auth = createAgentAuth({ store: memoryStore(), [allowLoopback]: true })
const authmd = agentAuth(auth, {
  owner: ({ configurable }) => ownerOf(configurable.langgraph_auth_user),
  // Each caller answers their own questions.
  approver: ({ user = 'nobody' }) => user,
})

/** The server gives it its checkpointer. */
export const agent = createAgent({
  model: new ScriptedChatModel(errandScript(process.env.SERVICE ?? '')),
  tools: [...authmd.tools],
  middleware: [authmd.middleware],
})
