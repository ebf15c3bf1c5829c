import { defineConfig, mergeConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

// A test starts up to a dozen programs, one after the other.
export default mergeConfig(shared, defineConfig({ test: { testTimeout: 180_000 } }))
