import { type AuthUIMessage, agentAuth } from '@authmd/ai-sdk'
import {
  consumeStream,
  convertToModelMessages,
  createUIMessageStream,
  createUIMessageStreamResponse,
  isStepCount,
  safeValidateUIMessages,
  streamText,
  toUIMessageStream,
} from 'ai'
import { agent } from '../../../server/agent.ts'
import { openFirst, visitor } from '../../../server/visitor.ts'

/** How long a tool call waits for a mail or a person. */
const patienceMs = 10 * 60_000

/**
 * One turn of a conversation. The messages come from the page and may say anything: whose credentials
 * are used is the visitor's, and what was agreed to is what core has on record.
 */
export async function POST(request: Request): Promise<Response> {
  const known = await visitor()
  if (known === undefined) return openFirst()
  const { owner, email } = known
  const { auth, model, conversations } = await agent()
  const authmd = agentAuth(auth, { owner, approver: email, patienceMs })
  const { tools } = authmd
  const sent = await request.json().catch(() => undefined)
  const valid = await safeValidateUIMessages<AuthUIMessage>({ messages: sent?.messages })
  if (!valid.success) return new Response('No messages of a chat.\n', { status: 400 })
  const originalMessages = valid.data
  // Kept before anything is done: an answer that was given survives a reload that comes right after it.
  conversations.set(owner.user, originalMessages)
  const messages = await convertToModelMessages(originalMessages, { tools })
  const stream = createUIMessageStream<AuthUIMessage>({
    originalMessages,
    execute: ({ writer }) => {
      const { stream } = streamText({
        model,
        messages,
        tools,
        toolApproval: authmd.toolApproval(),
        stopWhen: isStepCount(20),
        abortSignal: request.signal,
      })
      const chunks = toUIMessageStream<typeof tools, AuthUIMessage>({ stream, originalMessages })
      writer.merge(chunks.pipeThrough(authmd.dataParts()))
    },
    onEnd: ({ messages }) => {
      conversations.set(owner.user, messages)
    },
  })
  // Read to its end although the page may be gone, so that what was done is kept.
  return createUIMessageStreamResponse({ stream, consumeSseStream: consumeStream })
}
