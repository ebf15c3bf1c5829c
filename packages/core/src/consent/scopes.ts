/** One scope as RFC 6749 §3.3 writes it, of a length that can be shown. */
export const scopeToken: RegExp = /^[\x21\x23-\x5B\x5D-\x7E]{1,200}$/
/** More than a person reads. */
const maxScopes = 100

/**
 * The scopes for an effect: each once, sorted. Undefined where there are none, or more than anybody
 * would read, or where one of them is no scope at all: then nobody knows what it will hold.
 */
export function shownScopes(given: readonly unknown[] = []): readonly string[] | undefined {
  const scopes = [...new Set(given)]
  if (!scopes.every(isScope) || scopes.length === 0 || scopes.length > maxScopes) return undefined
  return scopes.toSorted()
}

function isScope(value: unknown): value is string {
  return typeof value === 'string' && scopeToken.test(value)
}
