import type { SandboxContext } from '../server.ts'

/**
 * The error codes. `10009` and `10027` are known of the real service; the other numbers are the
 * sandbox's own, so do not build on them.
 */
const kinds = {
  notFound: [404, '10005', 'Resource not found'],
  method: [405, '10007', 'Method not allowed'],
  unauthorized: [401, '10009', 'Authentication failed'],
  forbidden: [403, '10010', 'Permission denied'],
  limited: [429, '10011', 'Too many requests'],
  invalid: [400, '10015', 'Invalid request'],
  challenge: [422, '10026', 'Challenge not passed'],
  mailProvider: [422, '10027', 'Email provider not accepted'],
} as const

/** Answers with the service's error envelope. There is never a `WWW-Authenticate`. */
export function apiError(
  c: SandboxContext,
  kind: keyof typeof kinds,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  const [status, code, title] = kinds[kind]
  return c.json({ errors: [{ code, title, detail }] }, status, headers)
}

/** The JSON object that a request carries; `{}` for no body, undefined for anything else. */
export function jsonBody(c: SandboxContext): Record<string, unknown> | undefined {
  const { body } = c.env.entry
  if (body.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
