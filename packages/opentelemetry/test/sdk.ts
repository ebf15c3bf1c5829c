import { canary } from '@authmd/canary'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach } from 'vitest'

const exporter = new InMemorySpanExporter()
let reader: PeriodicExportingMetricReader

/** A fresh SDK for each test, registered as an application would; all that it records is searched for secrets. */
export function useSdk(): void {
  beforeEach(() => {
    exporter.reset()
    registerSdk()
  })
  afterEach(async () => {
    canary.see('span', spans().map(shown))
    canary.see('metric', await points())
    await reader.shutdown()
    for (const api of [context, trace, metrics]) api.disable()
  })
}

/** As an application does when it starts. */
export function registerSdk(): void {
  reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 3_600_000,
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
}

export function spans(): readonly ReadableSpan[] {
  return exporter.getFinishedSpans()
}

/** All that an exporter would send of a span that is not of the process. */
export function shown({ name, kind, attributes, status, events, links }: ReadableSpan) {
  return { name, kind, attributes, status, events, links }
}

export interface Tree {
  readonly name: string
  readonly span: ReadableSpan
  readonly below: readonly Tree[]
}

/** What has no parent among the spans that were recorded, with all that is below, each in order of its beginning. */
export function trees(parent?: string): readonly Tree[] {
  const all = spans()
  const known = new Set(all.map((span) => span.spanContext().spanId))
  const above = (span: ReadableSpan) => {
    const id = span.parentSpanContext?.spanId
    return id !== undefined && known.has(id) ? id : undefined
  }
  const time = ({ startTime: [s, ns] }: ReadableSpan) => s * 1e9 + ns
  return all
    .filter((span) => above(span) === parent)
    .toSorted((a, b) => time(a) - time(b))
    .map((span) => {
      return { name: span.name, span, below: trees(span.spanContext().spanId) }
    })
}

/** The same as text: `authmd use > (authmd refresh > POST), GET`. */
export function outline(tree: Tree): string {
  const { name, below } = tree
  if (below.length === 0) return name
  const inner = below.map((one) => (one.below.length > 0 ? `(${outline(one)})` : outline(one)))
  return `${name} > ${inner.join(', ')}`
}

/** Every series of every metric. */
export async function points() {
  const { resourceMetrics } = await reader.collect()
  return resourceMetrics.scopeMetrics.flatMap(({ metrics: found }) =>
    found.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => {
        const count = typeof value === 'number' ? value : (value as { count: number }).count
        return { metric: descriptor.name, unit: descriptor.unit, attributes, count }
      }),
    ),
  )
}
