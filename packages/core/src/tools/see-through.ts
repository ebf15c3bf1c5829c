import type { Call } from '../consent/ledger.ts'
import type { Outcome } from '../outcome.ts'
import type { Session } from '../session.ts'
import { authTools, type ToolResult } from './tools.ts'

/** The least time between two looks: a person is at work, or no time was named. */
const pauseMs = 2_000

/** How a result is waited with. */
export interface SeeThroughOptions {
  /** Milliseconds to wait in all; with 0 nothing is waited for. */
  readonly patienceMs: number
  /** Ends the waiting at once. What a look has begun by then is seen to its end, and kept. */
  readonly signal?: AbortSignal | undefined
  /** Called before each wait with what is waited for. */
  readonly told?: (waiting: Outcome) => unknown
}

/**
 * Waits with a registration that goes on by itself: the service has work to do, a mail comes, a person
 * hands something over. Yields the result that it begins with and each one that says something else; the
 * last one stands. Looks never before the outcome's `notBefore`, and never where a look would bind
 * somebody. Where a look fails the result stands as it is: the call that it names says what is wrong.
 *
 * @example
 * ```ts
 * const first = await tool.run(session, input, call)
 * for await (const { text } of seeThrough(session, first, call, { patienceMs: 45_000 })) show(text)
 * ```
 */
export async function* seeThrough(
  session: Session,
  first: ToolResult,
  call: Call,
  { patienceMs, signal, told }: SeeThroughOptions,
): AsyncGenerator<ToolResult, void> {
  const end = Date.now() + patienceMs
  let result = first
  for (let text: string | undefined; ; ) {
    if (result.text !== text) yield result
    text = result.text
    const { outcome } = result
    const at = outcome && nextLook(outcome)
    if (outcome === undefined || at === undefined || at > end) return
    told?.(outcome)
    if (!(await reached(at, signal))) return
    const next = await look(session, outcome.registration, call)
    if (next === undefined) return
    result = next
  }
}

const claim = authTools.find(({ verb }) => verb === 'claim')

async function look(
  session: Session,
  registration: string | undefined,
  call: Call,
): Promise<ToolResult | undefined> {
  try {
    const binds = await session.preview('claim', { registration })
    const next = binds ? undefined : await claim?.run(session, { registration }, call)
    return next?.error ? undefined : next
  } catch {
    return undefined
  }
}

/** Epoch milliseconds; undefined where nothing goes on by itself. */
function nextLook(outcome: Outcome): number | undefined {
  if (outcome.registration === undefined) return undefined
  const soon = Date.now() + pauseMs
  if (outcome.status === 'needs_person') return soon
  return outcome.status === 'pending' ? Math.max(outcome.notBefore, soon) : undefined
}

/** False where it was aborted before that time. */
function reached(time: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve(!signal?.aborted)
    }
    const timer = setTimeout(done, signal?.aborted ? 0 : time - Date.now())
    signal?.addEventListener('abort', done, { once: true })
  })
}
