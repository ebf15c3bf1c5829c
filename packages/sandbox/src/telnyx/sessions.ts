import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import type { LedgerEntry, SecretKind } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { apiError } from './api-error.ts'
import type { Telnyx } from './state.ts'
import { uuidV7 } from './uuid-v7.ts'

const sessionTtlMs = 3_600_000
const redirectTtlMs = 60_000

/** What the sign-in link leads to. */
export function sessionRoutes(app: Hono<SandboxEnv>, telnyx: Telnyx): void {
  const { server, urls, options } = telnyx
  const { ledger, clock } = server

  /** The token's entry if this request may still trade it in. Afterwards nobody may. */
  const useUp = (kind: SecretKind, parameter: string) => (c: SandboxContext) => {
    const token = ledger.find(c.req.query(parameter) ?? '')
    if (token?.kind !== kind || token.usedAt !== undefined) return undefined
    const good = ledger.isGood(token)
    ledger.markUsed(token)
    c.env.entry.effect = true
    return good && c.req.method === 'GET' ? token : undefined
  }

  const refuse = (c: SandboxContext) =>
    c.req.method === 'GET'
      ? apiError(c, 'unauthorized', 'This link has been used or is too old. Ask for a new one.')
      : apiError(c, 'method', 'Only GET is answered here.', { allow: 'GET' })

  const session = (c: SandboxContext, { account }: LedgerEntry) => {
    const { value } = ledger.issue({
      kind: 'session',
      value: `SESSION01SANDBOX${randomBytes(16).toString('hex').toUpperCase()}`,
      account,
      request: c.env.entry.n,
      ttlMs: sessionTtlMs,
    })
    return c.json({ data: { api_v2_token: value } })
  }

  const redirect = (c: SandboxContext, { account }: LedgerEntry) => {
    const { value } = ledger.issue({
      kind: 'redirect_token',
      value: uuidV7(clock.now()),
      account,
      request: c.env.entry.n,
      ttlMs: redirectTtlMs,
    })
    return c.redirect(`${urls.api}/v2/bot_sessions?portal_redirect_token=${value}`, 302)
  }

  const fromMail = server.endpoint(
    'bot_sessions',
    (c, token: LedgerEntry | undefined) => {
      if (!token) return refuse(c)
      return options.redirectSession ? redirect(c, token) : session(c, token)
    },
    useUp('mail_link_token', 'token'),
  )
  const fromRedirect = server.endpoint(
    'bot_sessions_redirect',
    (c, token: LedgerEntry | undefined) => (token ? session(c, token) : refuse(c)),
    useUp('redirect_token', 'portal_redirect_token'),
  )
  app.all('/v2/bot_sessions', (c) =>
    c.req.query('portal_redirect_token') === undefined ? fromMail(c) : fromRedirect(c),
  )
}
