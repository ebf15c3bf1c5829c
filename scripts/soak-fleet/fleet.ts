import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Call, Order, Report } from './orders.ts'
import type { Place, Write } from './stores.ts'

type Unnumbered<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never
type Work = Unnumbered<Order>

/** One worker's process. `program`: what `worker.ts` was bundled to. */
export class Worker {
  readonly ready: Promise<void>
  readonly #process: ChildProcess
  readonly #running = new Map<number, (calls: readonly Call[]) => void>()
  #count = 0

  constructor(program: string, place: Place, told: Told) {
    const args = ['--enable-source-maps', program, JSON.stringify(place)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    this.#process = child
    if (child.stdout) {
      createInterface(child.stdout).on('line', (line) => {
        told.acknowledged(JSON.parse(line) as Write, this)
      })
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    child.on('message', (report: Report) => {
      if ('up' in report) resolve()
      else if ('wrong' in report) told.wrong(report.wrong)
      else this.#running.get(report.id)?.(report.calls)
    })
    child.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) told.wrong(`a worker ended with ${code ?? signal}`)
      reject(new Error('a worker did not start'))
      // What a killed one was doing nobody hears of.
      for (const done of this.#running.values()) done([])
    })
    this.ready.catch(() => undefined)
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** All calls of an order as they ended; none where the worker was killed. */
  work(order: Work): Promise<readonly Call[]> {
    const id = this.#count++
    const { promise, resolve } = Promise.withResolvers<readonly Call[]>()
    this.#running.set(id, resolve)
    if (this.alive) this.#process.send({ ...order, id })
    else resolve([])
    return promise.finally(() => this.#running.delete(id))
  }

  count(on: boolean): void {
    if (this.alive) this.#process.send({ do: 'count', on } satisfies Order)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Who hears what workers say. */
export interface Told {
  acknowledged(write: Write, by: Worker): void
  wrong(what: string): void
}
