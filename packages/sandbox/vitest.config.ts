import { join } from 'node:path'
import { defineConfig, mergeConfig } from 'vitest/config'
import { shared } from '../../vitest.shared.ts'

const setupFiles = [join(import.meta.dirname, 'test/standing-time.ts')]

export default mergeConfig(shared, defineConfig({ test: { setupFiles } }))
