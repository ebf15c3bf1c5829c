import { defineConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

// Without `import`, which Vitest hands to Node: the `require` of pg would follow it as well.
const conditions = ['@authmd/source', 'node', 'default']

export default defineConfig({
  ...shared,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
})
