// One process of the fleet. It does what it is told by messages, and writes down on stdout what the store has
// acknowledged before it does anything else.
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AuthError,
  allowLoopback,
  createAgentAuth,
  type Outcome,
  type Store,
} from '../../packages/core/src/node/main.ts'
import type { Call, Order, Report } from './orders.ts'
import { openStore, type Place } from './stores.ts'

const place = JSON.parse(process.argv[2] ?? '') as Place

let offset = 0
let leaseShare = 1
const { store } = await openStore(place, (write) => writeSync(1, `${JSON.stringify(write)}\n`))
const scaled: Store = { ...store, lease: (name, ms) => store.lease(name, ms * leaseShare) }
const auth = createAgentAuth({
  store: scaled,
  [allowLoopback]: true,
  clock: () => Date.now() + offset,
  // The soak is about stores, not about people.
  policy: { rules: [{ decide: 'allow', when: { verb: 'register' } }] },
})

/** Why a call failed, and whether the caller is told that it may make it again. */
interface Failure {
  readonly code: string
  readonly retryable: boolean
}

/** What is said to be passing, by its documentation. */
const passing = ['store_failed', 'store_conflict', 'refresh_failed']

function failureOf(error: unknown): Failure {
  if (!AuthError.isInstance(error)) return { code: `untyped: ${error}`, retryable: false }
  return { code: error.code, retryable: passing.includes(error.code) }
}

/** Makes a call until it is done; again where it may be, until the time is over. */
async function persist(
  call: () => Promise<Outcome>,
  done: (outcome: Outcome) => boolean,
  deadline: number,
): Promise<Call> {
  const began = performance.now()
  const failed: Failure[] = []
  for (;;) {
    let outcome: Outcome | undefined
    try {
      outcome = await call()
    } catch (error) {
      failed.push(failureOf(error))
    }
    const ms = performance.now() - began
    if (outcome) {
      if (done(outcome)) return { ms, failed, last: outcome.status }
      const code = 'code' in outcome ? outcome.code : outcome.status
      const unreachable = code === 'service_unreachable'
      const waits = outcome.status === 'pending'
      if (!waits) failed.push({ code, retryable: unreachable })
      if (!waits && !unreachable)
        return { ms, failed, last: code, detail: JSON.stringify(outcome).slice(0, 400) }
    } else if (failed.at(-1)?.retryable !== true) return { ms, failed, last: 'failed' }
    if (Date.now() > deadline) return { ms, failed, last: 'out of time' }
    await sleep(100 + Math.random() * 200)
  }
}

async function use({ owner, credential, path, calls, seconds }: Extract<Order, { do: 'use' }>) {
  const session = auth.as(owner)
  const until = Date.now() + seconds * 1_000
  const one = () =>
    persist(
      () => session.use({ credential, path }),
      (outcome) => outcome.status === 'answered' && outcome.answer.status === 200,
      until,
    )
  return Promise.all(Array.from({ length: calls }, one))
}

async function register({ owners, service, method, seconds }: Extract<Order, { do: 'register' }>) {
  const until = Date.now() + seconds * 1_000
  const ends = ['ready', 'uncertain', 'needs_consent']
  return Promise.all(
    owners.map((owner) =>
      persist(
        () => auth.as(owner).register({ service, method }),
        ({ status }) => ends.includes(status),
        until,
      ),
    ),
  )
}

let counting = false

/** Adds one to a number that all processes share, again and again: where an update is lost it is too small. */
async function count(id: string): Promise<void> {
  const ref = { kind: 'meta', owner: 'soak', id } as const
  while (counting) {
    try {
      const held = await store.get(ref)
      await store.put({ ...ref, value: `${Number(held?.value ?? 0) + 1}` }, held?.revision ?? 0)
    } catch (error) {
      if (!failureOf(error).retryable) send({ wrong: `a writer met ${failureOf(error).code}` })
    }
    await sleep(20 + Math.random() * 60)
  }
}

function send(report: Report): void {
  process.send?.(report)
}

process.on('message', async (order: Order) => {
  if (order.do === 'count') {
    counting = order.on
    if (counting) for (const id of ['counter-0', 'counter-1']) void count(id)
    return
  }
  offset = order.offset
  if (order.do === 'use') leaseShare = order.leaseShare
  const calls = order.do === 'use' ? await use(order) : await register(order)
  send({ id: order.id, calls })
})
process.on('disconnect', () => process.exit(0))
send({ up: true })
