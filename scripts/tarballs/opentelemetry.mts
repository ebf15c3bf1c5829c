import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { openTelemetry } from '@authmd/opentelemetry'
import { trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { owner, startWorld } from './world.mts'

const exporter = new InMemorySpanExporter()
const spanProcessors = [new SimpleSpanProcessor(exporter)]
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))

await using world = await startWorld(openTelemetry())
const { service } = world
await world.importKey()
await world.auth.as(owner).use({ service, method: 'GET', path: '/v2/available_phone_numbers' })
// A verb's span ends a moment after the verb: whoever traces keeps nobody waiting.
await setImmediate()
const spans = exporter.getFinishedSpans()
const [verb] = spans.filter(({ name }) => name === 'authmd use')
const [request] = spans.filter(({ attributes }) => attributes['authmd.request'] === 'use')
assert.equal(verb?.attributes['authmd.outcome'], 'answered')
assert.equal(request?.attributes['http.response.status_code'], 200)
console.log(`opentelemetry: ${verb.name}, ${request.name}`)
