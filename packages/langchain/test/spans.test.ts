import { tracedCases } from '@authmd/scenarios'
import { BaseTracer, type Run } from '@langchain/core/tracers/base'
import { driver } from './driver.ts'

/** What LangChain's own tracers send: each run with its inputs, outputs, events and children. */
class Runs extends BaseTracer {
  readonly name = 'runs'
  readonly persisted: Run[] = []

  protected async persistRun(run: Run): Promise<void> {
    this.persisted.push(run)
  }
}

tracedCases(driver, () => {
  const runs = new Runs()
  return { tracing: runs, spans: () => runs.persisted }
})
