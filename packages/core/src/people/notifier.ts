import type { Verb } from '../consent/action.ts'
import type { Call } from '../consent/ledger.ts'
import { type AuthEvent, codeOf, type Ending, endingOf } from '../events.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import { type Trace, traced } from '../trace.ts'
import type { PersonRequest } from './people.ts'

const remembered = 1000

/** Tells the application of outcomes, and once of each thing that a person must do. */
export class Notifier {
  readonly #hook: ((request: PersonRequest) => void | Promise<void>) | undefined
  readonly #emit: (event: AuthEvent) => void
  readonly #now: () => number
  readonly #variables: (owner: Owner, registration: string) => Promise<readonly string[]>
  readonly #trace: Trace | undefined
  readonly #told = new Set<string>()

  constructor(
    hook: ((request: PersonRequest) => void | Promise<void>) | undefined,
    emit: (event: AuthEvent) => void,
    now: () => number,
    variables: (owner: Owner, registration: string) => Promise<readonly string[]>,
    trace?: Trace,
  ) {
    this.#hook = hook
    this.#variables = variables
    this.#emit = emit
    this.#now = now
    this.#trace = trace
  }

  /** Does a verb, and tells what came of it before it is given back. */
  perform(
    owner: Owner,
    verb: Verb,
    { channel }: Pick<Call, 'channel'>,
    act: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const ended = (ending: Ending) =>
      this.#emit({ type: 'verb', at: this.#now(), verb, owner, channel, ...ending })
    const told = async () => {
      let outcome: Outcome
      try {
        outcome = await act()
      } catch (error) {
        ended({ status: 'failed', code: codeOf(error) })
        throw error
      }
      ended(endingOf(outcome))
      await this.#ask(owner, outcome)
      return outcome
    }
    return traced(this.#trace, { kind: 'verb', verb, owner, channel }, told, endingOf)
  }

  async #ask(owner: Owner, outcome: Outcome): Promise<void> {
    const request = requestOf(owner, outcome)
    if (request === undefined || this.#hook === undefined) return
    const key = JSON.stringify(request)
    if (this.#told.has(key)) return
    this.#told.add(key)
    const [oldest] = this.#told
    if (this.#told.size > remembered && oldest !== undefined) this.#told.delete(oldest)
    try {
      const asksKey = request.kind === 'need' && request.need.kind === 'paste-key'
      const variables = asksKey && request.id ? await this.#variables(owner, request.id) : []
      await this.#hook(
        variables.length === 0 ? request : ({ ...request, variables } as PersonRequest),
      )
    } catch {
      // What was done stays done and is reported as usual; the next report tries the hook again.
      this.#told.delete(key)
      this.#emit({ type: 'unnotified', at: this.#now(), owner, need: request.kind })
    }
  }
}

function requestOf(owner: Owner, outcome: Outcome): PersonRequest | undefined {
  if (outcome.status === 'needs_consent') {
    return { kind: 'consent', id: outcome.consent, owner, action: outcome.action }
  }
  if (outcome.status !== 'needs_person' && outcome.status !== 'uncertain') return undefined
  const { registration, service, need } = outcome
  if (need === undefined) return undefined
  const notice = outcome.status === 'uncertain' ? outcome.check : outcome.notice
  return {
    kind: 'need',
    ...(registration === undefined ? {} : { id: registration }),
    owner,
    ...(service === undefined ? {} : { service }),
    need,
    ...(notice === undefined ? {} : { notice }),
  }
}
