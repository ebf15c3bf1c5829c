import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentAuth, Owner, RecordKind } from '../../packages/core/src/node/main.ts'
import { allowLoopback, createAgentAuth } from '../../packages/core/src/node/main.ts'
import {
  type Fault,
  personAt,
  personAtOAuth,
  type Sandbox,
} from '../../packages/sandbox/src/index.ts'
import type { BadNetwork } from './bad-network.ts'
import {
  doubleRegistrations,
  type Expiry,
  expiryOf,
  failures,
  lostRegistrations,
  lostUpdates,
  quantile,
  refreshesPerExpiry,
  reused,
  wrongCalls,
} from './counting.ts'
import { Worker } from './fleet.ts'
import type { Call } from './orders.ts'
import type { OwnServer } from './servers.ts'
import { openStore, type Place, type Write, writeOf } from './stores.ts'

const processes = 4
const hour = 3_600_000
const ada = 'ada@operator.test'

/** How much is done. */
export interface Size {
  /** Calls at once in each process, where the cost is measured. */
  readonly calls: number
  /** The same where something is made to go wrong. */
  readonly callsInFault: number
  /** How often each fault comes. */
  readonly rounds: number
  /** How much of its time a lease lasts where a worker is killed. */
  readonly leaseShare: number
  /** Until a call is given up. */
  readonly seconds: number
  /** Owners that are registered. */
  readonly owners: number
}

/** What one store came to. */
export interface Result {
  readonly refreshesPerExpiry: number
  readonly lostUpdates: number
  readonly doubleRegistrations: number
  readonly failedCalls: number
  readonly p50AddedMs: number
  readonly p99AddedMs: number
}

/** A credential whose token ends, and how its service renews it. */
interface Held {
  readonly owner: Owner
  readonly credential: string
  readonly path: string
  /** Where a refresh is granted, as faults and the log call it. */
  readonly endpoint: string
  /** Its answer may be lost: asking once more gets another one. A rotating refresh token is spent by then. */
  readonly losable: boolean
}

/** What stands around one store while it is soaked. */
export interface Surroundings {
  /** The worker's, bundled. */
  readonly program: string
  /** As the workers see it, and as it is. */
  readonly place: Place
  readonly direct: Place
  readonly sandbox: Sandbox
  /** Absent for the file store, which has none. */
  readonly server?: OwnServer
  readonly network?: BadNetwork
  readonly size: Size
  readonly say: (line: string) => void
}

type Disturb = (held: Held) => Promise<void>

export class Soak {
  readonly #around: Surroundings
  readonly #workers: Worker[] = []
  readonly #writes: Write[] = []
  readonly #lastWriter = new Map<string, Worker>()
  readonly #expiries: Expiry[] = []
  readonly #calls: Call[] = []
  readonly #wrong: string[] = []
  readonly #lost = new Set<string>()
  readonly #fresh: Call[] = []
  readonly #renewed: Call[] = []
  #held: readonly Held[] = []
  #double = 0
  #killed = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** What is wrong, one line each. */
  get wrong(): readonly string[] {
    return [...this.#wrong, ...this.#lost]
  }

  /** What a use costs with a fresh token, and with one that has just ended; nothing else goes wrong. */
  async measure(): Promise<void> {
    const { calls } = this.#around.size
    this.#held = await this.#begin()
    await Promise.all(Array.from({ length: processes }, () => this.#start()))
    for (const one of this.#held) {
      // The first calls of a process cost more than all that follow.
      await this.#wave('warm', one, { expired: false, calls: Math.ceil(calls / 10) })
      this.#fresh.push(...(await this.#wave('fresh', one, { expired: false, calls })))
    }
    for (const one of this.#held)
      this.#renewed.push(...(await this.#wave('expired', one, { calls })))
  }

  /** Everything that can go wrong, once each round. */
  async disturb(): Promise<void> {
    const { server, size } = this.#around
    this.#count(true)
    for (let round = 0; round < size.rounds; round++) {
      for (const one of this.#held) {
        await this.#wave('token endpoint fails half of the time', one, { disturb: this.#flaky })
      }
      for (const [what, one, disturb] of this.#disturbances(round)) {
        // Where a holder may be lost with its lease, the rest waits until that ends.
        const leaseShare = /killed before|killed with its|any moment|cut/.test(what)
          ? size.leaseShare
          : 1
        await this.#wave(what, one, { leaseShare, disturb })
        if (server) await this.#look()
      }
    }
    await this.#register()
    this.#count(false)
    await this.#look()
    await this.#lookAtCounters()
    const used = reused(this.#around.sandbox.log)
    if (used > 0) this.#wrong.push(`${used} refresh tokens were used again`)
    for (const { what, granted, lost } of this.#expiries) {
      if (granted - lost !== 1) this.#wrong.push(`${what}: ${granted} granted, ${lost} lost`)
    }
  }

  get result(): Result {
    const added = (share: number) =>
      Math.round(quantile(this.#renewed.map(ms), share) - quantile(this.#fresh.map(ms), share))
    return {
      refreshesPerExpiry: refreshesPerExpiry(this.#expiries),
      lostUpdates: this.#lost.size,
      doubleRegistrations: this.#double,
      failedCalls: this.#calls.reduce((sum, { failed }) => sum + failed.length, 0),
      p50AddedMs: added(0.5),
      p99AddedMs: added(0.99),
    }
  }

  stop(): void {
    for (const worker of this.#workers) worker.kill()
  }

  /** One credential of each way of renewing, got before anything goes wrong. */
  async #begin(): Promise<readonly [Held, Held]> {
    const { sandbox, direct } = this.#around
    const { store, close } = await openStore(direct, (write) => this.#writes.push(write))
    const clock = () => sandbox.clock.now()
    const auth: AgentAuth = createAgentAuth({
      store,
      [allowLoopback]: true,
      clock,
      identity: () => ({ email: ada }),
      policy: { rules: [{ decide: 'allow', when: { verb: 'register' } }] },
    })
    const owner = { tenant: 'acme', user: 'kim' }
    const other = { tenant: 'acme', user: 'lee' }
    const [site] = sandbox.authMd
    const begun = await auth.as(owner).register({ service: site.api, method: 'agent-auth' })
    if (begun.status !== 'needs_person') throw new Error(`not begun: ${JSON.stringify(begun)}`)
    const read = await personAt(site, ada).readCode(begun.need.url ?? '')
    const claimed = await auth.people.answer(
      begun.registration ?? '',
      { code: read },
      { approver: ada },
    )
    if (!('status' in claimed) || claimed.status !== 'ready') {
      throw new Error(`not claimed: ${JSON.stringify(claimed)}`)
    }
    const service = sandbox.oauth[0].api
    const asked = await auth.as(other).register({ service, method: 'oauth-device' })
    if (asked.status !== 'needs_person') throw new Error(`not asked: ${JSON.stringify(asked)}`)
    const { url = '', code = '' } = asked.need
    await personAtOAuth(ada).connect(url, code)
    sandbox.clock.advance(6_000)
    const given = await auth.as(other).claim({ registration: asked.registration ?? '' })
    if (given.status !== 'ready') throw new Error(`not given: ${JSON.stringify(given)}`)
    await close()
    return [
      {
        owner,
        credential: claimed.credential.handle,
        path: '/api/resource',
        endpoint: 'agent_token',
        losable: true,
      },
      {
        owner: other,
        credential: given.credential.handle,
        path: '/v1/me',
        endpoint: 'oauth_token',
        losable: false,
      },
    ]
  }

  async #start(): Promise<Worker> {
    const { program, place } = this.#around
    const worker = new Worker(program, place, {
      acknowledged: (write, by) => {
        this.#writes.push(write)
        this.#lastWriter.set(write.record, by)
      },
      wrong: (what) => this.#wrong.push(what),
    })
    this.#workers.push(worker)
    await worker.ready
    return worker
  }

  /** All processes use one credential at once, whose token has just ended. */
  async #wave(
    what: string,
    held: Held,
    {
      expired = true,
      leaseShare = 1,
      calls: each = this.#around.size.callsInFault,
      disturb,
    }: { expired?: boolean; leaseShare?: number; calls?: number; disturb?: Disturb } = {},
  ): Promise<readonly Call[]> {
    const { sandbox, say } = this.#around
    if (expired) sandbox.clock.advance(hour)
    const from = sandbox.ledger.length
    const killed = this.#killed
    const began = performance.now()
    this.#working = []
    this.#leaseShare = leaseShare
    this.#each = each
    for (const worker of this.#alive()) this.#use(worker, held)
    await disturb?.(held)
    // One that is started meanwhile is waited for too.
    const calls: Call[] = []
    for (let at = 0; at < this.#working.length; at++)
      calls.push(...((await this.#working[at]) ?? []))
    sandbox.faults.clear()
    this.#judge(what, calls, ['answered'])
    const expiry = expiryOf(`${held.endpoint}, ${what}`, sandbox.ledger, sandbox.log, {
      endpoint: held.endpoint,
      from,
      killed: this.#killed - killed,
    })
    if (expired) this.#expiries.push(expiry)
    const failed = [...failures(calls)].map(([code, count]) => `${count} ${code}`).join(', ')
    const times = [0.5, 0.99].map((share) => Math.round(quantile(calls.map(ms), share)))
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    say(
      `${held.endpoint}, ${what}: ${calls.length} calls in ${seconds} s, ${expiry.granted} granted (${expiry.lost} lost), ` +
        `p50 ${times[0]} ms, p99 ${times[1]} ms${failed && `, failed: ${failed}`}`,
    )
    return calls
  }

  #working: Promise<readonly Call[]>[] = []
  #leaseShare = 1
  #each = 1

  #use(worker: Worker, { owner, credential, path }: Held): void {
    const { sandbox, size } = this.#around
    const offset = sandbox.clock.now() - Date.now()
    const { seconds } = size
    const calls = this.#each
    const leaseShare = this.#leaseShare
    this.#working.push(
      worker.work({ do: 'use', offset, owner, credential, path, calls, seconds, leaseShare }),
    )
  }

  #judge(what: string, calls: readonly Call[], right: readonly string[]): void {
    this.#calls.push(...calls)
    const wrong = new Map<string, number>()
    for (const one of wrongCalls(calls, right)) wrong.set(one, (wrong.get(one) ?? 0) + 1)
    for (const [code, count] of wrong)
      this.#wrong.push(`${what}: ${count} calls ended with ${code}`)
  }

  #alive(): readonly Worker[] {
    return this.#workers.filter((one) => one.alive)
  }

  #count(on: boolean): void {
    for (const worker of this.#alive()) worker.count(on)
  }

  /** Each with the credential that it may befall. */
  #disturbances(round: number): readonly (readonly [string, Held, Disturb])[] {
    const [rotating, oauth] = this.#held as readonly [Held, Held]
    const one = round % 2 === 0 ? rotating : oauth
    const other = round % 2 === 0 ? oauth : rotating
    const killed = [
      ['worker killed before its refresh is granted', other, this.#killWorker('before')],
      ['worker killed with its refresh granted', rotating, this.#killWorker('after')],
    ] as const
    if (!this.#around.server) return killed
    return [
      ...killed,
      ['store killed before a refresh is granted', one, this.#killStore('before')],
      ['store killed with a refresh granted', oauth, this.#killStore('after')],
      ['store killed at any moment', rotating, this.#killStoreSometime],
      ['store paused with a refresh granted', other, this.#pauseStore],
      ['store slow', one, this.#slowStore],
      ['connections to the store cut', oauth, this.#cutStore],
    ]
  }

  /** About every second request to the token endpoint fails, in one way or another. */
  readonly #flaky: Disturb = async ({ endpoint, losable }) => {
    const { faults } = this.#around.sandbox
    const bad: readonly Omit<Fault, 'name'>[] = [
      { status: 503 },
      { status: 429, headers: { 'retry-after': '1' } },
      { status: 200, body: 'not what was asked for' },
      { cut: 'before' },
      ...(losable ? ([{ cut: 'after' }] as const) : []),
    ]
    const arm = () => {
      if (Math.random() < 0.5) return
      const fault = bad[Math.floor(Math.random() * bad.length)] ?? { status: 503 }
      faults.add({ ...fault, name: endpoint, times: 1 })
    }
    // Where it is held, it decides about the next one.
    faults.add({ name: endpoint, hold: 'before', onHold: arm })
    faults.add({ name: endpoint, status: 503, times: 1 })
  }

  #killWorker(when: 'before' | 'after'): Disturb {
    return async (held) => {
      const { sandbox } = this.#around
      const fault = sandbox.faults.add({ name: held.endpoint, hold: when, cut: when, times: 1 })
      if (!(await this.#met(fault.whenHeld()))) return
      const holder = this.#writerOf(held)
      holder?.kill()
      this.#killed++
      await sleep(50)
      fault.release()
      const worker = await this.#start()
      worker.count(true)
      this.#use(worker, held)
    }
  }

  /** Who wrote last to a credential that nobody can use: who renews it. */
  #writerOf({ credential }: Held): Worker | undefined {
    const records = [...this.#lastWriter].filter(([record]) => record.endsWith(`/${credential}`))
    const alive = records.map(([, worker]) => worker).filter((worker) => worker.alive)
    return alive[0] ?? this.#alive()[0]
  }

  /** Whether what a fault waits for came before all calls were done. */
  async #met(happened: Promise<unknown>): Promise<boolean> {
    const done = Promise.all(this.#working).then(() => false)
    const met = await Promise.race([happened.then(() => true), done])
    if (!met) this.#wrong.push('no request met the fault that was to meet one')
    return met
  }

  #killStore(when: 'before' | 'after'): Disturb {
    return async ({ endpoint }) => {
      const { sandbox, server } = this.#around
      const fault = sandbox.faults.add({ name: endpoint, hold: when, times: 1 })
      if (!(await this.#met(fault.whenHeld()))) return
      server?.kill()
      fault.release()
      await sleep(1_000)
      await server?.up()
    }
  }

  readonly #killStoreSometime: Disturb = async () => {
    const { server } = this.#around
    for (let times = 0; times < 2; times++) {
      await sleep(Math.random() * 1_000)
      server?.kill()
      await sleep(Math.random() * 300)
      await server?.up()
    }
  }

  readonly #pauseStore: Disturb = async ({ endpoint }) => {
    const { sandbox, server } = this.#around
    const fault = sandbox.faults.add({ name: endpoint, hold: 'after', times: 1 })
    if (!(await this.#met(fault.whenHeld()))) return
    server?.pause()
    fault.release()
    await sleep(1_500)
    server?.resume()
  }

  readonly #slowStore: Disturb = async () => {
    const { network } = this.#around
    if (network) network.delayMs = 20
    await Promise.all(this.#working)
    if (network) network.delayMs = 0
  }

  readonly #cutStore: Disturb = async () => {
    const { network } = this.#around
    for (let times = 0; times < 8; times++) {
      await sleep(50 + Math.random() * 200)
      if (times % 2 === 0) network?.dropReplies(3)
      else network?.cut()
    }
    network?.dropReplies(0)
  }

  /** Every process registers every owner at once; one of them is killed, and so is the store. */
  async #register(): Promise<void> {
    const { sandbox, server, size, direct } = this.#around
    const from = sandbox.ledger.length
    const owners = Array.from({ length: size.owners }, (_, at) => ({
      tenant: 'many',
      user: `u${at}`,
    }))
    const order = {
      do: 'register',
      offset: sandbox.clock.now() - Date.now(),
      owners,
      service: sandbox.authMd[0].api,
      method: 'agent-auth',
      seconds: size.seconds,
    } as const
    const working = this.#alive().map((worker) => worker.work(order))
    const faults = Math.max(1, Math.floor(size.owners / 8))
    sandbox.faults.add({ name: 'agent_register', delay: 300, times: faults, when: 'after' })
    await sleep(300)
    this.#alive()[0]?.kill()
    if (server) {
      server.kill()
      await sleep(200)
      await server.up()
    }
    const worker = await this.#start()
    worker.count(true)
    working.push(worker.work(order))
    const calls = (await Promise.all(working)).flat()
    sandbox.faults.clear()
    this.#judge('registering', calls, ['ready', 'uncertain', 'needs_consent'])
    const made = sandbox.ledger.slice(from).filter(({ kind }) => kind === 'identity_assertion')
    const known = new Map(sandbox.ledger.map(({ value, account }) => [value, account]))
    const { store, close } = await openStore(direct, () => undefined)
    const all = async (kind: RecordKind) => {
      const found: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await store.list({ kind, ...(after ? { after } : {}) })
        found.push(...page.records.map(({ value }) => value))
        if (page.next === undefined) return found
        after = page.next
      }
    }
    const credentials = (await all('credential')).map((text) => JSON.parse(text))
    const registrations = (await all('registration')).map((text) => JSON.parse(text))
    await close()
    const ours = ({ owner }: { owner: Owner }) => owner.tenant === 'many'
    const registered = {
      owners: owners.length,
      made: [...new Set(made.map(({ account }) => account))],
      held: credentials.filter(ours).map(({ secret }) => known.get(secret) ?? 'unknown'),
      doubted: registrations.filter(ours).flatMap(({ orphans }) => orphans).length,
    }
    this.#double += doubleRegistrations(registered)
    const lost = lostRegistrations(registered)
    if (lost > 0) this.#wrong.push(`${lost} registrations are lost`)
    this.#around.say(
      `registering: ${owners.length} owners, ${registered.made.length} made, ` +
        `${registered.held.length} held, ${registered.doubted} in doubt`,
    )
  }

  /** Holds what was acknowledged until now against what the store has. */
  async #look(): Promise<void> {
    const writes = [...this.#writes]
    const { raw, close } = await openStore(this.#around.direct, () => undefined)
    const names = [...new Set(writes.map(({ record }) => record))]
    const found = new Map<string, Write>()
    await Promise.all(
      names.map(async (name) => {
        const [kind = '', owner = '', id = ''] = name.split('/')
        const record = await raw.get({ kind: kind as RecordKind, owner, id })
        if (record) found.set(name, writeOf(record, record.revision, record.value))
      }),
    )
    await close()
    for (const one of lostUpdates(writes, (record) => found.get(record))) this.#lost.add(one)
  }

  /** Each counter was raised by one with each revision. */
  async #lookAtCounters(): Promise<void> {
    const { store, close } = await openStore(this.#around.direct, () => undefined)
    for (const id of ['counter-0', 'counter-1']) {
      const record = await store.get({ kind: 'meta', owner: 'soak', id })
      const counted = Number(record?.value ?? 0)
      this.#around.say(`${id}: ${counted}`)
      if (counted !== record?.revision) this.#lost.add(`${id} is ${counted} at ${record?.revision}`)
      if (counted === 0) this.#wrong.push(`${id} was never written`)
    }
    await close()
  }
}

function ms(call: Call): number {
  return call.ms
}
