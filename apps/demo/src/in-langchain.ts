import { agentAuth } from '@authmd/langchain'
import { INTERRUPT, isInterrupted, MemorySaver } from '@langchain/langgraph'
import { AIMessage, type BaseMessage, createAgent, HumanMessage, ToolMessage } from 'langchain'
import { z } from 'zod'
import { ScriptedChatModel } from './scripted-chat-model.ts'
import type { Framework, Stage } from './story.ts'

/** LangChain.js on LangGraph, with a checkpoint of each step. */
export const inLangChain: Framework = {
  name: 'langchain',
  title: 'LangChain.js, with a scripted model',
  open: async (stage) => {
    const authmd = agentAuth<{ owner: Stage['owner'] }>(stage.auth, {
      owner: (runtime) => runtime.context.owner,
      approver: 'kim',
    })
    const checkpointer = new MemorySaver()
    const model = new ScriptedChatModel(stage.decide, (messages) =>
      stage.prompted(messages.map(asPrompt)),
    )
    let mounted: Awaited<ReturnType<typeof authmd.mount>>['tools'] = []
    const agentNow = () =>
      createAgent({
        model,
        tools: [...authmd.tools, ...mounted],
        middleware: [authmd.middleware],
        contextSchema: z.object({ owner: z.custom<Stage['owner']>() }),
        checkpointer,
      })
    const config = {
      context: { owner: stage.owner },
      configurable: { thread_id: 'demo' },
      recursionLimit: 100,
    }
    let seen = 0
    const go = async (input: Parameters<ReturnType<typeof agentNow>['stream']>[0]) => {
      const streamMode = ['values', 'updates', 'messages', 'custom', 'tasks'] as const
      let last: { messages?: BaseMessage[]; [INTERRUPT]?: unknown } = {}
      for await (const chunk of await agentNow().stream(input, {
        ...config,
        streamMode: [...streamMode],
      })) {
        stage.left('stream chunks', chunk)
        const [mode, value] = chunk as unknown as readonly [string, typeof last]
        if (mode === 'values') last = value
        if (mode === 'updates' && INTERRUPT in value) last = { ...last, ...value }
        seen = show(stage, last.messages ?? [], seen)
      }
      return last
    }
    return {
      mount: async (service, options) => {
        mounted = (await authmd.mount(stage.owner, service, options)).tools
      },
      say: async (text) => {
        let result = await go({ messages: [new HumanMessage(text)] })
        while (isInterrupted(result)) {
          result = await go(
            await authmd.resume(result, (question) => {
              if (question.kind !== 'consent') return undefined
              return stage.agrees(question.tool, question.summary)
            }),
          )
        }
        const kept = [checkpointer.storage, checkpointer.writes]
        const bytes = (_: string, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
        stage.left('checkpoints', JSON.stringify(kept, bytes))
      },
    }
  },
}

/** Tells of the messages that came since; returns how many there are now. */
function show(stage: Stage, messages: readonly BaseMessage[], from: number): number {
  for (const message of messages.slice(from)) {
    if (ToolMessage.isInstance(message)) stage.reads(message.text)
    if (!AIMessage.isInstance(message)) continue
    for (const { name, args } of message.tool_calls ?? []) stage.calls(name, args)
    if (message.text !== '') stage.says(message.text)
  }
  return Math.max(from, messages.length)
}

/** What a provider puts before its model of a message. */
function asPrompt(message: BaseMessage): object {
  const calls = AIMessage.isInstance(message) ? message.tool_calls : []
  return { role: message.type, content: message.content, calls }
}
