import { MockLanguageModelV4 } from 'ai/test'
import type { Move, Seen } from './script.ts'

type Prompt = MockLanguageModelV4['doStreamCalls'][number]['prompt']

/** The AI SDK's fake model, which follows a script. Mastra takes it as well. */
export function scriptedModel(decide: (seen: Seen) => Move): MockLanguageModelV4 {
  let calls = 0
  return new MockLanguageModelV4({
    modelId: 'scripted',
    doStream: async ({ prompt }) => {
      const move = decide(read(prompt))
      const id = `call-${++calls}`
      return {
        stream: new ReadableStream({
          start(controller) {
            controller.enqueue({ type: 'stream-start', warnings: [] })
            if ('tool' in move) {
              const input = JSON.stringify(move.input)
              controller.enqueue({ type: 'tool-call', toolCallId: id, toolName: move.tool, input })
            } else {
              controller.enqueue({ type: 'text-start', id })
              controller.enqueue({ type: 'text-delta', id, delta: move.say })
              controller.enqueue({ type: 'text-end', id })
            }
            const unified = 'tool' in move ? 'tool-calls' : 'stop'
            controller.enqueue({
              type: 'finish',
              finishReason: { unified, raw: undefined },
              usage: {
                inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
                outputTokens: { total: 0, text: 0, reasoning: 0 },
              },
            })
            controller.close()
          },
        }),
      }
    },
  })
}

function read(prompt: Prompt): Seen {
  const results: string[] = []
  const called: string[] = []
  const said: string[] = []
  for (const message of prompt) {
    if (message.role === 'user') {
      said.push(message.content.map((part) => (part.type === 'text' ? part.text : '')).join(''))
    }
    if (message.role === 'assistant') {
      called.push(
        ...message.content.flatMap((part) => (part.type === 'tool-call' ? part.toolName : [])),
      )
    }
    if (message.role !== 'tool') continue
    for (const part of message.content) {
      if (part.type === 'tool-result') results.push(textOf(part.output))
    }
  }
  return { results, called, said }
}

function textOf(output: unknown): string {
  const { value } = output as { value?: unknown }
  return typeof value === 'string' ? value : JSON.stringify(output)
}
