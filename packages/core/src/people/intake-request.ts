import { sha256 } from '../encoding.ts'
import { AuthError } from '../errors.ts'
import type { PersonNeed } from '../outcome.ts'
import { equalTexts } from './intake-links.ts'

/** A form with the longest thing that anybody could hand over. */
const maxForm = 64 * 1024
/** What is read and thrown away, so that a browser sees the answer and not a broken connection. */
const maxRead = 4 * 1024 * 1024

/**
 * The host that a request was sent to. The header is the browser's word, which a page cannot change; what stands
 * in the URL a framework may have written anew (Next.js says `localhost` for every name of this machine).
 */
export function hostAsked(request: Request): string {
  return (request.headers.get('host') ?? new URL(request.url).host).toLowerCase()
}

/**
 * Whether a form was sent by another site. With `no-referrer` a browser names its own page's origin
 * `null` as well (Fetch, "append a request Origin header"): then only `Sec-Fetch-Site` tells.
 */
export function crossSite(request: Request, origin: string): boolean {
  const from = request.headers.get('origin')
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin') return true
  return from === 'null' ? site === null : from !== null && from !== origin
}

export function isForm(request: Request): boolean {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/x-www-form-urlencoded'
}

/** The secret of a link from its cookie. */
export function sessionOf(request: Request, cookie: string): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=', 2)
    if (name === cookie && /^[\w-]{43}$/.test(value)) return value
  }
  return undefined
}

/** What a form must carry to have come from the page of this link. */
export async function formToken(
  secret: string,
): Promise<{ readonly token: string; matches(given: string): boolean }> {
  const token = await sha256(`authmd intake form ${secret}`)
  return { token, matches: (given) => equalTexts(given, token) }
}

export async function readForm(request: Request): Promise<URLSearchParams | 'too-long'> {
  if (request.body === null) return new URLSearchParams()
  const reader = request.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.byteLength
    if (size <= maxForm) text += decoder.decode(value, { stream: true })
    if (size <= maxRead) continue
    reader.cancel().catch(() => {})
    break
  }
  return size > maxForm ? 'too-long' : new URLSearchParams(text + decoder.decode())
}

/** What to tell a person whose answer was refused; undefined where it is not theirs to mend. */
export function refusedBy(error: unknown, kind: PersonNeed['kind']): string | undefined {
  if (!AuthError.isInstance(error)) return undefined
  if (error.code === 'secret_refused') {
    return error.message.replace(/^this is no credential/, 'This is not the key').replace(/^t/, 'T')
  }
  if (error.code !== 'invalid_input') return undefined
  return kind === 'give-email' ? 'That is not an e-mail address' : 'That is not what is asked for'
}
