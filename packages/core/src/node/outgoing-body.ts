import { Readable } from 'node:stream'

/** A body that has come this far within this time is sent whole, with its length. */
const wholeBytes = 1024 * 1024
const wholeMs = 50

/**
 * The body of a request, whole if it is there at once, else as a stream. Many services refuse a body
 * without a length, and a `Request` does not tell its own. Where the caller set `content-length`, the
 * body always streams.
 */
export async function outgoingBody(request: Request): Promise<Buffer | Readable | null> {
  if (request.body === null) return null
  const reader = request.body.getReader()
  const early: Uint8Array[] = []
  let next = reader.read()
  if (!request.headers.has('content-length')) {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, wholeMs, 'late')
    })
    try {
      for (let size = 0; size <= wholeBytes; next = reader.read()) {
        const result = await Promise.race([next, late])
        if (result === 'late') break
        if (result.done) return Buffer.concat(early)
        early.push(result.value)
        size += result.value.byteLength
      }
    } finally {
      clearTimeout(timer)
    }
  }
  next.catch(() => {})
  const stream = Readable.from(rest(early, next, reader), { objectMode: false })
  // An upload that is given up must let go of its source, also before the first byte was asked for.
  return stream.once('close', () => reader.cancel().catch(() => {}))
}

async function* rest(
  early: readonly Uint8Array[],
  pending: Promise<ReadableStreamReadResult<Uint8Array>>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* early
  for (let result = await pending; !result.done; result = await reader.read()) yield result.value
}
