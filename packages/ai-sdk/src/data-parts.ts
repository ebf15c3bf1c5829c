import type { Outcome, PersonNeed } from '@authmd/core'
import type { InferUIMessageChunk, InferUITools, UIMessage, UIMessageChunk } from 'ai'
import type { AuthToolOutput, AuthToolSet } from './tools.ts'

/** How a registration, or the end of a credential, stands for the person: the data of a `data-authmd` part. */
export interface AuthPart {
  readonly status: Outcome['status']
  readonly service?: string
  readonly registration?: string
  /** What the person has to do, never a secret; absent where there is nothing to do any more. */
  readonly need?: PersonNeed
  /** What was wrong with what the person did before. */
  readonly notice?: string
}

/** A message of a chat with our tools and their `data-authmd` parts, for `useChat`. */
export type AuthUIMessage = UIMessage<unknown, { authmd: AuthPart }, InferUITools<AuthToolSet>>

/** A stream of UI chunks, to which `data-authmd` parts are added. */
export type DataParts<MESSAGE extends UIMessage> = TransformStream<
  InferUIMessageChunk<MESSAGE>,
  InferUIMessageChunk<MESSAGE>
>

/** Adds a part after each output that is one of ours: any other tool could be made to imitate one. */
export function addDataParts<MESSAGE extends UIMessage>(ours: WeakSet<object>): DataParts<MESSAGE> {
  let last: unknown
  return new TransformStream<UIMessageChunk, UIMessageChunk>({
    transform(chunk, controller) {
      controller.enqueue(chunk)
      if (chunk.type !== 'tool-output-available' || chunk.output === last) return
      last = chunk.output
      if (typeof last !== 'object' || last === null || !ours.has(last)) return
      const data = partOf((last as AuthToolOutput).outcome)
      const id = data?.registration ?? data?.service
      if (id !== undefined) controller.enqueue({ type: 'data-authmd', id, data })
    },
  }) as DataParts<MESSAGE>
}

function partOf(outcome: Outcome | undefined): AuthPart | undefined {
  if (outcome === undefined) return undefined
  const { status, service, registration } = outcome
  const need = 'need' in outcome ? outcome.need : undefined
  if (!registration && !need && status !== 'ended') return undefined
  const notice = need && 'notice' in outcome ? outcome.notice : undefined
  return { status, service, registration, need, notice }
}
