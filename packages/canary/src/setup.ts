// What every package's tests run with: at the end of each test file no secret may have been seen anywhere.
import { afterAll, expect } from 'vitest'
import { canary } from './canary.ts'
import { watchCore } from './core-sinks.ts'
import { watchProcess } from './process-sinks.ts'

watchProcess(canary)
await watchCore(canary)
canary.currentTest = () => expect.getState().currentTestName ?? ''

// A search of what earlier files left running would blame this one.
canary.search()

afterAll(() => {
  const found = canary.search()
  if (found.length === 0) return
  const lines = found.map(({ sink, secret, test }) => `${secret} in: ${sink}, during: ${test}`)
  throw new Error(`secrets were found where none may be\n${lines.join('\n')}`)
})
