import type { AgentAuth, Outcome, Owner } from '@authmd/core'
import { Agent } from '@mastra/core/agent'
import type { MastraModelConfig } from '@mastra/core/llm'
import { Mastra } from '@mastra/core/mastra'
import { RequestContext } from '@mastra/core/request-context'
import type { MastraCompositeStore } from '@mastra/core/storage'
import { createTool } from '@mastra/core/tools'
import { createWorkflow } from '@mastra/core/workflows'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { agentAuth } from '../src/index.ts'

declare const auth: AgentAuth
declare const model: MastraModelConfig
declare const storage: MastraCompositeStore
declare const users: {
  ownerOf(session: string): Owner | undefined
  find(session: string): Promise<Owner>
}
const add = createTool({
  id: 'add',
  description: 'adds',
  inputSchema: z.object({ n: z.number() }),
  execute: async ({ n }) => n + 1,
})

export async function all(): Promise<void> {
  const authmd = agentAuth(auth, { owner: (context) => users.ownerOf(context.get('sessionId')) })
  agentAuth(auth, { owner: async (context) => users.find(context.get('sessionId')), approver: 'x' })
  // @ts-expect-error the owner is not left out
  agentAuth(auth, {})
  // @ts-expect-error an owner is not a name
  agentAuth(auth, { owner: () => 'kim' })

  const agent = new Agent({
    id: 'a',
    name: 'a',
    instructions: 'act',
    model,
    tools: { ...authmd.tools, add },
  })
  const mastra = new Mastra({ agents: { agent }, workflows: { obtain: authmd.workflow }, storage })
  const requestContext = new RequestContext<unknown>([['sessionId', 's-1']])
  const { runId, fullStream } = await agent.stream('x', { requestContext })
  for await (const chunk of fullStream) {
    const question = authmd.describe(chunk)
    if (question === undefined) continue
    expectTypeOf(question.text).toEqualTypeOf<string>()
    await agent.approveToolCall({ runId, toolCallId: question.toolCallId, requestContext })
  }
  authmd.describe(await agent.generate('x', { requestContext }))

  const run = await mastra.getWorkflow('obtain').createRun()
  const result = await run.start({ inputData: { service: 'https://api.vendor.example' } })
  if (result.status === 'success') expectTypeOf(result.result.outcome).toEqualTypeOf<Outcome>()
  await run.resume({ resumeData: { consent: 'cns_1', approve: true }, requestContext })

  createWorkflow({
    id: 'own',
    inputSchema: z.object({ credential: z.string(), path: z.string() }),
    outputSchema: z.object({ text: z.string() }),
  })
    .then(authmd.useStep)
    .commit()
}
