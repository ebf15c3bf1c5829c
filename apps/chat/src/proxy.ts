import { randomBytes } from 'node:crypto'
import { type NextRequest, NextResponse } from 'next/server'
import { url } from './server/url.ts'
import { cookieName, isCookie, newCookie } from './server/visitor.ts'

/** What holds for every request, before a route sees it. */
export function proxy(request: NextRequest): Response {
  const { method, headers, nextUrl, cookies } = request
  // Another name for this machine is a page of somebody else that found it.
  if (headers.get('host') !== new URL(url).host) {
    return new Response(`Open ${url}\n`, { status: 421 })
  }
  // The intake has its own rules, for who comes there has no more than a link.
  if (nextUrl.pathname.startsWith('/intake/')) return NextResponse.next()
  if (method !== 'GET' && method !== 'HEAD' && headers.get('origin') !== url) {
    return new Response('From this page only.\n', { status: 403 })
  }
  if (nextUrl.pathname !== '/') return NextResponse.next()
  const nonce = randomBytes(16).toString('base64')
  const policy = policyFor(nonce)
  // Next reads the nonce out of the policy and gives it to its own scripts.
  const forwarded = new Headers(headers)
  forwarded.set('content-security-policy', policy)
  const response = NextResponse.next({ request: { headers: forwarded } })
  response.headers.set('content-security-policy', policy)
  if (!isCookie(cookies.get(cookieName)?.value)) {
    response.cookies.set(cookieName, newCookie(), { httpOnly: true, sameSite: 'strict', path: '/' })
  }
  return response
}

function policyFor(nonce: string): string {
  // React rebuilds a server's stack in the browser with `eval`, while one develops.
  const development = process.env.NODE_ENV === 'development'
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'${development ? " 'unsafe-eval'" : ''}`,
    `style-src 'self'${development ? " 'unsafe-inline'" : ''}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
