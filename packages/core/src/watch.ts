import { z } from 'zod'
import type { Engine } from './engine/engine.ts'
import { outcomeOf } from './engine/outcome-of.ts'
import type { OnSettled, Waiter, Waiters, WatchReport } from './engine/waiters.ts'
import { AuthError } from './errors.ts'
import { parse } from './inputs.ts'
import type { Json } from './methods/method.ts'
import type { Owner } from './owner.ts'
import { loadOwn } from './register.ts'
import type { Credentials } from './vault/credentials.ts'

/** What `watchRegistrations` is told. */
export interface WatchOptions {
  /** Whose waiters: what paused them gave the same name. */
  readonly queue: string
  /** Goes on with what waits. It is called for one waiter by one process at a time. */
  readonly onSettled: OnSettled
  /**
   * Milliseconds between two looks, 100 to 3,600,000, until `signal` aborts. Left out it looks once, for a cron.
   */
  readonly intervalMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * Told of what could not be resumed, with its registration, and of a look that failed, as when the store does
   * not answer. Without it a look that fails ends the watch.
   */
  readonly onError?: ((error: unknown, registration?: string) => void) | undefined
}

const name = z.string().min(1).max(100)

const watchOptions = z.strictObject({
  queue: name,
  onSettled: z.custom<OnSettled>((value) => typeof value === 'function', 'not a function'),
  intervalMs: z.int().min(100).max(3_600_000).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onError: z.custom<WatchOptions['onError']>((value) => typeof value === 'function').optional(),
})

const waiter: z.ZodType<Waiter> = z.strictObject({
  queue: name,
  at: z
    .json()
    .refine((at) => JSON.stringify(at).length <= 4_000, 'at most 4,000 characters')
    .transform((at) => at as Json),
})

function parseWaiter(given: Waiter): Waiter {
  return parse(waiter, given)
}

/** Looks by `look` until it is told to stop; the sum of what it did. */
export async function watch(
  options: WatchOptions,
  look: (queue: string, onSettled: OnSettled) => Promise<WatchReport>,
): Promise<WatchReport> {
  const { queue, onSettled, intervalMs, signal, onError } = parse(watchOptions, options)
  let resumed = 0
  let failed: WatchReport['failed'] = []
  while (!signal?.aborted) {
    try {
      const report = await look(queue, onSettled)
      resumed += report.resumed
      failed = [...failed, ...report.failed].slice(-100)
      for (const { error, registration } of report.failed) onError?.(error, registration)
    } catch (error) {
      if (intervalMs === undefined || onError === undefined) throw error
      onError(error)
    }
    if (intervalMs === undefined) break
    await pause(intervalMs, signal)
  }
  return { resumed, failed }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  })
}

interface WaitParts {
  readonly engine: Engine
  readonly credentials: Credentials
  readonly waiters: Waiters
  readonly now: () => number
}

/** Writes a waiter down with where each of its registrations stands. */
export async function waitFor(
  { engine, credentials, now, waiters }: WaitParts,
  owner: Owner,
  registrations: readonly string[],
  waiter: Waiter,
): Promise<void> {
  const wanted = parseWaiter(waiter)
  const [first] = registrations
  if (first === undefined) throw new AuthError('invalid_input', 'no registration is waited for')
  const awaited = registrations.map(async (id) => {
    const { registration } = await loadOwn(engine, owner, id)
    return { id, status: (await outcomeOf(registration, credentials, now())).status }
  })
  await waiters.add(owner, await Promise.all(awaited), wanted)
}
