import { AuthError } from '@authmd/core'
import { Command, INTERRUPT, isInterrupted } from '@langchain/langgraph'
import type { ConsentRequest } from './approval.ts'
import type { PersonWait, WaitRequest } from './waits.ts'

/** One thing that an interrupt asks. */
export type AuthQuestion = ConsentQuestion | ({ readonly kind: 'person' } & PersonWait)

/** May this be done? */
export interface ConsentQuestion {
  readonly kind: 'consent'
  /** The consent's id. */
  readonly id: string
  readonly tool: string
  /** The model's own input to the tool. */
  readonly input: Readonly<Record<string, unknown>>
  /** What it would do that binds somebody, in plain sentences: this is to be shown. */
  readonly summary: string
}

/** Only `true` and `approved: true` are a yes; for `kind: 'person'` nothing is looked at. */
export type AuthAnswer =
  | boolean
  | { readonly approved: boolean; readonly reason?: string }
  | undefined
export type Ask = (question: AuthQuestion) => AuthAnswer | Promise<AuthAnswer>

export async function resume(result: unknown, ask: Ask): Promise<Command<unknown, never, never>> {
  const answers: Record<string, object> = {}
  for (const { id, value } of isInterrupted(result) ? result[INTERRUPT] : []) {
    const ours = value as ConsentRequest | WaitRequest | undefined
    if (id === undefined || ours?.authmd?.version !== 1) continue
    if ('actionRequests' in ours) answers[id] = await decide(ours, ask)
    else {
      for (const wait of ours.authmd.waits) await ask({ kind: 'person', ...wait })
      answers[id] = { authmd: { version: 1 } }
    }
  }
  if (Object.keys(answers).length > 0) return new Command({ resume: answers })
  throw new AuthError('invalid_input', 'this result holds no interrupt of authmd')
}

async function decide({ actionRequests, authmd }: ConsentRequest, ask: Ask): Promise<object> {
  const decisions: object[] = []
  for (const [at, request] of actionRequests.entries()) {
    const { name: tool, args: input, description: summary = '' } = request
    const id = authmd.consents[at] ?? ''
    const said = await ask({ kind: 'consent', id, tool, input, summary })
    const { approved = said, reason } = (typeof said === 'object' && said) || {}
    const message = reason === undefined ? {} : { message: reason }
    decisions.push(approved === true ? { type: 'approve' } : { type: 'reject', ...message })
  }
  return { decisions, authmd }
}
