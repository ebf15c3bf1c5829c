import { defineConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

// Without 'import': the workers are started with these, and `require` inside `pg` would follow it.
const conditions = ['@authmd/source', 'node', 'default']

export default defineConfig({
  ...shared,
  ssr: { resolve: { conditions, externalConditions: conditions } },
})
