import { Worker as Thread } from 'node:worker_threads'
import type { Worker } from '../engine/work.ts'

/** Given as text, so that it works the same from source, from the package and in a bundle. */
const source = `
const { createHash } = require('node:crypto')
const { parentPort, workerData: { prefix, bits } } = require('node:worker_threads')
const begun = createHash('sha256').update(prefix)
const whole = bits >> 3
const mask = 0xff << (8 - (bits & 7)) & 0xff
for (let n = 0; ; n++) {
  const hash = begun.copy().update(String(n)).digest()
  let at = 0
  while (at < whole && hash[at] === 0) at++
  if (at === whole && (mask === 0 || (hash[whole] & mask) === 0)) {
    parentPort.postMessage(String(n))
    break
  }
}
`

/** Computes in a thread of its own, which ends with the answer, with the signal or with the process. */
export const proofOfWork: Worker = (wish, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const { prefix, bits } = wish
    const thread = new Thread(source, { eval: true, workerData: { prefix, bits }, env: {} })
    const end = () => {
      void thread.terminate()
      reject(signal.reason)
    }
    signal.addEventListener('abort', end, { once: true })
    const settled = () => signal.removeEventListener('abort', end)
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => {
      settled()
      reject(new Error('the thread ended without an answer'))
    })
  })
