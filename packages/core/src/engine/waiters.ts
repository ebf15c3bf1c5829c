import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { Json } from '../methods/method.ts'
import type { Outcome } from '../outcome.ts'
import { type Owner, ownerKey } from '../owner.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import { pagesOf } from '../vault/pages.ts'
import type { RecordRef, Store, StoreRecord } from '../vault/store.ts'
import { isConflict } from '../vault/store-check.ts'

/** Something of a framework that has paused until a person has done their part. */
export interface Waiter {
  /** Whose it is to resume it: the `queue` that a watch is for. At most 100 characters. */
  readonly queue: string
  /** What that watch finds it by, such as a thread's id: JSON of at most 4,000 characters, no secret. */
  readonly at: Json
}

/** A waiter whose registration needs no person any more. */
export interface Settled extends Waiter {
  readonly owner: Owner
  readonly registration: string
  /** Where the registration stands: `ready`, `refused`, `needs_answer`, `needs_consent` … */
  readonly status: Outcome['status']
}

/**
 * Resumes what waits. `gone`: it does not wait, which may be because it has yet to: it is asked about again for
 * ten minutes. A throw asks again later, less and less often.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has resumed it
export type OnSettled = (settled: Settled) => Promise<void | 'gone'>

/** What a look at all waiters did. */
export interface WatchReport {
  readonly resumed: number
  /** Those that could not be resumed, with the error; they are tried again. */
  readonly failed: readonly { readonly registration: string; readonly error: unknown }[]
}

/** A registration that is waited for, and where it stood by then. */
interface Awaited {
  readonly id: string
  readonly status: Outcome['status']
}

interface Kept extends Waiter {
  readonly owner: Owner
  readonly registrations: readonly Awaited[]
  /** Epoch milliseconds. */
  readonly since: number
  readonly tries: number
}

/** How long a waiter is one process's own, unless that process says again that it is at it. */
const holdMs = 60_000
const againMs = 20_000
const takenAtOnce = 20
const minuteMs = 60_000
const hourMs = 3_600_000
/** For so long something may still be on its way to its pause. */
const pausingMs = 600_000

type At = (owner: Owner, registration: string) => Promise<Outcome['status'] | undefined>

/**
 * Who waits for which registration. A waiter is taken by a write that compares its revision, and is taken until its
 * `due`: whoever takes it says so again while it resumes, so that a run may take as long as it likes, and a
 * process that died is followed by another.
 */
export class Waiters {
  readonly #store: Store
  readonly #now: () => number

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Writes a waiter down; another pause of the same takes its place. It is looked at at once. */
  async add(owner: Owner, registrations: readonly Awaited[], waiter: Waiter): Promise<void> {
    const { queue, at } = waiter
    const id = (await sha256(JSON.stringify([queue, at]))).slice(0, 43)
    const ref = { kind: 'waiter', owner: await ownerKey(owner), id } as const
    const now = this.#now()
    const kept: Kept = { owner, registrations, queue, at, since: now, tries: 0 }
    await compareAndSet(async () => {
      const present = await this.#store.get(ref)
      await this.#write(ref, kept, now, present?.revision ?? 0)
    })
  }

  /** A registration has come to rest: who waits for it is looked at now. A hint; a look comes all the same. */
  async wake(owner: Owner, registration: string): Promise<void> {
    const query = { kind: 'waiter', owner: await ownerKey(owner) } as const
    try {
      for await (const { records } of pagesOf(this.#store, query)) {
        for (const record of records) {
          const kept = decode(record)
          if (!kept.registrations.some(({ id }) => id === registration)) continue
          // One that is being resumed is left to whoever is at it.
          if (kept.tries === 0) await this.#write(record, kept, this.#now(), record.revision)
        }
      }
    } catch (error) {
      if (!AuthError.isInstance(error)) throw error
    }
  }

  /** Looks once at all that is due, and has what is settled resumed. Several processes may at once. */
  async look(queue: string, statusOf: At, onSettled: OnSettled): Promise<WatchReport> {
    const taken: StoreRecord[] = []
    for await (const record of this.#due()) taken.push(record)
    const ours = taken.filter((record) => decode(record).queue === queue)
    // A store that gives each to one process must have the others' back.
    const others = taken.filter((record) => !ours.includes(record))
    for (const one of others) await this.#write(one, decode(one), one.due ?? 0, one.revision)
    const report = { resumed: 0, failed: [] as { registration: string; error: unknown }[] }
    while (ours.length > 0) {
      await Promise.all(
        ours.splice(0, takenAtOnce).map(async (record) => {
          const said = await this.#one(record, statusOf, onSettled).catch((error: unknown) =>
            this.#unread(record, error),
          )
          if (said === 'resumed') report.resumed++
          else if (said) report.failed.push(said)
        }),
      )
    }
    return report
  }

  async #one(record: StoreRecord, statusOf: At, onSettled: OnSettled) {
    const kept = decode(record)
    const { owner, registrations, queue, at, since, tries } = kept
    const age = this.#now() - since
    const found = await Promise.all(
      registrations.map(async ({ id, status }) => {
        return { id, before: status, status: await statusOf(owner, id) }
      }),
    )
    const known = found.filter(({ status }) => status !== undefined)
    const settled = known.find(({ status, before }) => {
      // What was in doubt already when it paused waits for somebody to clear that up.
      if (status === 'uncertain') return before !== 'uncertain'
      return status !== 'needs_person' && status !== 'pending'
    })
    if (settled?.status === undefined) {
      if (known.length === 0) await this.#delete(record, record.revision)
      else {
        const next = this.#now() + Math.min(Math.max(age / 4, minuteMs), hourMs)
        await this.#write(record, kept, next, record.revision)
      }
      return undefined
    }
    const mine = { ...kept, tries: tries + 1 }
    let revision = await this.#write(record, mine, this.#now() + holdMs, record.revision)
    if (revision === undefined) return undefined
    let writing = Promise.resolve()
    const held = setInterval(() => {
      writing = writing.then(async () => {
        if (revision === undefined) return
        revision = await this.#write(record, mine, this.#now() + holdMs, revision).catch(
          () => revision,
        )
      })
    }, againMs)
    const registration = settled.id
    const told = { owner, registration, status: settled.status, queue, at }
    const [said] = await Promise.allSettled([(async () => onSettled(told))()])
    clearInterval(held)
    await writing
    // It has paused anew meanwhile, or another process took this one for dead.
    if (revision === undefined)
      return said.status === 'fulfilled' ? ('resumed' as const) : undefined
    if (said.status === 'rejected') {
      const wait = Math.min(2 ** tries * (minuteMs / 2), hourMs)
      await this.#write(record, mine, this.#now() + wait, revision)
      return { registration, error: said.reason as unknown }
    }
    const pausing = said.value === 'gone' && age < pausingMs
    if (pausing) await this.#write(record, kept, this.#now() + minuteMs / 4, revision)
    else await this.#delete(record, revision)
    return said.value === 'gone' ? undefined : ('resumed' as const)
  }

  /** One that cannot be looked at must not keep the others from going on. */
  async #unread(record: StoreRecord, error: unknown) {
    const kept = decode(record)
    await this.#write(record, kept, this.#now() + minuteMs, record.revision).catch(() => undefined)
    return { registration: kept.registrations[0]?.id ?? '', error }
  }

  /** Those that are due: where the store can, those that no other process is at. */
  async *#due(): AsyncGenerator<StoreRecord> {
    const query = { kind: 'waiter', dueBy: this.#now() } as const
    if (this.#store.takeDue === undefined) {
      for await (const { records } of pagesOf(this.#store, query)) yield* records
      return
    }
    for (;;) {
      const limit = takenAtOnce
      const { records, damaged } = await this.#store.takeDue({ ...query, limit }, holdMs)
      if (records.length + damaged.length === 0) return
      yield* records
    }
  }

  /** The new revision; undefined where somebody else was first. */
  async #write(
    { kind, owner, id }: RecordRef,
    kept: Kept,
    due: number,
    expected: number,
  ): Promise<number | undefined> {
    const record = { kind, owner, id, value: JSON.stringify(kept), due: Math.round(due) }
    return this.#store.put(record, expected).catch(unlessConflict)
  }

  async #delete({ kind, owner, id }: RecordRef, expected: number): Promise<void> {
    await this.#store.delete({ kind, owner, id }, expected).catch(unlessConflict)
  }
}

function decode({ value }: StoreRecord): Kept {
  return JSON.parse(value) as Kept
}

function unlessConflict(error: unknown): undefined {
  if (!isConflict(error)) throw error
}
