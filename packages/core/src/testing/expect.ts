import { AuthError, type AuthErrorCode } from '../errors.ts'

/** Fails the case unless two pieces of plain data are the same. */
export function same(found: unknown, wanted: unknown, what: string): void {
  const [one, other] = [text(found), text(wanted)]
  if (one !== other) throw new Error(`${what}: expected ${other}, found ${one}`)
}

/** Fails the case unless the promise rejects with an `AuthError` of this code. */
export async function rejects(
  promise: Promise<unknown>,
  code: AuthErrorCode,
  what: string,
): Promise<void> {
  let error: unknown
  try {
    await promise
  } catch (thrown) {
    error = thrown
  }
  const found = AuthError.isInstance(error) ? error.code : error === undefined ? 'nothing' : error
  if (found !== code) throw new Error(`${what}: expected AuthError ${code}, found ${String(found)}`)
}

/** Any order of keys, long values cut. */
function text(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'string' && part.length > 200)
      return `${part.slice(0, 200)}… ${part.length}`
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return sorted ?? 'undefined'
}
