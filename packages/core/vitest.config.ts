import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { shared } from '../../vitest.shared.ts'

// These replace modules, which the workers of the others must not see, and which only Vitest itself can load.
const mocked = ['src/node/file-store-record.test.ts', 'src/node/keyring.test.ts']
const { test, ...rest } = shared

/** The files that take longest: begun last, one would run alone at the end. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const slow = ({ moduleId }: TestSpecification) => /kill|browser/.test(moduleId)
    return [...sorted.filter(slow), ...sorted.filter((file) => !slow(file))]
  }
}

export default defineConfig({
  test: {
    reporters: test?.reporters,
    outputFile: test?.outputFile,
    sequence: { sequencer: SlowFirst },
    projects: [
      // Two workers: this is the package with the most tests. What a project inherits counts, not what stands above.
      { ...rest, test: { ...test, name: 'core', exclude: mocked, maxWorkers: 2 } },
      { ...rest, test: { ...test, name: 'mocked', include: mocked, isolate: true, server: {} } },
    ],
  },
})
