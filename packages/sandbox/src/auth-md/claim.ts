import type { Hono } from 'hono'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { assertionFields, claimStarted, kindName } from './answers.ts'
import { checkIdJag, takeIdJag } from './assertion.ts'
import { type AuthMdErrorCode, answering, Refusal } from './errors.ts'
import { type Fields, readJson, text } from './read.ts'
import { hintOf, matchOf } from './register.ts'
import { confirm, hasOpenAttempt, isOver, issueAssertion, startAttempt } from './registrations.ts'
import { type AuthMd, linkOf, openAccount, type Registration, secretsOf } from './state.ts'

/** Where an agent starts a ceremony, or asks for a new link and code. */
export function claimRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect } = site
  app.post(
    dialect.paths.claim,
    answering(server, 'agent_claim', (c) => {
      const fields = readJson(c)
      const { claimBody } = dialect
      if (claimBody === 'typed' && fields.type === 'identity_assertion') {
        return claimByIdJag(c, site, fields)
      }
      const type = { typed: 'login_hint', service_auth: 'service_auth' }[claimBody as string]
      if (type !== undefined && fields.type !== type) {
        throw new Refusal('invalid_request', `type must be ${type}.`)
      }
      const claimToken = text(fields, 'claim_token')
      const hint = hintOf(site, claimBody === 'email' ? 'email' : 'login_hint', fields)
      return claimByHint(c, site, registrationOf(site, claimToken), hint)
    }),
  )
}

/** The registration of a claim token. */
export function registrationOf(
  { byClaimToken }: AuthMd,
  claimToken: string,
  code: AuthMdErrorCode = 'invalid_claim_token',
): Registration {
  const registration = byClaimToken.get(claimToken)
  if (registration) return registration
  throw new Refusal(code, 'The claim token is unknown.')
}

/** Claimed, or past its window. */
function requireClaimable(site: AuthMd, registration: Registration): void {
  const { server, dialect } = site
  const { names, claimRevokesExpired } = dialect.quirks
  if (registration.claimed) throw new Refusal(names.claimed, 'It is claimed already.')
  if (!isOver(site, registration)) return
  if (claimRevokesExpired) {
    for (const key of secretsOf(site, registration, 'api_key')) server.ledger.revoke(key)
  }
  throw new Refusal('claim_expired', 'The time to claim is over.')
}

function claimByHint(
  c: SandboxContext,
  site: AuthMd,
  registration: Registration,
  hint: string,
): Response {
  const { dialect } = site
  const { kind, attempt } = registration
  if (dialect.ceremony === 'mailed-link' && kind !== 'anonymous') {
    throw new Refusal('claimed_or_in_flight', 'The mail with the link was sent already.')
  }
  requireClaimable(site, registration)
  if (dialect.ceremony === 'mailed-link' && attempt?.email === hint) {
    if (hasOpenAttempt(site, registration)) return c.json(claimStarted(site, registration, attempt))
  }
  if (kind === 'email' && !dialect.correctsHint && hint !== registration.email) {
    throw new Refusal(dialect.quirks.names.hintMismatch, 'This is not the address of before.')
  }
  if (kind === 'anonymous') delete registration.provider
  const email = kind === 'id-jag' ? (registration.email ?? hint) : hint
  const started = startAttempt(site, c.env.entry, registration, email)
  return c.json(claimStarted(site, registration, started))
}

/** v0.7: an anonymous registration becomes that of a provider's user. */
async function claimByIdJag(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { dialect, links } = site
  const { matchesBeforeInFlight } = dialect.quirks
  const claimToken = text(fields, 'claim_token')
  const assertion = text(fields, 'assertion')
  const registration = registrationOf(site, claimToken)
  const requireFree = () => {
    if (registration.kind !== 'anonymous') {
      throw new Refusal('claimed_or_in_flight', 'Only an anonymous registration is claimed so.')
    }
    requireClaimable(site, registration)
    if (!matchesBeforeInFlight && hasOpenAttempt(site, registration)) {
      throw new Refusal('claimed_or_in_flight', 'A ceremony is open.')
    }
  }
  requireFree()
  const idJag = await checkIdJag(site, assertion, 'claim')
  // Somebody else may have been quicker while the signature was checked.
  requireFree()
  takeIdJag(site, idJag, 'claim')
  c.env.entry.effect = true
  const linked = links.get(linkOf(idJag))
  const matched = linked ? undefined : matchOf(site, idJag)
  const account = linked ?? (matched ? undefined : openAccount(site, idJag))
  if (matchesBeforeInFlight) {
    if (account) links.set(linkOf(idJag), account)
    if (hasOpenAttempt(site, registration)) {
      throw new Refusal('ceremony_in_flight', 'A ceremony is open.')
    }
  }
  registration.provider = { iss: idJag.iss, sub: idJag.sub }
  const kind = { registration_type: dialect.kinds.idJag }
  if (!account) {
    const attempt = startAttempt(site, c.env.entry, registration, matched?.email ?? '')
    return c.json(claimStarted(site, registration, attempt, kind))
  }
  registration.paidOut = true
  confirm(site, registration, account)
  const issued = await issueAssertion(site, c.env.entry, registration)
  return c.json({
    registration_id: registration.id,
    registration_type: kindName(site, registration),
    status: 'claimed',
    ...assertionFields(site, issued),
  })
}
