import type { AuthListener, Trace } from '@authmd/core'
import { context, trace as traces } from '@opentelemetry/api'
import { Instruments } from './metrics.ts'
import { beginning, finish, insideOf, type SpanOptions, scope } from './spans.ts'

export type OpenTelemetryOptions = SpanOptions

/** The options of `createAgentAuth` that give OpenTelemetry its spans and metrics. */
export interface OpenTelemetry {
  readonly trace: Trace
  readonly onEvent: AuthListener
}

/**
 * Spans and metrics by whatever SDK is registered with `@opentelemetry/api`, at any time: a span for each verb
 * below the caller's active one, and in it one for each refresh and each HTTP request. They hold no secret, no
 * owner, no approver, no address of a person, and of URLs the origin alone.
 *
 * @example
 * const auth = createAgentAuth({ store, ...openTelemetry() })
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetry {
  let instruments: Instruments | undefined
  // A meter is none for ever where it is asked for before the SDK is registered.
  const measured = () => {
    instruments ??= new Instruments()
    return instruments
  }
  return {
    trace: async (operation, run) => {
      const began = performance.now()
      const span = traces.getTracer(scope).startSpan(...beginning(operation, options))
      const within = traces.setSpan(context.active(), span)
      const end = await context.with(insideOf(operation, within), run)
      try {
        finish(span, operation, end)
      } finally {
        measured().ended(operation, end, (performance.now() - began) / 1000, within)
      }
    },
    onEvent: (event) => measured().happened(event),
  }
}
