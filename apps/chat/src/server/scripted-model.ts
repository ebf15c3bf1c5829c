import { simulateReadableStream } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'

type Options = Parameters<MockLanguageModelV4['doStream']>[0]
type Chunk =
  Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer T>
    ? T
    : never

/** What the model does next: call one tool, or say something and stop. */
export type Move =
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly say: string }

/** One thing that the model has read: what the person said, or what a tool gave back. */
export interface Heard {
  readonly by: 'person' | 'tool'
  readonly text: string
}

/** A model that follows a script: it decides by what a real one would read, and by that alone. */
export function scriptedModel(decide: (heard: readonly Heard[]) => Move): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    modelId: 'scripted',
    doStream: async ({ prompt, abortSignal }) => {
      abortSignal?.throwIfAborted()
      const move = decide(prompt.flatMap(heardIn))
      const chunks: Chunk[] = [
        { type: 'stream-start', warnings: [] },
        ...('tool' in move ? [called(move)] : said(move.say)),
        {
          type: 'finish',
          finishReason: { unified: 'tool' in move ? 'tool-calls' : 'stop', raw: undefined },
          usage: {
            inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
            outputTokens: { total: 0, text: 0, reasoning: 0 },
          },
        },
      ]
      return { stream: simulateReadableStream({ chunks }) }
    },
  })
}

function called({ tool, input }: Extract<Move, { tool: string }>): Chunk {
  const toolCallId = crypto.randomUUID()
  return { type: 'tool-call', toolCallId, toolName: tool, input: JSON.stringify(input) }
}

function said(text: string): Chunk[] {
  const id = 'said'
  const words = text.split(/(?<= )/)
  return [
    { type: 'text-start', id },
    ...words.map((delta): Chunk => ({ type: 'text-delta', id, delta })),
    { type: 'text-end', id },
  ]
}

function heardIn(message: Options['prompt'][number]): Heard[] {
  if (message.role === 'user') {
    const texts = message.content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
    return [{ by: 'person', text: texts.join('') }]
  }
  if (message.role !== 'tool') return []
  return message.content.flatMap((part) => {
    if (part.type !== 'tool-result') return []
    const { output } = part
    const text = output.type === 'text' ? output.value : output.type
    return [{ by: 'tool', text }]
  })
}
