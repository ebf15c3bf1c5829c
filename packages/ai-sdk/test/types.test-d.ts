import type { AgentAuth, Outcome, RegisterInput } from '@authmd/core'
import {
  generateText,
  type InferUITools,
  isStepCount,
  type LanguageModel,
  streamText,
  ToolLoopAgent,
  tool,
} from 'ai'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { type AuthToolSet, agentAuth } from '../src/index.ts'

declare const auth: AgentAuth
declare const model: LanguageModel
const owner = { tenant: 'acme', user: 'kim' }
const remove = tool({
  inputSchema: z.object({ path: z.string() }),
  contextSchema: z.object({ root: z.string() }),
  execute: async () => 'removed',
})
const add = tool({ inputSchema: z.object({ n: z.number() }), execute: async () => 1 })

export async function perRequest(): Promise<void> {
  const authmd = agentAuth(auth, { owner, approver: 'kim@acme.example' })
  const result = await generateText({
    model,
    prompt: 'x',
    tools: { ...authmd.tools, add },
    toolApproval: authmd.toolApproval({
      add: (input) => (input.n > 1 ? 'user-approval' : undefined),
    }),
    stopWhen: isStepCount(20),
  })
  for (const one of result.toolResults) {
    if (one.dynamic || one.toolName !== 'auth_register') continue
    expectTypeOf(one.output.outcome).toEqualTypeOf<Outcome | undefined>()
    expectTypeOf(one.input).toEqualTypeOf<RegisterInput>()
  }
  const tools = { ...authmd.tools, remove }
  const toolsContext = { remove: { root: '/' } }
  streamText({ model, prompt: 'x', tools, toolsContext, toolApproval: authmd.toolApproval() })
  streamText({
    model,
    prompt: 'x',
    tools,
    toolsContext,
    toolApproval: authmd.toolApproval(({ toolCall }) =>
      toolCall.toolName === 'remove' ? 'denied' : undefined,
    ),
  })
  const careful = ({ runtimeContext }: { runtimeContext: { careful: boolean } }) =>
    runtimeContext.careful ? ('user-approval' as const) : undefined
  const toolApproval = authmd.toolApproval(careful)
  const runtimeContext = { careful: true }
  streamText({ model, prompt: 'x', tools: authmd.tools, toolApproval, runtimeContext })
  // @ts-expect-error the approvals read another runtime context
  streamText({ model, prompt: 'x', tools: authmd.tools, toolApproval, runtimeContext: { n: 1 } })
  new ToolLoopAgent({ model, tools: authmd.tools, toolApproval: authmd.toolApproval() })
  // @ts-expect-error these tools take no context
  streamText({ model, prompt: 'x', tools: authmd.tools, toolsContext: { auth_use: owner } })
  // @ts-expect-error an owner is not a name
  agentAuth(auth, { owner: 'kim' })
  // @ts-expect-error the owner is not left out
  agentAuth(auth, {})
  expectTypeOf<InferUITools<AuthToolSet>['auth_claim']['input']>().toEqualTypeOf<{
    readonly registration: string
    readonly code?: string | undefined
  }>()
}

export async function madeOnce(): Promise<void> {
  const authmd = agentAuth(auth, { owner: 'context' })
  const { tools } = authmd
  const toolApproval = authmd.toolApproval()
  const toolsContext = authmd.toolsContext(owner)
  await generateText({ model, prompt: 'x', tools, toolApproval, toolsContext })
  streamText({
    model,
    prompt: 'x',
    tools: { ...tools, remove },
    toolApproval: authmd.toolApproval(),
    toolsContext: { ...toolsContext, remove: { root: '/' } },
  })
  // @ts-expect-error the owner is missing
  await generateText({ model, prompt: 'x', tools, toolApproval: authmd.toolApproval() })
  const agent = new ToolLoopAgent({
    model,
    tools,
    toolApproval: authmd.toolApproval(),
    toolsContext: authmd.toolsContext({ tenant: 'nobody' }),
    callOptionsSchema: z.object({ tenant: z.string(), user: z.string() }),
    prepareCall: ({ options, ...rest }) => ({
      ...rest,
      toolsContext: authmd.toolsContext(options),
    }),
  })
  await agent.generate({ prompt: 'x', options: owner })
}
