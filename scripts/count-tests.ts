// Prints `N passed, N failed, N skipped`, counted from the reports that the test runs left behind.
import { globSync, readFileSync } from 'node:fs'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { status: string; assertionResults: readonly unknown[] }[]
}

const files = globSync(['.report/vitest.json', '{packages,apps}/*/.report/vitest.json'])
const total = { passed: 0, failed: 0, skipped: 0 }
for (const file of files) {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  total.passed += report.numPassedTests
  total.skipped += report.numPendingTests + report.numTodoTests
  // A file that could not be loaded has no test to fail.
  const broken = report.testResults.filter((one) => {
    return one.status === 'failed' && one.assertionResults.length === 0
  })
  total.failed += report.numFailedTests + broken.length
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
