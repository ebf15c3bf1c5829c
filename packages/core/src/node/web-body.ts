import type { Readable } from 'node:stream'

/**
 * A Node stream as the body of a `Response`. `Readable.toWeb` is not used: data that arrives in the
 * turn in which the reader cancels makes it throw where nobody can catch.
 */
export function webBody(body: Readable): ReadableStream<Uint8Array<ArrayBuffer>> {
  body.on('error', () => {})
  const chunks: AsyncIterator<Buffer<ArrayBuffer>> = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done === true) return controller.close()
      controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    },
    cancel() {
      body.destroy()
    },
  })
}
