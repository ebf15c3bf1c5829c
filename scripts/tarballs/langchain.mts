import assert from 'node:assert/strict'
import { agentAuth } from '@authmd/langchain'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import type { ChatResult } from '@langchain/core/outputs'
import { isInterrupted, MemorySaver } from '@langchain/langgraph'
import { createAgent } from 'langchain'
import { owner, startWorld, words } from './world.mts'

let calls = 0

/** A model that does what the world says. */
class Scripted extends BaseChatModel {
  override _llmType(): string {
    return 'scripted'
  }
  override bindTools(): this {
    return this
  }
  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const told = messages.filter((one) => ToolMessage.isInstance(one)).map(({ text }) => text)
    const call = await world.next(told, messages)
    const tool_calls = call ? [{ ...call, id: `call-${++calls}`, type: 'tool_call' as const }] : []
    return { generations: [{ text: '', message: new AIMessage({ content: '', tool_calls }) }] }
  }
}

await using world = await startWorld()
const authmd = agentAuth(world.auth, { owner })
const agent = createAgent({
  model: new Scripted({}),
  tools: [...authmd.tools],
  middleware: [authmd.middleware],
  checkpointer: new MemorySaver(),
})
const config = { configurable: { thread_id: 't' }, recursionLimit: 100 }
let approvals = 0
let result: unknown = await agent.invoke(
  { messages: [new HumanMessage('get me a phone number')] },
  config,
)
while (isInterrupted(result)) {
  const command = await authmd.resume(result, (question) => {
    assert.match('summary' in question ? question.summary : '', words)
    approvals += 1
    return true
  })
  result = await agent.invoke(command, config)
}
world.done('langchain', approvals)
