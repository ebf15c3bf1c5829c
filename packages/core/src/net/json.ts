import { AuthError } from '../errors.ts'

const maxDepth = 64
const droppedKeys = ['__proto__', 'constructor', 'prototype']

/**
 * Reads JSON that somebody else wrote. A byte order mark is dropped, nesting is limited to 64, and
 * the keys `__proto__`, `constructor` and `prototype` are left out at every level. Duplicate keys:
 * the last one counts. Too large numbers become `Infinity`, which no schema of ours accepts.
 *
 * @throws AuthError `response_malformed`; neither message nor cause quotes the text
 * @example parseJson('{"a":1,"__proto__":{"admin":true}}') // { a: 1 }
 */
export function parseJson(text: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text
  checkDepth(json)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // The engine's message quotes the text, which can hold a secret.
    throw new AuthError('response_malformed', 'not valid JSON')
  }
  dropKeys(value)
  return value
}

function checkDepth(json: string): void {
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '[' || char === '{') {
      if (++depth > maxDepth) {
        throw new AuthError('response_malformed', `JSON is nested deeper than ${maxDepth} levels`)
      }
    } else if (char === ']' || char === '}') depth--
  }
}

function dropKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const entries = value as Record<string, unknown>
  if (!Array.isArray(value)) {
    for (const key of droppedKeys) if (Object.hasOwn(value, key)) delete entries[key]
  }
  for (const key of Object.keys(value)) dropKeys(entries[key])
}
