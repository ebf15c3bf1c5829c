import { agentAuth } from '@authmd/ai-sdk'
import { isStepCount, type LanguageModel, type ModelMessage, streamText } from 'ai'
import { scriptedModel } from './scripted-model.ts'
import type { Framework } from './story.ts'

/** The Vercel AI SDK, with a real model where one is given. */
export function inAiSdk(realModel: LanguageModel | undefined): Framework {
  return {
    name: 'ai-sdk',
    title: `Vercel AI SDK, with a ${realModel ? 'real' : 'scripted'} model`,
    open: async (stage) => {
      const authmd = agentAuth(stage.auth, { owner: stage.owner, approver: 'kim' })
      const scripted = scriptedModel(stage.decide)
      const messages: ModelMessage[] = []
      let mounted = {}
      const step = async () => {
        const result = streamText({
          model: realModel ?? scripted,
          messages,
          tools: { ...authmd.tools, ...mounted },
          toolApproval: authmd.toolApproval(),
          stopWhen: isStepCount(20),
          onError: ({ error }) => {
            throw error
          },
        })
        const asked: { approvalId: string; tool: string; reason: string | undefined }[] = []
        for await (const part of result.fullStream) {
          stage.left('stream chunks', part)
          if (part.type === 'tool-call') stage.calls(part.toolName, part.input)
          if (part.type === 'tool-result' && !part.preliminary)
            stage.reads((part.output as { text: string }).text)
          if (part.type === 'tool-approval-request') {
            const { approvalId, toolCall, reason } = part
            asked.push({ approvalId, tool: toolCall.toolName, reason })
          }
        }
        const said = await result.text
        if (said !== '') stage.says(said)
        messages.push(...(await result.responseMessages))
        if (realModel) stage.prompted(messages, (await result.totalUsage).inputTokens ?? 0)
        const answers = []
        for (const { approvalId, tool, reason } of asked) {
          const approved = await stage.agrees(tool, reason ?? '')
          answers.push({ type: 'tool-approval-response' as const, approvalId, approved })
        }
        if (answers.length > 0) messages.push({ role: 'tool', content: answers })
        return answers.length > 0
      }
      return {
        mount: async (service, options) => {
          mounted = (await authmd.mount(service, options)).tools
        },
        say: async (text) => {
          messages.push({ role: 'user', content: text })
          const before = scripted.doStreamCalls.length
          while (await step());
          const calls = scripted.doStreamCalls.slice(before)
          for (const { prompt, tools } of calls) stage.prompted({ prompt, tools })
          stage.left('messages', messages)
        },
      }
    },
  }
}
