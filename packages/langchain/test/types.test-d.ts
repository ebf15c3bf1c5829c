import type { AgentAuth, Owner } from '@authmd/core'
import {
  Annotation,
  type BaseCheckpointSaver,
  isInterrupted,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { createAgent, fakeModel, tool } from 'langchain'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { type AuthQuestion, type AuthRuntime, agentAuth } from '../src/index.ts'

declare const auth: AgentAuth
declare const checkpointer: BaseCheckpointSaver
declare const owner: Owner
declare function confirm(summary: string): Promise<boolean>
declare function show(text: string, url?: string): Promise<void>
declare const users: { ownerOf(user: unknown): Promise<Owner> }
const model = fakeModel()
const mine = tool(() => 'x', { name: 'mine', description: 'mine', schema: z.object({}) })
const messages = [{ role: 'user' as const, content: 'x' }]

async function askThePerson(question: AuthQuestion) {
  if (question.kind === 'consent') return confirm(question.summary)
  await show(question.need.text, question.need.url)
  return undefined
}

export async function withContext(): Promise<void> {
  const contextSchema = z.object({ owner: z.custom<Owner>() })
  const authmd = agentAuth(auth, { owner: (runtime) => runtime.context.owner })
  const agent = createAgent({
    model,
    tools: [...authmd.tools, mine],
    middleware: [authmd.middleware],
    contextSchema,
    checkpointer,
  })
  const config = { context: { owner }, configurable: { thread_id: 't' } }
  let result = await agent.invoke({ messages }, config)
  while (isInterrupted(result)) {
    result = await agent.invoke(await authmd.resume(result, askThePerson), config)
  }
  const { tasks } = await agent.graph.getState(config)
  const open = { __interrupt__: tasks.flatMap(({ interrupts }) => interrupts) }
  await agent.stream(await authmd.resume(open, askThePerson), {
    ...config,
    streamMode: ['updates'],
  })
  // @ts-expect-error the context is missing
  await agent.invoke({ messages }, { configurable: { thread_id: 't' } })
}

export function owners(): void {
  agentAuth(auth, { owner, approver: 'kim', waits: 'interrupt', unnamedDecisions: true })
  agentAuth(auth, { owner: ({ configurable }) => users.ownerOf(configurable.langgraph_auth_user) })
  agentAuth(auth, {
    owner: ({ context }: AuthRuntime<{ tenant: string }>) => {
      expectTypeOf(context.tenant).toBeString()
      return { tenant: context.tenant }
    },
  })
  // @ts-expect-error an owner is not a name
  agentAuth(auth, { owner: 'kim' })
  // @ts-expect-error the owner is not left out
  agentAuth(auth, {})
}

export async function plainGraph(): Promise<void> {
  const authmd = agentAuth(auth, { owner })
  const State = Annotation.Root({ ...MessagesAnnotation.spec, n: Annotation<number> })
  const graph = new StateGraph(State)
    .addNode('approve', authmd.approve)
    .addEdge(START, 'approve')
    .compile({ checkpointer })
  const result = await graph.invoke({ messages, n: 1 }, { configurable: { thread_id: 't' } })
  await graph.invoke(
    await authmd.resume(result, (question) => {
      if (question.kind === 'person') {
        expectTypeOf(question.need.text).toBeString()
        return
      }
      expectTypeOf(question.summary).toBeString()
      return { approved: false, reason: 'not now' }
    }),
    { configurable: { thread_id: 't' } },
  )
}
