import { isConflict } from './store-check.ts'

/** Reads, changes and writes again while other writers are first; the last conflict is thrown on. */
export async function compareAndSet<T>(attempt: () => Promise<T>, retries = 5): Promise<T> {
  for (let left = retries; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error
    }
  }
}
