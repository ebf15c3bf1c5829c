import { AuthError } from '@authmd/core'
import type { GuardedAnswer, GuardedFetch, GuardedRequest } from '@authmd/core/reading'
import type { Page } from './facts.ts'
import type { Asked } from './report.ts'

/** More addresses are not asked, whatever a document names. */
const maxAsked = 90
/** Requests to one host at a time. */
const perHost = 3

/**
 * Asks addresses, each once, and remembers all answers. It only reads: a request that is neither GET nor
 * HEAD, or that carries a body, is refused here, whoever makes it.
 */
export class Reader {
  readonly asked: Asked[] = []
  private readonly got = new Map<string, Promise<Page>>()
  private readonly running = new Map<string, { busy: number; queue: (() => void)[] }>()
  private readonly guarded: GuardedFetch
  private readonly start: string
  private readonly time: AbortSignal
  private readonly signal: AbortSignal | undefined

  constructor(
    guarded: GuardedFetch,
    start: string,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  ) {
    this.guarded = guarded
    this.start = start
    this.time = AbortSignal.timeout(timeoutMs)
    this.signal = signal
  }

  /** For core's discovery: what it asks is remembered here. */
  readonly fetch: GuardedFetch = async (request) => {
    const answer = this.send(request)
    if ((request.method ?? 'GET') === 'GET' && !this.got.has(request.url)) {
      const page = pageOf(request.url, answer)
      // Discovery itself says where the caller has aborted.
      page.catch(() => {})
      this.got.set(request.url, page)
    }
    return answer
  }

  /** What an address answers; never throws but where the caller aborts. */
  async get(url: string, accept = '*/*'): Promise<Page> {
    const known = this.got.get(url)
    if (known) return known
    if (this.isOver()) return { url, error: 'not_asked' }
    const page = pageOf(
      url,
      this.send({ url, start: this.start, redirects: 'checked', headers: { accept } }),
    )
    this.got.set(url, page)
    return page
  }

  /** Whether an address is there: HEAD, and GET where that is not understood. */
  async head(url: string): Promise<Page> {
    const known = this.got.get(url)
    if (known) return known
    if (this.isOver()) return { url, error: 'not_asked' }
    const request = { url, method: 'HEAD', start: this.start, redirects: 'checked' } as const
    const page = await pageOf(url, this.send(request))
    const status = page.answer?.status ?? 0
    const unsure = status >= 400 && ![401, 403, 429].includes(status)
    return unsure ? this.get(url) : page
  }

  /** What was answered so far, with GET. */
  async answered(): Promise<Page[]> {
    return Promise.all(this.got.values())
  }

  private isOver(): boolean {
    return this.asked.length >= maxAsked || this.time.aborted
  }

  private async send(request: GuardedRequest): Promise<GuardedAnswer> {
    const method = request.method ?? 'GET'
    if (!['GET', 'HEAD'].includes(method) || request.body !== undefined) {
      throw new AuthError('invalid_input', `a check only reads, and sends no ${method}`)
    }
    const index = this.asked.push({ url: request.url, method }) - 1
    const note = (more: Partial<Asked>): void => {
      this.asked[index] = { url: request.url, method, ...more }
    }
    const release = await this.turn(request.url)
    try {
      const signals = this.signal ? [this.time, this.signal] : [this.time]
      const answer = await this.guarded({ ...request, signal: AbortSignal.any(signals) })
      note({ status: answer.status, ...(answer.mediaType && { mediaType: answer.mediaType }) })
      return answer
    } catch (error) {
      const over = this.time.aborted && this.signal?.aborted !== true
      const known = over
        ? new AuthError('response_timeout', 'the time is over', { details: { over } })
        : error
      if (AuthError.isInstance(known)) note({ error: known.code })
      throw known
    } finally {
      release()
    }
  }

  private async turn(url: string): Promise<() => void> {
    const host = URL.parse(url)?.host ?? ''
    const slot = this.running.get(host) ?? { busy: 0, queue: [] }
    this.running.set(host, slot)
    if (slot.busy >= perHost) await new Promise<void>((resolve) => slot.queue.push(resolve))
    else slot.busy += 1
    return () => {
      const next = slot.queue.shift()
      if (next) next()
      else slot.busy -= 1
    }
  }
}

async function pageOf(url: string, answer: Promise<GuardedAnswer>): Promise<Page> {
  try {
    return { url, answer: await answer }
  } catch (error) {
    if (!AuthError.isInstance(error) || error.code === 'aborted') throw error
    return { url, error: error.details.over === true ? 'not_asked' : error.code }
  }
}
