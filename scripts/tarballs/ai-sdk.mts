import assert from 'node:assert/strict'
import { agentAuth } from '@authmd/ai-sdk'
import { generateText, isStepCount, type ModelMessage } from 'ai'
import { modelOf } from './ai-model.mts'
import { owner, startWorld, words } from './world.mts'

await using world = await startWorld()
const { tools, toolApproval } = agentAuth(world.auth, { owner })
const messages: ModelMessage[] = [{ role: 'user', content: 'get me a phone number' }]
let approvals = 0
while (true) {
  const result = await generateText({
    model: modelOf(world),
    messages,
    tools,
    toolApproval: toolApproval(),
    stopWhen: isStepCount(20),
  })
  messages.push(...result.responseMessages)
  const asked = result.content.filter((part) => part.type === 'tool-approval-request')
  if (asked.length === 0) break
  approvals += asked.length
  for (const { reason } of asked) assert.match(reason ?? '', words)
  messages.push({
    role: 'tool',
    content: asked.map(({ approvalId }) => ({
      type: 'tool-approval-response',
      approvalId,
      approved: true,
    })),
  })
}
world.done('ai-sdk', approvals)
