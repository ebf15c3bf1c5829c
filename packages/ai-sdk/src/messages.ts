import type { ModelMessage, ToolCallPart } from 'ai'

type Answer = Readonly<{
  call: ToolCallPart
  /** The words that were shown, where the SDK keeps them. */
  question: string | undefined
  approved: boolean
  /** The last message holds it: it is new. */
  now: boolean
}>

/**
 * A person's answers in the history, each with the call that the question stood beside. Two answers
 * to one question count as a no if either is.
 */
export function answersIn(messages: readonly ModelMessage[]): readonly Answer[] {
  const said = new Map<string, { approved: boolean; now: boolean }>()
  for (const message of messages) {
    for (const { approvalId, approved } of responses(message)) {
      const before = said.get(approvalId)?.approved !== false
      said.set(approvalId, { approved: approved && before, now: message === messages.at(-1) })
    }
  }
  return messages.flatMap((message) => {
    const parts = assistantParts(message)
    const calls = parts.filter((part) => part.type === 'tool-call')
    return parts.flatMap((part) => {
      if (part.type !== 'tool-approval-request') return []
      const answer = said.get(part.approvalId)
      const call = calls.find(({ toolCallId }) => toolCallId === part.toolCallId)
      return answer && call ? [{ call, question: part.reason, ...answer }] : []
    })
  })
}

/**
 * Whether the last message answers a question about a call; otherwise the call is new. The SDK
 * executes a call of the history only if its last message answers it, and whether the history holds a
 * result of it as well is in the hands of whoever sent the messages.
 */
export function isAnswered(messages: readonly ModelMessage[], callId: string): boolean {
  const last = messages.at(-1)
  const answered = last ? responses(last).map(({ approvalId }) => approvalId) : []
  return messages.flatMap(assistantParts).some((part) => {
    const asks = part.type === 'tool-approval-request' && part.toolCallId === callId
    return asks && answered.includes(part.approvalId)
  })
}

function assistantParts({ role, content }: ModelMessage) {
  return role === 'assistant' && typeof content !== 'string' ? content : []
}

function responses({ role, content }: ModelMessage) {
  if (role !== 'tool') return []
  return content.filter((part) => part.type === 'tool-approval-response')
}
