import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { ChatResult } from '@langchain/core/outputs'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from 'langchain'
import type { Move, Seen } from './script.ts'

/** A chat model of LangChain's that follows a script. It keeps nothing, so that any number of threads can share it. */
export class ScriptedChatModel extends BaseChatModel {
  readonly #decide: (seen: Seen) => Move
  readonly #prompted: (messages: readonly BaseMessage[]) => void

  constructor(
    decide: (seen: Seen) => Move,
    prompted: (messages: readonly BaseMessage[]) => void = () => {},
  ) {
    super({})
    this.#decide = decide
    this.#prompted = prompted
  }

  override _llmType(): string {
    return 'scripted'
  }

  override bindTools(): this {
    return this
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    this.#prompted(messages)
    const results = messages.filter((one) => ToolMessage.isInstance(one)).map(({ text }) => text)
    const said = messages.filter((one) => HumanMessage.isInstance(one)).map(({ text }) => text)
    const calls = messages.filter((one) => AIMessage.isInstance(one))
    const called = calls.flatMap((one) => one.tool_calls ?? []).map(({ name }) => name)
    const move = this.#decide({ results, called, said })
    const message = 'say' in move ? new AIMessage(move.say) : calling(move, calls.length)
    return { generations: [{ text: message.text, message }] }
  }
}

/** The call of a thread that has made so many before. */
function calling(
  { tool: name, input: args }: Extract<Move, { tool: string }>,
  before: number,
): AIMessage {
  const call = { name, args, id: `call-${before + 1}`, type: 'tool_call' } as const
  return new AIMessage({ content: '', tool_calls: [call] })
}
