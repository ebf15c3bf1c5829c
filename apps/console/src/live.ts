import type { Owner } from '@authmd/core'

const everyMs = 3_000
/** However much happens, nobody looks more often. */
const atMostEveryMs = 250
/** A line that says nothing, so that nothing in between takes the silence for an end. */
const quietMs = 15_000
const maxStreams = 200

/** Tells open pages that there is something new. What it is they ask for themselves. */
export class Streams {
  readonly #asleep = new Map<() => void, (owner: Owner) => boolean>()
  #open = 0

  /** Something happened to an owner: whoever watches it looks now, and not only at the next turn. */
  poke(owner: Owner): void {
    for (const [wake, watches] of this.#asleep) if (watches(owner)) wake()
  }

  /**
   * Server-sent events with the version of what a person sees, each time it is another one, until the browser leaves or
   * there is no version any more: the session has ended.
   */
  answer(
    signal: AbortSignal,
    version: () => Promise<string | undefined>,
    watches: (owner: Owner) => boolean,
  ): Response {
    if (this.#open >= maxStreams) return new Response(null, { status: 503 })
    const stopped = new AbortController()
    const encoder = new TextEncoder()
    const lines = this.#lines(AbortSignal.any([signal, stopped.signal]), version, watches)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await lines.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        stopped.abort()
        await lines.return()
      },
    })
    return new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'x-accel-buffering': 'no',
      },
    })
  }

  async *#lines(
    signal: AbortSignal,
    version: () => Promise<string | undefined>,
    watches: (owner: Owner) => boolean,
  ): AsyncGenerator<string, void> {
    this.#open++
    let said: string | undefined
    let quietSince = Date.now()
    try {
      while (!signal.aborted) {
        const now = await version()
        if (now === undefined) return void (yield 'event: ended\ndata: session\n\n')
        if (now !== said) {
          said = now
          quietSince = Date.now()
          yield `data: ${now}\n\n`
        } else if (Date.now() - quietSince >= quietMs) {
          quietSince = Date.now()
          yield ': still here\n\n'
        }
        await this.#sleep(signal, atMostEveryMs, () => false)
        await this.#sleep(signal, everyMs, watches)
      }
    } finally {
      this.#open--
    }
  }

  #sleep(signal: AbortSignal, ms: number, watches: (owner: Owner) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#asleep.delete(end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#asleep.set(end, watches)
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    })
  }
}
