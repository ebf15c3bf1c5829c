import type { ModelMessage, ToolCallPart } from 'ai'

type Answer = Readonly<{ call: ToolCallPart; question: string | undefined; approved: boolean }>

/**
 * A person's answers in the history, each with the call that the question stood beside. Two answers
 * to one question count as a no if either is.
 */
export function answersIn(messages: readonly ModelMessage[]): readonly Answer[] {
  const said = new Map<string, boolean>()
  for (const message of messages) {
    for (const { approvalId, approved } of responses(message)) {
      said.set(approvalId, approved && said.get(approvalId) !== false)
    }
  }
  return messages.flatMap((message) => {
    const parts = assistantParts(message)
    const calls = parts.filter((part) => part.type === 'tool-call')
    return parts.flatMap((part) => {
      if (part.type !== 'tool-approval-request') return []
      const approved = said.get(part.approvalId)
      const call = calls.find(({ toolCallId }) => toolCallId === part.toolCallId)
      if (approved === undefined || call === undefined) return []
      return [{ call, question: part.reason, approved }]
    })
  })
}

/**
 * What the last message answers to the questions about one call; undefined where nothing, so that
 * the call is new. The SDK executes a call of the history only if its last message answers it, and
 * whether the history holds a result of it as well is in the hands of whoever sent the messages.
 */
export function answerNow(messages: readonly ModelMessage[], callId: string): boolean | undefined {
  const asked = new Set<string>()
  for (const message of messages) {
    for (const part of assistantParts(message)) {
      if (part.type === 'tool-approval-request' && part.toolCallId === callId) {
        asked.add(part.approvalId)
      }
    }
  }
  const last = messages.at(-1)
  const answers = last ? responses(last).filter(({ approvalId }) => asked.has(approvalId)) : []
  return answers.length === 0 ? undefined : answers.every(({ approved }) => approved)
}

function assistantParts({ role, content }: ModelMessage) {
  return role === 'assistant' && typeof content !== 'string' ? content : []
}

function responses({ role, content }: ModelMessage) {
  if (role !== 'tool') return []
  return content.filter((part) => part.type === 'tool-approval-response')
}
