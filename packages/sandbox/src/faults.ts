import { setTimeout as sleep } from 'node:timers/promises'
import type { LogEntry } from './log.ts'

/** Before the service has done anything, or after it has done everything but answer. */
export type When = 'before' | 'after'

export type BodyReplacement = 'empty' | 'html' | 'endless' | 'not-json'

/**
 * Something that goes wrong with the requests of one endpoint. Several actions can be combined;
 * at each of the two moments the order is `hold`, `delay`, `cut`, `status`.
 *
 * @example
 * sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 }) // the key exists, its answer is lost
 */
export interface Fault {
  /** An endpoint's name, or `*` for all. */
  name: string
  /** For how many requests; unlimited if absent. */
  times?: number
  /** Answer with this status in place of the service's answer, with `body` and `headers`. */
  status?: number
  /** Text, or anything else to be sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  /** Wait so many real milliseconds. */
  delay?: number
  /** When `status` and `delay` act; `before` if absent. */
  when?: When
  /** Destroy the socket. */
  cut?: When
  /** Keep the request waiting until it is released, or until `onHold` is done if that is given. */
  hold?: When
  /** Called with each request that is being held; what it returns is awaited. In-process only. */
  onHold?: (entry: LogEntry) => unknown
  /** Keep the service's status and headers, but send another body. */
  bodyReplace?: BodyReplacement
}

/** A fault in force, or one that has used up its `times`. */
export interface ActiveFault {
  readonly id: string
  readonly fault: Fault
  /** How many requests it has met. */
  readonly hits: number
  /** The requests it is holding at the moment. */
  readonly held: readonly LogEntry[]
  /** Resolves as soon as a request is being held, at once if one already is. */
  whenHeld(): Promise<LogEntry>
  /** Lets go of the requests it is holding. Later ones are held again. */
  release(): void
  /** Ends the fault and lets go of what it holds. */
  remove(): void
}

const fields = new Set(
  'name times status body headers delay when cut hold onHold bodyReplace'.split(' '),
)

/** The faults in force. Those added first act first. */
export class Faults {
  #active: FaultState[] = []
  #count = 0
  readonly #names = new Set<string>(['*'])

  /** Makes an endpoint's name known. */
  register(name: string): void {
    this.#names.add(name)
  }

  /** The names that faults can be given for. */
  get names(): readonly string[] {
    return [...this.#names]
  }

  /**
   * Puts a fault into force.
   * @throws TypeError for an unknown name, an unknown field or a fault that does nothing
   */
  add(fault: Fault): ActiveFault {
    this.#check(fault)
    this.#count += 1
    const state = new FaultState(`fault-${this.#count}`, fault, () => {
      this.#active = this.#active.filter((other) => other !== state)
    })
    this.#active.push(state)
    return state
  }

  list(): readonly ActiveFault[] {
    return [...this.#active]
  }

  /** Removes all faults and lets go of everything held. */
  clear(): void {
    for (const state of [...this.#active]) state.remove()
  }

  /** The faults that the request runs into; counts it against their `times`. */
  take(entry: LogEntry): Encounter {
    const met = this.#active.filter((state) => state.meets(entry.name))
    for (const state of met) state.hits += 1
    if (met.length > 0) entry.fault = met.map((state) => describe(state.fault)).join(',')
    return new Encounter(entry, met)
  }

  #check(fault: Fault): void {
    const fail = (why: string): never => {
      throw new TypeError(`fault ${JSON.stringify(fault)}: ${why}`)
    }
    if (typeof fault !== 'object' || fault === null) fail('is not an object')
    for (const key of Object.keys(fault)) if (!fields.has(key)) fail(`unknown field ${key}`)
    if (!this.#names.has(fault.name)) fail(`no such name; there are ${this.names.join(', ')}`)
    for (const when of [fault.when, fault.cut, fault.hold]) {
      if (when !== undefined && when !== 'before' && when !== 'after') fail('before or after?')
    }
    if (fault.times !== undefined && !(Number.isInteger(fault.times) && fault.times > 0)) {
      fail('times is a whole number from 1')
    }
    const { status, delay, bodyReplace, onHold } = fault
    if (onHold !== undefined && typeof onHold !== 'function') fail('onHold is a function')
    if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
      fail('status is 200 to 599')
    }
    if (delay !== undefined && !(Number.isFinite(delay) && delay >= 0)) fail('delay is in ms')
    if (bodyReplace !== undefined && !Object.hasOwn(replacements, bodyReplace)) {
      fail(`bodyReplace is one of ${Object.keys(replacements).join(', ')}`)
    }
    const actions = [status, delay, fault.cut, fault.hold, bodyReplace]
    if (actions.every((action) => action === undefined)) fail('does nothing')
  }
}

/** What one request has to go through. */
class Encounter {
  readonly #entry: LogEntry
  readonly #met: readonly FaultState[]

  constructor(entry: LogEntry, met: readonly FaultState[]) {
    this.#entry = entry
    this.#met = met
  }

  /** Acts out one moment. Gives the answer to send in place of the service's, if any. */
  async at(moment: When): Promise<Response | 'cut' | undefined> {
    for (const state of this.#met) {
      const { fault } = state
      if (fault.hold === moment) await state.hold(this.#entry)
      const now = (fault.when ?? 'before') === moment
      if (now && fault.delay !== undefined) await sleep(fault.delay)
      if (fault.cut === moment) return 'cut'
      if (now && fault.status !== undefined) return answer(fault.status, fault)
    }
    return undefined
  }

  replaceBody(response: Response): Response {
    const kind = this.#met.find((state) => state.fault.bodyReplace)?.fault.bodyReplace
    return kind === undefined ? response : replacements[kind](response)
  }
}

class FaultState implements ActiveFault {
  readonly id: string
  readonly fault: Fault
  hits = 0
  #held: { entry: LogEntry; letGo: () => void }[] = []
  #waiting: ((entry: LogEntry) => void)[] = []
  readonly #onRemove: () => void

  constructor(id: string, fault: Fault, onRemove: () => void) {
    this.id = id
    this.fault = fault
    this.#onRemove = onRemove
  }

  get held(): readonly LogEntry[] {
    return this.#held.map((held) => held.entry)
  }

  meets(name: string): boolean {
    const { fault } = this
    return (fault.name === '*' || fault.name === name) && this.hits < (fault.times ?? Infinity)
  }

  async hold(entry: LogEntry): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const held = { entry, letGo: resolve }
    this.#held.push(held)
    for (const tell of this.#waiting.splice(0)) tell(entry)
    const { onHold } = this.fault
    if (onHold) {
      const letGo = () => resolve()
      new Promise((done) => done(onHold(entry))).then(letGo, letGo)
    }
    await promise
    this.#held = this.#held.filter((other) => other !== held)
  }

  whenHeld(): Promise<LogEntry> {
    const [first] = this.#held
    if (first) return Promise.resolve(first.entry)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    for (const held of this.#held.splice(0)) held.letGo()
  }

  remove(): void {
    this.#onRemove()
    this.release()
  }
}

function describe({ delay, when = 'before', status, cut, hold, bodyReplace }: Fault): string {
  const parts: string[] = []
  if (hold) parts.push(`hold:${hold}`)
  if (delay !== undefined) parts.push(`delay:${when}`)
  if (cut) parts.push(`cut:${cut}`)
  if (status !== undefined) parts.push(`status:${status}:${when}`)
  if (bodyReplace) parts.push(`body:${bodyReplace}`)
  return parts.join(',')
}

function answer(status: number, { body, headers }: Fault): Response {
  const text = typeof body === 'string' || body === undefined ? (body ?? '') : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  const all = new Headers(headers)
  if (!all.has('content-type')) all.set('content-type', type)
  // A 204, 205 or 304 must not have a body, not even an empty one.
  return new Response(text === '' ? null : text, { status, headers: all })
}

const replacements: Record<BodyReplacement, (response: Response) => Response> = {
  empty: (response) => withBody(response, null),
  html: (response) =>
    withBody(response, '<!doctype html><title>Please wait</title><p>One moment …</p>', 'text/html'),
  'not-json': (response) => withBody(response, '{"data":{"unfinished":'),
  endless: (response) => withBody(response, endless()),
}

function withBody(
  response: Response,
  body: string | ReadableStream | null,
  type?: string,
): Response {
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  if (type) headers.set('content-type', type)
  return new Response(body, { status: response.status, headers })
}

/** Begins like a JSON answer and never ends; it makes no more than the client reads. */
function endless(): ReadableStream {
  const start = new TextEncoder().encode('{"data":"')
  const more = new TextEncoder().encode('again and '.repeat(1600))
  let begun = false
  return new ReadableStream({
    async pull(controller) {
      // Without a pause a client in the same process would never get its turn.
      await sleep(1)
      controller.enqueue(begun ? more : start)
      begun = true
    },
  })
}
