import { AuthError } from '../errors.ts'
import type { Store } from './store.ts'

const forMs = 30_000
const firstWaitMs = 100
const longestWaitMs = 2_000

/**
 * Does a write of what cannot be had a second time: again while the store fails, for half a minute. The write
 * may have been made each time that it failed, so doing it twice must be the same as doing it once.
 */
export async function surely<T>(write: () => Promise<T>): Promise<T> {
  const began = performance.now()
  for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, longestWaitMs)) {
    try {
      return await write()
    } catch (error) {
      const failed = AuthError.isInstance(error) && error.code === 'store_failed'
      if (!failed || performance.now() - began > forMs) throw error
      await new Promise((done) => setTimeout(done, wait))
    }
  }
}

/** `store.put` as {@link surely} does it: a write whose answer was lost is known by what is stored. */
export async function putSurely(
  store: Store,
  record: Parameters<Store['put']>[0],
  expected: number,
): Promise<number> {
  let mayBeDone = false
  return surely(async () => {
    const held = mayBeDone ? await store.get(record) : undefined
    if (held?.revision === expected + 1 && held.value === record.value) return held.revision
    mayBeDone = true
    return store.put(record, expected)
  })
}
