import { pipeline, type Readable } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { AuthError } from '../errors.ts'

/** Each coding on top of another multiplies what a few bytes can grow to. */
const maxCodings = 2

/** The body with its content codings undone; as it came where one of them is unknown. */
export function decompressed(body: Readable, headers: Headers): Readable {
  if (headers.get('content-length') === '0') return body
  const codings = (headers.get('content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > maxCodings) {
    body.on('error', () => {}).destroy()
    throw new AuthError('response_malformed', `answer has ${codings.length} content codings`)
  }
  const decoders = codings.reverse().map(decoderOf)
  if (!decoders.every((decoder) => decoder !== undefined)) return body
  // An error is seen by whoever reads the last stream; `pipeline` only has to pass it on.
  return decoders.reduce<Readable>((from, decoder) => pipeline(from, decoder, () => {}), body)
}

function decoderOf(coding: string) {
  // Flushing early lets an event stream through as it comes.
  const flush = constants.Z_SYNC_FLUSH
  if (coding === 'gzip' || coding === 'x-gzip') return createGunzip({ flush })
  if (coding === 'deflate') return createInflate({ flush })
  if (coding === 'br') return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH })
  return undefined
}
