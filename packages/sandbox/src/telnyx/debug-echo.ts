import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import { bearer } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { apiError } from './api-error.ts'
import type { Telnyx } from './state.ts'

const bytesOf = (text: string) => [...new TextEncoder().encode(text)]
const hexOf = (byte: number) => byte.toString(16).padStart(2, '0')

/** Every character is encoded, also where the encoding would let it stand. */
const encodings: Record<string, (token: string) => string> = {
  base64: (token) => Buffer.from(token).toString('base64'),
  hex: (token) => bytesOf(token).map(hexOf).join(''),
  percent: (token) =>
    bytesOf(token)
      .map((byte) => `%${hexOf(byte).toUpperCase()}`)
      .join(''),
  json: (token) =>
    bytesOf(token)
      .map((byte) => `\\u00${hexOf(byte)}`)
      .join(''),
  html: (token) =>
    bytesOf(token)
      .map((byte) => `&#${byte};`)
      .join(''),
}

/**
 * Not an endpoint of Telnyx: sends back what it got, for tests of redaction. With `as` the Bearer
 * token comes in that encoding only; with `stream=1` it is torn apart between two chunks.
 */
export function debugEchoRoute(app: Hono<SandboxEnv>, { server }: Telnyx): void {
  app.all(
    '/v2/debug/echo',
    server.endpoint('debug_echo', (c) => {
      const as = c.req.query('as')
      const encode = as !== undefined && Object.hasOwn(encodings, as) ? encodings[as] : undefined
      if (as !== undefined && !encode) {
        return apiError(c, 'invalid', `as is one of ${Object.keys(encodings).join(', ')}.`)
      }
      const token = bearer(c.req.header('authorization')) ?? ''
      const shown = encode ? encode(token) : token
      const text = encode ? encodedEcho(as ?? '', shown) : plainEcho(c)
      const body = c.req.query('stream') === '1' ? torn(text, shown) : text
      return c.body(body, 200, { 'content-type': 'application/json' })
    }),
  )
}

function plainEcho(c: SandboxContext): string {
  const { method, path, headers, body } = c.env.entry
  return JSON.stringify({ data: { method, path, headers, body } })
}

/** Written by hand, for JSON.stringify would double the backslashes of `as=json`. */
function encodedEcho(as: string, shown: string): string {
  return `{"data":{"as":"${as}","token":"${shown}"}}`
}

function torn(text: string, token: string): ReadableStream<Uint8Array> {
  const half = Math.ceil(token.length / 2)
  const parts = token === '' ? [text] : text.split(token)
  const chunks = parts.map((part, i) => {
    const before = i === 0 ? '' : token.slice(half)
    const after = i === parts.length - 1 ? '' : token.slice(0, half)
    return before + part + after
  })
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift()
      if (chunk === undefined) return controller.close()
      // Long enough for the chunk before it to travel on its own.
      await sleep(5)
      controller.enqueue(encoder.encode(chunk))
    },
  })
}
