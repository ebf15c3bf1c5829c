import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { LedgerEntry } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { apiError, jsonBody } from './api-error.ts'
import { keysPage, signInPage } from './portal-pages.ts'
import { htmlNotFound } from './sites.ts'
import {
  accountOf,
  issueKey,
  type KeyWish,
  keyAtCreation,
  keyListed,
  openAccount,
  type Telnyx,
} from './state.ts'

const cookie = 'portal_session'
const home = '/#/app/api-keys'
const sessionTtlMs = 8 * 3_600_000

/** Where a person makes and deletes keys, in a browser or with plain requests. */
export function portalRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx): void {
  const { server } = telnyx
  const { ledger } = server
  /** Keys just made, by portal session, each to be shown on one page and never again. */
  const toShow = new Map<string, LedgerEntry>()

  const visitor = (c: SandboxContext): LedgerEntry | undefined => {
    const session =
      ledger.findBearer(c.req.header('authorization')) ?? ledger.find(getCookie(c, cookie) ?? '')
    const known = session?.kind === 'portal_session' || session?.kind === 'session'
    if (!session || !known || !ledger.isGood(session)) return undefined
    ledger.markUsed(session)
    return session
  }

  const keysOf = (account: string) =>
    ledger.entries.filter(
      (entry) => entry.kind === 'api_key' && entry.account === account && ledger.isGood(entry),
    )

  /** Sandbox only: the portal believes whoever says which address is theirs. */
  const signIn = (c: SandboxContext, email: string): LedgerEntry | undefined => {
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return undefined
    const account = openAccount(telnyx, email)
    c.env.entry.effect = true
    return ledger.issue({
      kind: 'portal_session',
      value: `PORTAL01SANDBOX${randomBytes(16).toString('hex').toUpperCase()}`,
      account: account.id,
      request: c.env.entry.n,
      ttlMs: sessionTtlMs,
    })
  }

  const makeKey = (c: SandboxContext, account: string, wish: KeyWish): LedgerEntry => {
    c.env.entry.effect = true
    return issueKey(telnyx, account, c.env.entry.n, wish)
  }

  /** Deletes at once. False where the account has no such key. */
  const deleteKey = (c: SandboxContext, account: string, id: string | undefined): boolean => {
    const key = keysOf(account).find((entry) => entry.id === id)
    if (!key) return false
    ledger.revoke(key)
    c.env.entry.effect = true
    return true
  }

  app.get(
    '/',
    server.endpoint('portal_root', (c) => {
      const session = visitor(c)
      if (!session) return c.html(signInPage())
      const fresh = toShow.get(session.id)
      toShow.delete(session.id)
      const { email } = accountOf(telnyx, session)
      return c.html(keysPage(email, keysOf(session.account), fresh), 200, {
        'cache-control': 'no-store',
      })
    }),
  )

  app.post(
    '/sign-in',
    server.endpoint('portal_form', (c) => {
      const session = signIn(c, form(c).get('email') ?? '')
      if (!session) return c.html(signInPage('That is not a mail address.'), 400)
      setCookie(c, cookie, session.value, { httpOnly: true, sameSite: 'Lax', path: '/' })
      return c.redirect(home, 303)
    }),
  )
  app.post(
    '/sign-out',
    server.endpoint('portal_form', (c) => {
      const session = visitor(c)
      if (session) ledger.revoke(session)
      deleteCookie(c, cookie)
      return c.redirect('/', 303)
    }),
  )
  app.post(
    '/keys',
    server.endpoint('portal_form', (c) => {
      const session = visitor(c)
      if (!session) return c.html(signInPage('Please sign in first.'), 401)
      const fields = form(c)
      const wish = readWish({
        name: fields.get('name') || undefined,
        scope: fields.get('scope') ?? undefined,
      })
      if (!wish) return c.html(signInPage('Such a key cannot be made.'), 400)
      toShow.set(session.id, makeKey(c, session.account, wish))
      return c.redirect(home, 303)
    }),
  )
  app.post(
    '/keys/:id/delete',
    server.endpoint('portal_form', (c) => {
      const session = visitor(c)
      if (!session) return c.html(signInPage('Please sign in first.'), 401)
      const done = deleteKey(c, session.account, c.req.param('id'))
      return done ? c.redirect(home, 303) : htmlNotFound(c)
    }),
  )

  app.post(
    '/api/sign-in',
    server.endpoint('portal_sign_in', (c) => {
      const email = jsonBody(c)?.email
      const session = typeof email === 'string' ? signIn(c, email) : undefined
      if (!session) return apiError(c, 'invalid', 'email is not an address.')
      return c.json({ data: { token: session.value } })
    }),
  )
  const signedIn =
    (handle: (c: SandboxContext, session: LedgerEntry) => Response) => (c: SandboxContext) => {
      const session = visitor(c)
      return session ? handle(c, session) : apiError(c, 'unauthorized', 'Sign in first.')
    }
  app.get(
    '/api/keys',
    server.endpoint(
      'portal_keys',
      signedIn((c, { account }) => c.json({ data: keysOf(account).map(keyListed) })),
    ),
  )
  app.post(
    '/api/keys',
    server.endpoint(
      'portal_keys',
      signedIn((c, { account }) => {
        const wish = readWish(jsonBody(c) ?? { name: null })
        if (!wish) return apiError(c, 'invalid', 'name is a text, scope is full or read.')
        return c.json({ data: keyAtCreation(makeKey(c, account, wish)) }, 201)
      }),
    ),
  )
  app.delete(
    '/api/keys/:id',
    server.endpoint(
      'portal_keys',
      signedIn((c, { account }) =>
        deleteKey(c, account, c.req.param('id'))
          ? c.body(null, 204)
          : apiError(c, 'notFound', 'This account has no such key.'),
      ),
    ),
  )
  app.notFound(server.endpoint('not_found', htmlNotFound))
}

function form(c: SandboxContext): URLSearchParams {
  return new URLSearchParams(c.env.entry.body)
}

function readWish({ name, scope }: Record<string, unknown>): KeyWish | undefined {
  if (name !== undefined && typeof name !== 'string') return undefined
  if (scope !== undefined && scope !== 'full' && scope !== 'read') return undefined
  return { ...(name === undefined ? {} : { name }), ...(scope === undefined ? {} : { scope }) }
}
