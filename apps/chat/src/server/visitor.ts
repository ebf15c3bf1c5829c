import { createHash, randomBytes } from 'node:crypto'
import type { Owner } from '@authmd/core'
import { cookies } from 'next/headers'
import { url } from './url.ts'

/** A browser that came here: whose credentials it uses. */
export interface Visitor {
  readonly owner: Owner & { readonly user: string }
  /** The address that services are given. */
  readonly email: string
}

/** Cookies do not tell ports apart, so that the port is in the name. */
export const cookieName: string = `authmd_chat_${new URL(url).port}`

/** What the cookie of a new browser holds. */
export function newCookie(): string {
  return randomBytes(32).toString('base64url')
}

export function isCookie(value: string | undefined): value is string {
  return value !== undefined && /^[\w-]{43}$/.test(value)
}

/**
 * Who is asking is known by a cookie of ours, never by what a page or a model says. What the cookie holds
 * is known to its browser alone: nobody comes from a user's name back to it.
 */
export async function visitor(): Promise<Visitor | undefined> {
  const value = (await cookies()).get(cookieName)?.value
  if (!isCookie(value)) return undefined
  const user = createHash('sha256').update(value).digest('hex').slice(0, 32)
  return { owner: { tenant: 'chat', user }, email: emailOf(user) }
}

/** The address of a user, for services that ask for one. Elsewhere it comes from the sign-in. */
export function emailOf(user: string): string {
  return `agent-${user.slice(0, 8)}@operator.test`
}

/** The answer to somebody that the page has not seen yet. */
export function openFirst(): Response {
  return new Response(`Open ${url} first.\n`, { status: 401 })
}
