import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Without `import`, which Vitest hands to Node: the `require` of a package such as pg would follow it.
const conditions = ['@authmd/source', 'node', 'default']

/** The files that take longest: begun last, one would run alone at the end. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const slow = ({ moduleId }: TestSpecification) => /kill|browser/.test(moduleId)
    return [...sorted.filter(slow), ...sorted.filter((file) => !slow(file))]
  }
}

/** What every package's tests share: sources instead of builds, and a JSON report to count from. */
export const shared = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    // A worker keeps what it has imported: importing a framework anew for each file costs more than the tests.
    // One worker, because turbo runs two packages at a time and a second would import it all again.
    isolate: false,
    maxWorkers: 1,
    sequence: { sequencer: SlowFirst },
    reporters: ['default', 'json'],
    outputFile: { json: '.report/vitest.json' },
    execArgv: ['--conditions=@authmd/source'],
  },
})
