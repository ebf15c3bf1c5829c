import { sha256 } from './encoding.ts'
import { AuthError } from './errors.ts'

/**
 * Whose credential it is. Set by the application, never by the model; matched exactly on all three
 * parts, with no fallback and no default.
 */
export interface Owner {
  readonly tenant: string
  readonly user?: string
  readonly agent?: string
}

const parts = ['tenant', 'user', 'agent'] as const

/** Checks an owner from outside and returns a frozen copy. Throws `AuthError` `owner_invalid`. */
export function parseOwner(value: unknown): Owner {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AuthError('owner_invalid', 'owner must be an object { tenant, user?, agent? }')
  }
  const given = value as Record<string, unknown>
  const unknown = Object.keys(given).filter((key) => !parts.includes(key as 'tenant'))
  if (unknown.length > 0) {
    throw new AuthError('owner_invalid', `owner has an unknown part: ${unknown.join(', ')}`)
  }
  const owner: Record<string, string> = {}
  for (const part of parts) {
    const text = given[part]
    if (text === undefined && part !== 'tenant') continue
    if (typeof text !== 'string' || text.trim() === '') {
      throw new AuthError('owner_invalid', `owner.${part} must be a non-empty string`)
    }
    if (text.length > 512) {
      throw new AuthError('owner_invalid', `owner.${part} is longer than 512 characters`)
    }
    owner[part] = text
  }
  return Object.freeze(owner) as unknown as Owner
}

/** Owners whose key is kept: working it out waits for another thread, several times in every call. */
const maxKeys = 1_000
const keys = new Map<string, Promise<string>>()

/** The opaque key of an owner: SHA-256 over the three parts as JSON, base64url. No two owners share one. */
export async function ownerKey(owner: Owner): Promise<string> {
  const text = JSON.stringify([owner.tenant, owner.user ?? null, owner.agent ?? null])
  let key = keys.get(text)
  if (key === undefined) {
    key = sha256(text)
    keys.set(text, key)
    const [oldest] = keys.keys()
    if (keys.size > maxKeys && oldest !== undefined) keys.delete(oldest)
  }
  return key
}

export function sameOwner(one: Owner, other: Owner): boolean {
  return parts.every((part) => one[part] === other[part])
}
