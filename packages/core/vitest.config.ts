import { defineConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

// This one replaces modules, which the workers of the others must not see.
const mocked = ['src/node/file-store-record.test.ts']
const { test, ...rest } = shared

export default defineConfig({
  test: {
    reporters: test?.reporters,
    outputFile: test?.outputFile,
    maxWorkers: 2,
    sequence: { sequencer: test?.sequence?.sequencer },
    projects: [
      { ...rest, test: { ...test, name: 'core', exclude: mocked } },
      { ...rest, test: { ...test, name: 'mocked', include: mocked, isolate: true } },
    ],
  },
})
