import { defineConfig, mergeConfig } from 'vitest/config'
import { shared } from './vitest.shared.ts'

// They read files: nothing runs that could let a secret out, and to watch for one loads all of core.
const { setupFiles: _, ...test } = shared.test ?? {}
const own = defineConfig({ test: { include: ['scripts/**/*.test.ts'] } })

export default mergeConfig({ ...shared, test }, own)
