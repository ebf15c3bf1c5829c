import type { Hono } from 'hono'
import type { LedgerEntry } from '../ledger.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { assertionFields } from './answers.ts'
import { readOwnAssertion } from './assertion.ts'
import { jwtBearer } from './dialects.ts'
import { answering, noStore, Refusal } from './errors.ts'
import { type Fields, readForm, readJson, text } from './read.ts'
import { isOver, issueAssertion, issueCredential, scopesOf } from './registrations.ts'
import type { Attempt, AuthMd, Registration } from './state.ts'

export function tokenRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect } = site
  if (dialect.gives === 'credential') return
  app.post(
    '/oauth2/token',
    answering(server, 'agent_token', (c) => {
      const fields = dialect.grants.json ? readJson(c) : readForm(c)
      const grant = text(fields, 'grant_type')
      if (grant === jwtBearer) return exchange(c, site, fields)
      if (grant === dialect.grants.claim) return poll(c, site, fields)
      throw new Refusal('unsupported_grant_type', 'There is no such grant here.')
    }),
  )
  app.post(
    '/oauth2/revoke',
    answering(server, 'agent_revoke', (c) => {
      const fields = readForm(c)
      const { ledger } = server
      const hint = fields.token_type_hint
      if (dialect.quirks.serverOnlyCodes && hint !== undefined && hint !== 'access_token') {
        throw new Refusal('invalid_request', 'token_type_hint must be access_token.')
      }
      const entry = ledger.find(text(fields, 'token'))
      const mine = site.registrations.has(entry?.account ?? '')
      if (entry && mine && (entry.kind === 'access_token' || entry.kind === 'api_key')) {
        ledger.revoke(entry)
        c.env.entry.effect = true
      }
      return c.body(null, 200, noStore)
    }),
  )
}

/** An assertion of this service for a credential. */
async function exchange(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { server, dialect, options } = site
  const assertion = text(fields, 'assertion')
  if (fields.resource !== undefined && options.refusesResource) {
    throw new Refusal(options.refusesResource, 'No resource is taken here.')
  }
  if (fields.resource !== undefined && !URL.canParse(text(fields, 'resource'))) {
    throw new Refusal('invalid_request', 'resource must be a URL.')
  }
  const registration = await readOwnAssertion(site, assertion)
  const refuse = (why: string) => new Refusal('invalid_grant', why)
  if (!registration) throw refuse('The assertion is not good.')
  if (registration.revoked) throw refuse('The registration was revoked.')
  const entry = server.ledger.find(assertion)
  if (dialect.quirks.supersedes && !(entry && server.ledger.isGood(entry))) {
    throw refuse('There is a newer assertion.')
  }
  const waits = !registration.claimed && registration.kind !== 'anonymous'
  if (waits && !dialect.quirks.exchangesUnclaimed) {
    if (site.version !== 'draft-register') throw refuse('The person has not confirmed yet.')
    throw new Refusal('insufficient_user_authentication', 'The person has not confirmed yet.')
  }
  const narrowed = wantedScope(site, fields, registration)
  if (entry) server.ledger.markUsed(entry)
  const type = site.version === 'hosted' ? (options.credential ?? 'access_token') : 'access_token'
  const credential = await issueCredential(site, c.env.entry, registration, type)
  if (narrowed) site.narrowed.set(credential.id, narrowed)
  return c.json(tokenAnswer(credential, narrowed ?? scopesOf(registration)), 200, noStore)
}

/** Only the branch takes a `scope`. */
function wantedScope(
  { version }: AuthMd,
  { scope }: Fields,
  registration: Registration,
): readonly string[] | undefined {
  if (version !== 'draft-register' || typeof scope !== 'string') return undefined
  const wished = scope.split(' ')
  const granted = scopesOf(registration).filter((one) => wished.includes(one))
  if (granted.length > 0) return granted
  throw new Refusal('invalid_request', 'No such scope can be had.')
}

function tokenAnswer({ value, expiresAt, issuedAt }: LedgerEntry, scopes: readonly string[]) {
  return {
    access_token: value,
    token_type: 'Bearer',
    ...(expiresAt === undefined ? {} : { expires_in: (expiresAt - issuedAt) / 1000 }),
    scope: scopes.join(' '),
  }
}

/** The agent asks whether the person has confirmed. */
async function poll(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { byClaimToken, dialect } = site
  const { quirks } = dialect
  const registration = byClaimToken.get(text(fields, 'claim_token'))
  if (!registration) throw new Refusal('invalid_grant', 'The claim token is unknown.')
  if (!registration.claimed) throw unfinished(site, registration)
  if (registration.paidOut && quirks.oneShot) {
    throw new Refusal('invalid_grant', 'The claim was paid out already.')
  }
  registration.paidOut = true
  const { entry } = c.env
  const type = quirks.claimGivesKey ? 'api_key' : 'access_token'
  const credential = await issueCredential(site, entry, registration, type)
  return c.json(
    {
      ...tokenAnswer(credential, scopesOf(registration)),
      ...(quirks.claimGivesAssertion
        ? assertionFields(site, await issueAssertion(site, entry, registration))
        : {}),
    },
    200,
    noStore,
  )
}

function unfinished(site: AuthMd, registration: Registration): Refusal {
  const { server, dialect } = site
  const { attempt } = registration
  const now = server.clock.now()
  const over = attempt !== undefined && now >= attempt.expiresAt
  if (attempt?.denied) return new Refusal('access_denied', 'The person refused.')
  if (over || isOver(site, registration)) return new Refusal('expired_token', 'It is too late.')
  if (attempt && dialect.quirks.slowDown && tooSoon(attempt, now)) {
    return new Refusal('slow_down', `Wait ${attempt.interval} seconds between two polls.`)
  }
  return new Refusal('authorization_pending', 'The person has not confirmed yet.', {
    status: dialect.quirks.pendingStatus,
  })
}

/** Counts a poll. One that comes too soon makes the interval five seconds longer. */
function tooSoon(attempt: Attempt, now: number): boolean {
  const soon = attempt.polledAt !== undefined && now - attempt.polledAt < attempt.interval * 1000
  attempt.polledAt = now
  if (soon) attempt.interval += 5
  return soon
}
