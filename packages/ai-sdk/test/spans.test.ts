import { OpenTelemetry } from '@ai-sdk/otel'
import { tracedCases } from '@authmd/scenarios'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { driver } from './driver.ts'

tracedCases(driver, () => {
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  const tracer = new BasicTracerProvider({ spanProcessors }).getTracer('test')
  const integrations = new OpenTelemetry({
    tracer,
    usage: true,
    providerMetadata: true,
    runtimeContext: true,
    headers: true,
    toolChoice: true,
  })
  return {
    tracing: { integrations },
    spans: () =>
      exporter.getFinishedSpans().map((span) => {
        const { name, attributes, events, links, status, resource } = span
        return { name, attributes, events, links, status, resource: resource.attributes }
      }),
  }
})
