import type { Verb } from '../consent/action.ts'
import type { AuthEvent } from '../events.ts'
import type { Outcome } from '../outcome.ts'
import type { Owner } from '../owner.ts'
import type { PersonRequest } from './people.ts'

const remembered = 1000

/** Tells the application of outcomes, and once of each thing that a person must do. */
export class Notifier {
  readonly #hook: ((request: PersonRequest) => void | Promise<void>) | undefined
  readonly #emit: (event: AuthEvent) => void
  readonly #now: () => number
  readonly #variables: (owner: Owner, registration: string) => Promise<readonly string[]>
  readonly #told = new Set<string>()

  constructor(
    hook: ((request: PersonRequest) => void | Promise<void>) | undefined,
    emit: (event: AuthEvent) => void,
    now: () => number,
    variables: (owner: Owner, registration: string) => Promise<readonly string[]>,
  ) {
    this.#hook = hook
    this.#variables = variables
    this.#emit = emit
    this.#now = now
  }

  async report(owner: Owner, verb: Verb, outcome: Outcome): Promise<void> {
    const { status, service, registration } = outcome
    this.#emit({
      type: 'verb',
      at: this.#now(),
      verb,
      owner,
      status,
      ...(service === undefined ? {} : { service }),
      ...(registration === undefined ? {} : { registration }),
    })
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
