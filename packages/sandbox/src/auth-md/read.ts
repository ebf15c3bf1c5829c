import type { SandboxContext } from '../server.ts'
import { Refusal } from './errors.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The JSON object of a request. */
export function readJson(c: SandboxContext): Fields {
  try {
    const value: unknown = JSON.parse(c.env.entry.body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  } catch {}
  throw new Refusal('invalid_request', 'The body must be a JSON object.')
}

/** The fields of a form; a field that comes twice is refused, as RFC 6749 section 3.2 asks. */
export function readForm(c: SandboxContext): Fields {
  const type = c.req.header('content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new Refusal('invalid_request', 'The body must be application/x-www-form-urlencoded.')
  }
  const form = new URLSearchParams(c.env.entry.body)
  if (new Set(form.keys()).size !== form.size) {
    throw new Refusal('invalid_request', 'A parameter must not come twice.')
  }
  return Object.fromEntries(form)
}

/** A text that must be there. */
export function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new Refusal('invalid_request', `${name} must be a text.`)
}
