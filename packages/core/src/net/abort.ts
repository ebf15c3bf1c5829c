/**
 * The promise, or a rejection with the signal's reason once that fires. `graceMs` gives the promise
 * time to settle by itself after the signal, since its own error can say more.
 */
export function orAborted<T>(signal: AbortSignal, promise: Promise<T>, graceMs = 0): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const giveUp = () => {
      if (graceMs === 0) reject(signal.reason)
      else timer = setTimeout(() => reject(signal.reason), graceMs)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp)
      clearTimeout(timer)
    })
  })
}
