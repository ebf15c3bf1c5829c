import type { Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { messagePage } from '../page.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { answering } from './errors.ts'
import { type Asked, codePage, confirmPage, linkPage, loginPage, typePage } from './pages.ts'
import { confirm, isOver } from './registrations.ts'
import {
  type Account,
  type Attempt,
  type AuthMd,
  isEmail,
  lifetimes,
  openAccount,
  type Registration,
  randomId,
} from './state.ts'

const cookie = 'sandbox_session'
type Page = Response | Promise<Response>

interface Found {
  registration: Registration
  attempt: Attempt
}

/** The person's side of the ceremonies: signing in, and the page that an attempt's link opens. */
export function browserRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect } = site
  const { paths, ceremony } = dialect
  app.get(
    '/login',
    answering(server, 'agent_login', (c) => c.html(loginPage(c.req.query('return_to') ?? '/'))),
  )
  app.post(
    '/login',
    answering(server, 'agent_login', (c) => signIn(c, site)),
  )
  if (ceremony === 'mailed-code') return
  if (ceremony === 'mailed-link') {
    app.get(
      paths.page,
      answering(server, 'agent_claim_view', (c) => linked(c, site)),
    )
    return
  }
  app.get(
    paths.page,
    answering(server, 'agent_claim_page', (c) => shown(c, site)),
  )
  const action = actionOf(site)
  app.post(
    action,
    answering(server, ceremony === 'typed' ? 'agent_claim_complete' : 'agent_claim_page', (c) =>
      decided(c, site),
    ),
  )
}

/** Where the page's form goes. */
function actionOf({ dialect }: AuthMd): string {
  const { ceremony, paths } = dialect
  return ceremony === 'typed' ? `${paths.claim}/complete` : paths.page
}

/** Sandbox only: everybody is believed whose address it is. */
function signIn(c: SandboxContext, site: AuthMd): Page {
  const fields = form(c)
  const email = fields.get('email')?.trim()
  const returnTo = fields.get('return_to') ?? '/'
  if (!isEmail(email)) return c.html(loginPage(returnTo, 'That is not a mail address.'), 400)
  if (!/^\/(?![/\\])/.test(returnTo)) {
    return c.html(messagePage('Not possible', 'return_to must be a path.'), 400)
  }
  const account = openAccount(site, { email })
  const { value } = site.server.ledger.issue({
    kind: 'browser_session',
    value: randomId('ses_'),
    account: account.id,
    request: c.env.entry.n,
    ttlMs: lifetimes.session,
  })
  c.env.entry.effect = true
  setCookie(c, cookie, value, { httpOnly: true, sameSite: 'Lax', path: '/' })
  return c.redirect(returnTo, 303)
}

function visitor(c: SandboxContext, { server, accounts }: AuthMd): Account | undefined {
  const session = server.ledger.find(getCookie(c, cookie) ?? '')
  if (session?.kind !== 'browser_session' || !server.ledger.isGood(session)) return undefined
  return [...accounts.values()].find(({ id }) => id === session.account)
}

function form(c: SandboxContext): URLSearchParams {
  return new URLSearchParams(c.env.entry.body)
}

function note(c: SandboxContext, status: 400 | 403 | 404 | 409 | 410, message: string): Page {
  return c.html(messagePage('Not possible', message), status)
}

const tooOld = 'This link is too old or was replaced by a newer one.'

/** The attempt of a link that is still worth opening, or the page that says why not. */
function usable(c: SandboxContext, site: AuthMd, found: Found | undefined): Found | Page {
  if (!found) return note(c, 404, 'This link is unknown.')
  const { registration, attempt } = found
  if (registration.claimed) return note(c, 409, 'This was confirmed already.')
  const late = site.server.clock.now() >= attempt.expiresAt
  if (late || attempt.superseded || attempt.denied || isOver(site, registration)) {
    return note(c, 410, tooOld)
  }
  return found
}

function isFound(value: Found | Page): value is Found {
  return 'attempt' in value
}

function linked(c: SandboxContext, site: AuthMd): Page {
  const token = c.req.query('token')
  if (!token) return note(c, 400, 'This link is incomplete.')
  const found = site.byAttemptToken.get(token)
  if (found?.registration.claimed) return note(c, 410, 'This was confirmed already.')
  const open = usable(c, site, found)
  if (!isFound(open)) return open
  return c.html(linkPage(open.attempt, `${site.dialect.paths.claim}/attempt/challenge`))
}

/** The page's attempt, for the person that it is meant for and nobody else. */
function forVisitor(c: SandboxContext, site: AuthMd, found: Found | undefined): Found | Page {
  const account = visitor(c, site)
  if (!account) {
    const { pathname, search } = new URL(c.req.url)
    return c.redirect(`/login?return_to=${encodeURIComponent(pathname + search)}`, 303)
  }
  if (found && account.email !== found.attempt.email) {
    return note(c, 403, 'You are signed in with another account than the one asked for.')
  }
  return usable(c, site, found)
}

function shown(c: SandboxContext, site: AuthMd): Page {
  const typed = c.req.query('user_code')
  const token = c.req.query('claim_attempt_token') ?? c.req.query('token') ?? ''
  const byCode = [...site.byAttemptToken.values()].findLast(
    ({ attempt }) => attempt.code === typed && !attempt.superseded,
  )
  const takesCode = site.version === 'agent-artifacts' && typed !== undefined
  const open = forVisitor(c, site, takesCode ? byCode : site.byAttemptToken.get(token))
  return isFound(open) ? asked(c, site, open, takesCode ? { typed } : {}) : open
}

function asked(
  c: SandboxContext,
  site: AuthMd,
  { registration, attempt }: Found,
  more: { typed?: string; problem?: string },
): Page {
  const { dialect } = site
  const told = tellOf(site, registration, attempt)
  const action = actionOf(site)
  if (dialect.ceremony === 'read-back') return c.html(confirmPage(attempt, action, told))
  const { refusable } = dialect.quirks
  const status = more.problem === undefined ? 200 : 401
  return c.html(typePage(attempt, action, told, { ...more, refusable }), status)
}

function tellOf(site: AuthMd, { provider }: Registration, { email }: Attempt): Asked {
  const claimed = [...site.registrations.values()].filter(
    (other) => other.claimed && other.account?.email === email,
  )
  const known = claimed.some((other) => other.provider?.iss === provider?.iss)
  const name = site.providers.find(({ issuer }) => issuer === provider?.iss)?.name
  const advisories =
    site.dialect.emailType === 'service_auth'
      ? [
          ...(provider && !known ? ['first_time_provider'] : []),
          ...(claimed.length === 0 ? ['first_time_account'] : []),
        ]
      : []
  return { service: site.name, advisories, ...(name === undefined ? {} : { provider: name }) }
}

function decided(c: SandboxContext, site: AuthMd): Page {
  const fields = form(c)
  const found = site.byAttemptToken.get(fields.get('claim_attempt_token') ?? '')
  const open = forVisitor(c, site, found)
  if (!isFound(open)) return open
  const { registration, attempt } = open
  if (site.dialect.ceremony === 'read-back') {
    attempt.confirmed = true
    c.env.entry.effect = true
    return c.html(codePage(attempt.code ?? ''))
  }
  if (site.dialect.quirks.refusable && fields.get('decision') === 'refuse') {
    attempt.denied = true
    c.env.entry.effect = true
    return c.html(messagePage('Refused', 'The agent gets nothing.'))
  }
  const code = fields.get('user_code') ?? ''
  if (!/^\d{6}$/.test(code)) return note(c, 400, 'A code has six digits.')
  if (attempt.code !== code) return asked(c, site, open, { problem: 'This is not the code.' })
  attempt.confirmed = true
  confirm(site, registration, openAccount(site, { email: attempt.email }))
  c.env.entry.effect = true
  return c.html(messagePage('Confirmed', 'You can close this page.'))
}
