import { type LogEntry, longestChain, type Sandbox } from '@authmd/sandbox'

/** So that what goes out together overlaps: then only what waits for something else makes the chain longer. */
const delay = 250

/** Counts how many of an agent's requests waited for one another, what people do in between apart. */
export function counting(sandbox: Sandbox) {
  const seen: LogEntry[] = []
  return {
    async agent<T>(work: () => Promise<T>): Promise<T> {
      const from = sandbox.log.length
      const slow = sandbox.faults.add({ name: '*', delay })
      const done = await work()
      slow.remove()
      seen.push(...sandbox.log.slice(from))
      return done
    },
    // A host that nobody serves answers at once.
    chain: () => longestChain(seen.filter(({ name }) => sandbox.faults.names.includes(name))),
  }
}
