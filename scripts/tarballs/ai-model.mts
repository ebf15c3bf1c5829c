import { convertArrayToReadableStream, MockLanguageModelV4 } from 'ai/test'
import type { World } from './world.mts'

type Prompt = MockLanguageModelV4['doGenerateCalls'][number]['prompt']

let calls = 0

/** The AI SDK's fake model, which does what the world says. */
export function modelOf(world: World): MockLanguageModelV4 {
  const move = async (prompt: Prompt) => {
    const call = await world.next(results(prompt), prompt)
    if (call === undefined) return undefined
    const toolCallId = `call-${++calls}`
    const input = JSON.stringify(call.args)
    return { type: 'tool-call' as const, toolCallId, toolName: call.name, input }
  }
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const call = await move(prompt)
      const content = [call ?? { type: 'text' as const, text: 'done' }]
      return { content, finishReason: reason(call), usage, warnings: [] }
    },
    doStream: async ({ prompt }) => {
      const call = await move(prompt)
      const body = call
        ? [call]
        : [
            { type: 'text-start' as const, id: 't' },
            { type: 'text-delta' as const, id: 't', delta: 'done' },
            { type: 'text-end' as const, id: 't' },
          ]
      return {
        stream: convertArrayToReadableStream([
          { type: 'stream-start', warnings: [] },
          ...body,
          { type: 'finish', finishReason: reason(call), usage },
        ]),
      }
    },
  })
}

/** What the tools have said so far. */
function results(prompt: Prompt): string[] {
  return prompt
    .flatMap(({ role, content }) => (role === 'tool' ? content : []))
    .flatMap((part) => (part.type === 'tool-result' ? [part.output] : []))
    .map((output) => ('value' in output ? String(output.value) : output.type))
}

function reason(call: object | undefined) {
  return { unified: call ? 'tool-calls' : 'stop', raw: undefined } as const
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
