import { AuthError, type Call, type Owner, type ToolBook } from '@authmd/core'
import { AIMessage, type BaseMessage } from '@langchain/core/messages'
import type { ToolCall } from '@langchain/core/messages/tool'
import { getConfig, interrupt, task } from '@langchain/langgraph'
import type { HITLRequest } from 'langchain'
import { z } from 'zod'
import type { Run, SessionFor } from './owner.ts'

export const channel = 'langchain'

/** The interrupt that asks: the request of the framework's own middleware, and each one's consent. */
export interface ConsentRequest extends HITLRequest {
  readonly authmd: { readonly version: 1; readonly consents: readonly string[] }
}

type Question = HITLRequest['actionRequests'][number] & { readonly id: string }
type Decision = { readonly id: string; readonly approved: boolean; readonly reason?: string }

/** A person's reason; one that is no text, or too long to keep, is left out. */
const text = z.string().max(500).optional().catch(undefined)
const answerSchema = z.object({
  decisions: z.array(z.object({ type: z.unknown().optional(), message: text })),
  authmd: z.object({ version: z.literal(1), consents: z.array(z.string()) }).optional(),
})

/** A call as core knows it. */
export function callOf({ configurable }: Run, callId: string | undefined): Call {
  const thread = configurable?.thread_id
  const known = typeof thread === 'string' ? { thread } : {}
  return { channel, ...known, ...(callId ? { callId } : {}) }
}

export interface Asker {
  readonly tools: ToolBook
  readonly sessionFor: SessionFor
  readonly approver: string | ((owner: Owner) => string)
  /** Decisions without the ids of their consents count, in the order of the questions. */
  readonly unnamed: boolean
}

/** Asks a person, in one interrupt, for all that the calls of the model's last message would bind. */
export async function askPerson(asker: Asker, messages: readonly BaseMessage[]): Promise<void> {
  const { tools, sessionFor } = asker
  const run = getConfig()
  let put = false
  // A resumed node runs again from its top, and a puzzle may have expired by then. A task is done
  // once for each pause, so that what is answered is what was asked.
  const questions = await task('authmd_questions', () => {
    put = true
    const last = messages.findLast((one) => AIMessage.isInstance(one))
    const calls = (last?.tool_calls ?? []).filter(({ name }) => tools.get(name))
    return putQuestions(asker, run, calls)
  })()
  if (questions.length === 0) return
  const answer: unknown = interrupt(requestOf(questions))
  // It was there before the question was put, as in a fork: it answers another one.
  if (put) return
  // In a graph inside a graph one resume value may be handed to several interrupts.
  const nested = String(run.configurable?.checkpoint_ns).includes('|')
  const unnamed = asker.unnamed && !nested
  for (const { id, ...decision } of decisionsIn(answer, questions, unnamed)) {
    try {
      const session = await sessionFor(run)
      const approver =
        typeof asker.approver === 'string' ? asker.approver : asker.approver(session.owner)
      await session.decide(id, { ...decision, approver, channel })
    } catch (error) {
      // Decided before, too late, of another owner, or not here: it does not count.
      const code = AuthError.isInstance(error) ? error.code : ''
      const noWord = ['invalid_input', 'not_found', 'owner_invalid', 'approval_out_of_band']
      if (!noWord.includes(code)) throw error
    }
  }
}

async function putQuestions({ tools, sessionFor }: Asker, run: Run, calls: readonly ToolCall[]) {
  const questions = new Map<string, Question>()
  for (const { id: callId, name, args } of calls) {
    try {
      const session = await sessionFor(run)
      const action = await tools.get(name)?.preview(session, args)
      const standing = action && (await session.ask(action, callOf(run, callId)))
      if (standing?.kind !== 'asked') continue
      const { id, action: asked } = standing.consent
      questions.set(id, { id, name, args, description: asked.summary })
    } catch (error) {
      // Core's own check stands before everything that binds; the tool says what is wrong.
      if (!AuthError.isInstance(error)) throw error
    }
  }
  return [...questions.values()]
}

function requestOf(questions: readonly Question[]): ConsentRequest {
  const names = [...new Set(questions.map(({ name }) => name))]
  const allowedDecisions = ['approve' as const, 'reject' as const]
  return {
    actionRequests: questions.map(({ id, ...request }) => request),
    reviewConfigs: names.map((actionName) => ({ actionName, allowedDecisions })),
    authmd: { version: 1, consents: questions.map(({ id }) => id) },
  }
}

/** What an answer says to the questions; to one that gets neither a clear yes nor a no, nothing. */
function decisionsIn(
  answer: unknown,
  questions: readonly Question[],
  unnamed: boolean,
): Decision[] {
  const { decisions, authmd } = answerSchema.safeParse(answer).data ?? { decisions: [] }
  const ids = authmd?.consents ?? (unnamed ? questions.map(({ id }) => id) : [])
  if (ids.length !== decisions.length) return []
  return questions.flatMap(({ id }): Decision[] => {
    const said = decisions.filter((_, at) => ids[at] === id)
    const no = said.find(({ type }) => type === 'reject')
    if (no) return [{ id, approved: false, ...(no.message ? { reason: no.message } : {}) }]
    const yes = said.length > 0 && said.every(({ type }) => type === 'approve')
    return yes ? [{ id, approved: true }] : []
  })
}
