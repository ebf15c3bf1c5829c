import { afterEach, beforeEach, vi } from 'vitest'

// Time stands still, and only a sandbox's `clock.advance` moves it: a slow machine brings no limit nearer.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())
