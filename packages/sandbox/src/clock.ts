/** Where the sandbox takes the time from, in milliseconds since 1970. */
export interface Clock {
  now(): number
}

/** The sandbox's own clock: a given clock plus whatever it was moved on by hand. */
export interface SandboxClock extends Clock {
  /** Moves the time on, so that nonces, links, sessions and limits grow old without waiting. */
  advance(ms: number): void
}

export function createClock(base: Clock = { now: () => Date.now() }): SandboxClock {
  let offset = 0
  return {
    now: () => base.now() + offset,
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0) throw new RangeError('advance() takes 0 ms or more')
      offset += ms
    },
  }
}
