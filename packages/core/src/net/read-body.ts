import { AuthError } from '../errors.ts'
import { orAborted } from './abort.ts'

/** Reads a body to its end, at most `maxBytes` of it. Throws `response_too_large`, or what the stream throws. */
export async function readBody(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  // An answer to HEAD declares a length and has no body.
  const declared = response.body === null ? 0 : Number(response.headers.get('content-length'))
  if (declared > maxBytes) {
    response.body?.cancel().catch(() => {})
    throw tooLarge(maxBytes)
  }
  const { bytes, truncated } = await readStart(response, maxBytes, signal)
  if (truncated) throw tooLarge(maxBytes)
  return bytes
}

/** Reads the first `maxBytes` of a body and says whether there was more. */
export async function readStart(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; truncated: boolean }> {
  if (response.body === null) return { bytes: new Uint8Array(), truncated: false }
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await orAborted(signal, reader.read())
      if (done) return { bytes: join(chunks, size), truncated: false }
      chunks.push(value)
      size += value.byteLength
      if (size <= maxBytes) continue
      reader.cancel().catch(() => {})
      return { bytes: join(chunks, size).subarray(0, maxBytes), truncated: true }
    }
  } catch (error) {
    reader.cancel().catch(() => {})
    throw error
  }
}

/**
 * Bytes to text: UTF-16 where a byte order mark says so, else UTF-8 with what is invalid replaced.
 * The `charset` parameter is not consulted: the formats that we read are UTF-8 by definition.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return new TextDecoder().decode(bytes)
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

function tooLarge(maxBytes: number): AuthError {
  return new AuthError('response_too_large', `answer is larger than ${maxBytes} bytes`, {
    details: { maxBytes },
  })
}
