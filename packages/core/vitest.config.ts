import { defineConfig, mergeConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

// This one replaces modules, which the workers of the others must not see.
const mocked = ['src/node/file-store-record.test.ts']

export default mergeConfig(
  shared,
  defineConfig({
    test: {
      projects: [
        { extends: true, test: { name: 'core', exclude: mocked } },
        { extends: true, test: { name: 'mocked', include: mocked, isolate: true } },
      ],
    },
  }),
)
