import assert from 'node:assert/strict'
import { agentAuth } from '@authmd/mastra'
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { InMemoryStore } from '@mastra/core/storage'
import { modelOf } from './ai-model.mts'
import { owner, startWorld, words } from './world.mts'

await using world = await startWorld()
const authmd = agentAuth(world.auth, { owner: () => owner })
const agent = new Agent({
  id: 'a',
  name: 'a',
  instructions: 'act',
  model: modelOf(world) as never,
  tools: { ...authmd.tools },
})
new Mastra({ agents: { agent }, storage: new InMemoryStore(), logger: false })
let approvals = 0
let { runId, fullStream } = await agent.stream('get me a phone number', { maxSteps: 20 })
while (true) {
  const shown = []
  for await (const chunk of fullStream) shown.push(authmd.describe(chunk))
  const question = shown.find((one) => one !== undefined)
  if (question === undefined) break
  const at = { runId, toolCallId: question.toolCallId, maxSteps: 20 }
  if (question.pause) {
    await world.deleteKeys()
    ;({ runId, fullStream } = await agent.resumeStream({}, at))
  } else {
    assert.match(question.text, words)
    approvals += 1
    ;({ runId, fullStream } = await agent.approveToolCall(at))
  }
}
world.done('mastra', approvals)
