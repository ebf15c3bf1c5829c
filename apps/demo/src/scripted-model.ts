import { MockLanguageModelV4 } from 'ai/test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

/** What the scripted model does next: call one tool, or say something and stop. */
export type Move =
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly say: string }

type Prompt = MockLanguageModelV4['doStreamCalls'][number]['prompt']

/** All texts that tools gave the model so far, the oldest first, and what a person said last. */
export interface Seen {
  readonly results: readonly string[]
  readonly said: string
  /** What the person said first. */
  readonly task: string
}

/**
 * A model that follows a script: it reads what a real one would read (the tools' texts) and decides by
 * that alone. The puzzle is solved by `solve`, as a real model would solve it by thinking.
 */
export function scriptedModel(decide: (seen: Seen) => Move): MockLanguageModelV4 {
  let calls = 0
  return new MockLanguageModelV4({
    modelId: 'scripted',
    doStream: async ({ prompt, tools }) => {
      const total = countTokens(JSON.stringify({ prompt, tools }))
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
                inputTokens: { total, noCache: total, cacheRead: 0, cacheWrite: 0 },
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

/** The script of the demo: discover, register, solve the puzzle, claim, use, revoke. */
export function phoneNumberScript(
  service: string,
  solve: (problem: string) => string,
): (seen: Seen) => Move {
  return ({ results, said, task }) => {
    const last = results.at(-1) ?? ''
    const used = results.findLast((text) => text.startsWith('answered'))
    const handle = results.map((text) => /\bcred_[\w-]+/.exec(text)?.[0]).findLast(Boolean)
    // Named in the task, and repeated at the end as a person would expect.
    const ticket = /, ticket [\w-]+/.exec(task)?.[0] ?? ''
    const registration = /\breg_[\w-]+/.exec(last)?.[0]
    const revoke = { tool: 'auth_revoke', input: { credential: handle } }
    switch (/^\w+/.exec(last)?.[0]) {
      case undefined:
        return { tool: 'auth_discover', input: { service } }
      case 'found':
        return { tool: 'auth_register', input: { service } }
      case 'needs_answer': {
        const [, problem = ''] = /<<<[^\n]*\n([\s\S]*?)\n>>>/.exec(last) ?? []
        return { tool: 'auth_register', input: { service, registration, answer: solve(problem) } }
      }
      case 'pending':
        return { tool: 'auth_claim', input: { registration } }
      case 'ready':
        return {
          tool: 'auth_use',
          input: {
            service,
            path: '/v2/available_phone_numbers',
            query: { 'filter[locality]': 'Chicago', 'page[size]': 3 },
          },
        }
      case 'answered':
        return revoke
      case 'needs_person':
        return said.startsWith('Done')
          ? revoke
          : { say: 'Please delete the key on the page that I was shown, then tell me.' }
      case 'ended': {
        const number = /\+1\d{10}/.exec(used ?? '')?.[0]
        return { say: `I found ${number} in Chicago${ticket}. The key that I used is revoked.` }
      }
      default:
        return { say: `I could not go on: ${last.split('\n', 1)[0]}` }
    }
  }
}

function read(prompt: Prompt): Seen {
  const results: string[] = []
  let said = ''
  let task = ''
  for (const message of prompt) {
    if (message.role === 'user') {
      said = message.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
      task ||= said
    }
    if (message.role !== 'tool') continue
    for (const part of message.content) {
      if (part.type === 'tool-result') results.push(textOf(part.output))
    }
  }
  return { results, said, task }
}

function textOf(output: unknown): string {
  const { value } = output as { value?: unknown }
  return typeof value === 'string' ? value : JSON.stringify(output)
}
