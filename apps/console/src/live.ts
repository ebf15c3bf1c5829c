import type { Owner } from '@authmd/core'

const everyMs = 3_000
/** However much happens, nobody looks more often. */
const atMostEveryMs = 250
/** A line that says nothing, so that nothing in between takes the silence for an end. */
const quietMs = 15_000
const maxStreams = 200
/** One person's pages leave room for those of others. */
const maxEach = 20

/** One open page. */
interface Stream {
  /** Whose page it is. */
  readonly of: string
  readonly watches: (owner: Owner) => boolean
  /** Something happened since it last looked. */
  woken: boolean
  wake: () => void
}

/** Tells open pages that there is something new. What it is they ask for themselves. */
export class Streams {
  readonly #open = new Set<Stream>()

  /** Something happened to an owner: whoever watches it looks now, and not only at the next turn. */
  poke(owner: Owner): void {
    for (const one of this.#open) {
      if (!one.watches(owner)) continue
      one.woken = true
      one.wake()
    }
  }

  /**
   * Server-sent events with the version of what a person sees, each time it is another one, until the browser leaves or
   * there is no version any more: the session has ended.
   */
  answer(
    signal: AbortSignal,
    of: string,
    version: () => Promise<string | undefined>,
    watches: (owner: Owner) => boolean,
  ): Response {
    const own = [...this.#open].filter((one) => one.of === of).length
    if (own >= maxEach || this.#open.size >= maxStreams) return new Response(null, { status: 503 })
    const left = new AbortController()
    const encoder = new TextEncoder()
    const stream: Stream = { of, watches, woken: false, wake: () => {} }
    const lines = this.#lines(AbortSignal.any([signal, left.signal]), version, stream)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await lines.next()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      async cancel() {
        left.abort()
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
    stream: Stream,
  ): AsyncGenerator<string, void> {
    this.#open.add(stream)
    let said: string | undefined
    let quietSince = Date.now()
    try {
      while (!signal.aborted) {
        stream.woken = false
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
        await sleep(signal, atMostEveryMs)
        if (!stream.woken) {
          await sleep(signal, everyMs, (wake) => {
            stream.wake = wake
          })
        }
      }
    } finally {
      this.#open.delete(stream)
    }
  }
}

function sleep(
  signal: AbortSignal,
  ms: number,
  wakes: (wake: () => void) => void = () => {},
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    wakes(end)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}
