import type { Sandbox } from '@authmd/sandbox'

/** A request at which an agent's process is killed, and on which side of what the service does. */
export interface Point {
  readonly name: string
  readonly when: 'before' | 'after'
}

/**
 * Where the way can be broken off that a sandbox has seen: before and after each request that changes
 * something, once at each other, since what changes nothing leaves the same behind on both sides.
 */
export function pointsOf({ log, faults }: Sandbox): Point[] {
  // A host that the sandbox does not serve has no endpoint that could be held up.
  const served = log.filter(({ name }) => faults.names.includes(name))
  const binding = new Set(served.filter(({ effect }) => effect).map(({ name }) => name))
  return [...new Set(served.map(({ name }) => name))].flatMap((name) => [
    ...(binding.has(name) ? [{ name, when: 'before' as const }] : []),
    { name, when: 'after' as const },
  ])
}
