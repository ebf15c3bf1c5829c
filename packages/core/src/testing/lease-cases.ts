import type { Lease } from '../vault/store.ts'
import { rejects, same } from './expect.ts'
import { randomName, type StoreCase } from './store-case.ts'

const hourMs = 3_600_000
const shortMs = 100

/** What {@link Store.lease} promises. */
export const leaseCases: readonly StoreCase[] = [
  {
    name: 'a lease is held by one, whoever asks how',
    async run({ open }) {
      const stores = [await open(), await open()]
      const name = randomName()
      const tries = await Promise.all(
        Array.from({ length: 20 }, (_, i) => stores[i % 2]!.lease(name, hourMs)),
      )
      const held = tries.filter((one) => one !== undefined)
      same(held.length, 1, 'leases given')
      same((await stores[0]!.lease(`${name}-2`, hourMs)) === undefined, false, 'another name')
    },
  },
  {
    name: 'a lease that is given back is free, and the next token is greater',
    async run({ open }) {
      const [one, other] = [await open(), await open()]
      const name = randomName()
      const first = await held(one.lease(name, hourMs))
      same(await other.lease(name, hourMs), undefined, 'a lease that is held')
      await first.release()
      const second = await held(other.lease(name, hourMs))
      same(second.token > first.token, true, 'a greater token')
      await first.release()
      same(await one.lease(name, hourMs), undefined, 'given back by who has lost it')
      await second.release()
      await second.release()
      same((await held(one.lease(name, hourMs))).token > second.token, true, 'greater again')
    },
  },
  {
    name: 'a holder that is gone is replaced when its time is over, and is fenced',
    async run({ open }) {
      const [one, other] = [await open(), await open()]
      const name = randomName()
      const lost = await held(one.lease(name, shortMs))
      const next = await until(() => other.lease(name, hourMs))
      same(next.token > lost.token, true, 'a greater token')
      await lost.release()
      same(await one.lease(name, hourMs), undefined, 'a late release frees nothing')
    },
  },
  {
    name: 'the clock of one process ends no lease of another',
    async run({ open, leasesEndBy }) {
      if (leasesEndBy === 'process') return
      const [one, other] = [await open(), await open()]
      const name = randomName()
      await held(one.lease(name, hourMs))
      const now = Date.now
      Date.now = () => now() + 10 * hourMs
      try {
        same(await other.lease(name, hourMs), undefined, 'asked by a clock ten hours ahead')
        const early = await held(other.lease(`${name}-2`, hourMs))
        Date.now = () => now() - 10 * hourMs
        same(await one.lease(`${name}-2`, hourMs), undefined, 'asked by a clock ten hours late')
        await early.release()
      } finally {
        Date.now = now
      }
    },
  },
  {
    name: 'a lease says when it ends, by the clock of who asked',
    async run({ open }) {
      const store = await open()
      const before = Date.now()
      const { expires } = await held(store.lease(randomName(), hourMs))
      const slack = 60_000
      same(expires >= before + hourMs - slack, true, 'not too early')
      same(expires <= Date.now() + hourMs + slack, true, 'not too late')
    },
  },
  {
    name: 'any text may name a lease, within limits',
    async run({ open }) {
      const store = await open()
      const salt = randomName()
      for (const name of [`${salt} '"\\{}*\n`, `${salt}ä𐀀`, salt.repeat(46)]) {
        same((await held(store.lease(name, hourMs))).token >= 1, true, 'a token')
        same(await store.lease(name, hourMs), undefined, 'the same name')
      }
      await rejects(store.lease('', hourMs), 'invalid_input', 'no name')
      await rejects(store.lease('x'.repeat(1025), hourMs), 'invalid_input', 'a long name')
      for (const ms of [0, -1, 0.5, Number.NaN]) {
        await rejects(store.lease(salt, ms), 'invalid_input', `${ms} milliseconds`)
      }
    },
  },
]

async function held(asked: Promise<Lease | undefined>): Promise<Lease> {
  const lease = await asked
  if (lease === undefined) throw new Error('a free lease was not given')
  return lease
}

/** Asks until a lease is given; for ever, since a test runner has a limit of its own. */
async function until(ask: () => Promise<Lease | undefined>): Promise<Lease> {
  for (;;) {
    const lease = await ask()
    if (lease) return lease
    await new Promise((done) => setTimeout(done, shortMs / 4))
  }
}
