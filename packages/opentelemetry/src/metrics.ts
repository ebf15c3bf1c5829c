import type { AuthEvent, Operation, OperationEnd } from '@authmd/core'
import {
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
  metrics,
} from '@opentelemetry/api'
import { addressOf, methodOf, resultOf, scope } from './spans.ts'

/** The bounds that the HTTP conventions advise. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** A question to a person is open for 15 minutes. */
const ofPeople = [1, 5, 15, 30, 60, 120, 300, 600, 900]
/** So many values of an attribute that services or applications name have series of their own. */
const mostValues = 200

/** All that is measured, each with attributes of few values. */
export class Instruments {
  readonly #verbs: Histogram
  readonly #refreshes: Histogram
  readonly #requests: Histogram
  readonly #decisions: Histogram
  readonly #unheard: Counter
  readonly #seen = new Map<string, Set<string>>()

  constructor() {
    const meter = metrics.getMeter(scope)
    const histogram = (name: string, description: string, bounds: number[]) =>
      meter.createHistogram(name, {
        description,
        unit: 's',
        advice: { explicitBucketBoundaries: bounds },
      })
    this.#verbs = histogram('authmd.verb.duration', 'Duration of verbs.', [...seconds, 30, 60])
    this.#refreshes = histogram(
      'authmd.refresh.duration',
      'How long calls waited for a newer credential.',
      [...seconds, 30],
    )
    this.#requests = histogram(
      'http.client.request.duration',
      'Duration of HTTP client requests.',
      seconds,
    )
    this.#decisions = histogram(
      'authmd.decision.duration',
      'From a question to its decision.',
      ofPeople,
    )
    this.#unheard = meter.createCounter('authmd.listener.failures', {
      description:
        'Events with which another listener failed, such as an audit that cannot be written.',
      unit: '{event}',
    })
  }

  ended(operation: Operation, end: OperationEnd, took: number, within: Context): void {
    const result = resultOf(operation, end)
    switch (operation.kind) {
      case 'verb':
        this.#verbs.record(took, { 'authmd.verb': operation.verb, ...result }, within)
        break
      case 'refresh': {
        const method = this.#few('authmd.method', operation.method)
        this.#refreshes.record(took, { 'authmd.method': method, ...result }, within)
        break
      }
      case 'request': {
        const { name } = operation
        const attributes = {
          'http.request.method': methodOf(operation),
          ...this.#server(operation),
          'authmd.request': this.#few('authmd.request', name),
          ...result,
        }
        this.#requests.record(took, attributes, within)
        break
      }
    }
  }

  happened(event: AuthEvent): void {
    if (event.type === 'unheard') this.#unheard.add(1, { 'authmd.event': event.of })
    if (event.type !== 'decision') return
    const { at, askedAt, approved, channel, action } = event
    this.#decisions.record(Math.max(0, at - askedAt) / 1000, {
      'authmd.verb': action.verb,
      'authmd.decision': approved ? 'approved' : 'denied',
      'authmd.decided_by': channel === 'policy' ? 'policy' : 'person',
    })
  }

  /** A model may have any host looked at; only where more than that is done does a host have its own series. */
  #server(operation: Extract<Operation, { kind: 'request' }>): Attributes {
    const address = addressOf(operation)
    const { name, origin } = operation
    if (name !== 'discover' && this.#few('server', origin) === origin) return address
    return { 'server.address': '_OTHER' }
  }

  #few(attribute: string, value: string): string {
    const seen = this.#seen.get(attribute) ?? new Set()
    this.#seen.set(attribute, seen)
    if (seen.size < mostValues) seen.add(value)
    return seen.has(value) ? value : '_OTHER'
  }
}
