import { tracedCases } from '@authmd/scenarios'
import { Observability, SamplingStrategyType, TestExporter } from '@mastra/observability'
import { expect } from 'vitest'
import { driver } from './driver.ts'

/** @see mastra-ai/mastra#23046 and mastra-ai/mastra#20669 */
tracedCases(driver, () => {
  const exporter = new TestExporter({ logMetricsOnFlush: false })
  const observability = new Observability({
    configs: {
      test: {
        serviceName: 'test',
        sampling: { type: SamplingStrategyType.ALWAYS },
        exporters: [exporter],
        includeInternalSpans: true,
        requestContextKeys: ['session'],
        logging: { level: 'debug' },
      },
    },
    sensitiveDataFilter: false,
  })
  return {
    tracing: observability,
    spans: async () => {
      await observability.flush()
      const { events } = exporter
      const contexts = events.map(({ exportedSpan }) => exportedSpan.requestContext ?? {})
      const keys = contexts.flatMap((context) => Object.keys(context))
      // A snapshot of the context is exported: nothing of ours may be in it.
      expect([...new Set(keys)]).toEqual(['session'])
      return events
    },
  }
})
