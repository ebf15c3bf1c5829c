import { z } from 'zod'
import { AuthError } from '../errors.ts'
import { type CleanAnswer, cleanAnswer } from '../use/answer.ts'
import type { Choice } from '../use/authorised-fetch.ts'
import { type McpParts, mcpFetch } from './access.ts'

/** Bytes of one answer, whether it comes at once or as a stream. */
const maxBytes = 4 * 1024 * 1024
/** What the server may have us do over one connection: answer it, and take a stream up again. */
const maxAsked = 50
/** Milliseconds that the server has to hear that the session is over. */
const goodbyeMs = 2_000

/** The server answered with a status that is no success. */
export class HttpFailure extends Error {
  readonly clean: CleanAnswer

  constructor(clean: CleanAnswer) {
    super(`HTTP ${clean.status}`)
    this.clean = clean
  }
}

/**
 * The `fetch` of one connection: answers are limited in size, a status that is no success is thrown with
 * its body made safe to show, and the stream on which a server may speak unasked is not opened. `ended`
 * is told the id of a request whose answer is over and cannot be taken up again.
 */
export function wireFetch(
  parts: McpParts,
  url: URL,
  choose: Choice,
  ended: (id: string | number) => void,
): typeof fetch {
  const send = mcpFetch(parts, url, choose)
  const limit = parts.net.limits?.maxBytes ?? maxBytes
  let asked = 0
  return async (input, init) => {
    const resumes = new Headers(init?.headers).has('last-event-id')
    if (init?.method === 'GET' && !resumes) return new Response(null, { status: 405 })
    if (init?.method === 'DELETE') {
      return send(input, { ...init, signal: AbortSignal.timeout(goodbyeMs) })
    }
    const { id, method } = messageOf(init?.body)
    if (method === undefined && ++asked > maxAsked) {
      throw new AuthError('method_failed', 'the MCP server asks for too much', {
        details: { sent: false },
      })
    }
    const response = await send(input, init)
    const { status, headers, body } = response
    if (!response.ok) {
      const signal = init?.signal ?? new AbortController().signal
      throw new HttpFailure(await cleanAnswer(response, await parts.redactor(), signal))
    }
    if (id === undefined || method === undefined) return response
    if (body === null) {
      ended(id)
      return response
    }
    return new Response(
      limited(body, limit, () => ended(id)),
      { status, headers },
    )
  }
}

const message = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
})

/** The JSON-RPC message that a body holds: our own, as the SDK has written it. */
function messageOf(body: unknown): z.infer<typeof message> {
  return typeof body === 'string' ? message.parse(JSON.parse(body)) : {}
}

/** A body of so many bytes at most. `ended` is called unless an event had an id to go on from. */
function limited(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
  ended: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let size = 0
  let resumable = false
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          controller.close()
          if (!resumable) ended()
          return
        }
        size += value.byteLength
        if (size > limit) {
          throw new AuthError('response_too_large', `answer is larger than ${limit} bytes`)
        }
        resumable ||= /(?:^|[\r\n])id:/.test(decoder.decode(value, { stream: true }))
        controller.enqueue(value)
      } catch (error) {
        reader.cancel().catch(() => {})
        controller.error(error)
        ended()
      }
    },
    cancel(reason) {
      ended()
      return reader.cancel(reason)
    },
  })
}
