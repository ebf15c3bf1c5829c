import type { Hono } from 'hono'
import { RateLimit } from '../rate-limit.ts'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { type Given, identity, registered } from './answers.ts'
import { checkIdJag, type IdJag, idJagRegistrationId, takeIdJag } from './assertion.ts'
import { idJagType } from './dialects.ts'
import { type AuthMdErrorCode, answering, Refusal } from './errors.ts'
import type { IdentityMethod } from './options.ts'
import { type Fields, readJson, text } from './read.ts'
import {
  bind,
  createRegistration,
  issueAssertion,
  issueCredential,
  issueRefreshToken,
  openWindow,
  startAttempt,
} from './registrations.ts'
import {
  type Account,
  type AuthMd,
  isEmail,
  linkOf,
  openAccount,
  type Registration,
  supportedScopes,
} from './state.ts'

export function registerRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect, options } = site
  const limit = new RateLimit(server.clock, options.registrationsPerHour ?? Infinity, 3_600_000)
  app.post(
    dialect.paths.register,
    answering(server, 'agent_register', (c) => {
      const wait = limit.take('all')
      if (wait !== undefined) {
        throw new Refusal('rate_limited', 'Too many registrations.', {
          headers: { 'retry-after': String(wait) },
        })
      }
      const fields = readJson(c)
      if (fields.type === 'refresh' && dialect.refresh) return refresh(c, site, fields)
      const method = methodOf(site, fields)
      if (method === undefined) throw new Refusal('invalid_request', 'There is no such type.')
      requireEnabled(site, method)
      if (method === 'anonymous') return anonymous(c, site, fields)
      if (method === 'service_auth') return byEmail(c, site, fields)
      return byIdJag(c, site, fields)
    }),
  )
}

/** The way that a body means, under the version's own names. */
function methodOf({ dialect }: AuthMd, fields: Fields): IdentityMethod | undefined {
  const method = (() => {
    if (fields.type === 'anonymous') return 'anonymous'
    if (fields.type === 'service_auth' && dialect.emailType === 'service_auth') return fields.type
    if (fields.type !== 'identity_assertion') return undefined
    if (fields.assertion_type === idJagType) return 'identity_assertion'
    const byEmail = fields.assertion_type === 'verified_email'
    return byEmail && dialect.emailType === 'verified_email' ? 'service_auth' : undefined
  })()
  return method !== undefined && dialect.methods.includes(method) ? method : undefined
}

function requireEnabled({ options, dialect }: AuthMd, method: IdentityMethod): void {
  const { methods } = options
  if (methods === undefined || methods.includes(method)) return
  const codes: Record<IdentityMethod, AuthMdErrorCode> = {
    anonymous: 'anonymous_not_enabled',
    service_auth: `${dialect.emailType}_not_enabled`,
    identity_assertion: 'issuer_not_enabled',
  }
  const { disabled } = dialect.quirks.names
  const code = disabled !== undefined && methods.length === 0 ? disabled : codes[method]
  throw new Refusal(code, 'This way is switched off.')
}

/** v0.1 is told which credential to give. */
function wanted(
  { dialect }: AuthMd,
  fields: Fields,
  all: readonly string[],
): Registration['wants'] {
  if (dialect.gives === 'assertion') return 'access_token'
  const type = text(fields, 'requested_credential_type')
  if (all.includes(type)) return type as Registration['wants']
  const code = dialect.quirks.serverOnlyCodes ? 'invalid_request' : 'unsupported_credential_type'
  throw new Refusal(code, `requested_credential_type is one of ${all.join(', ')}.`)
}

const credentialTypes = ['access_token', 'api_key'] as const

function wantedScopes({ dialect }: AuthMd, fields: Fields): { scopes?: readonly string[] } {
  if (!dialect.quirks.scopesAtRegistration || fields.scopes === undefined) return {}
  const { scopes } = fields
  if (!Array.isArray(scopes)) throw new Refusal('invalid_request', 'scopes must be a list.')
  return { scopes: supportedScopes.filter((scope) => scopes.includes(scope)) }
}

/** What a registration is worth at once. */
async function pay(c: SandboxContext, site: AuthMd, registration: Registration): Promise<Given> {
  const { entry } = c.env
  if (site.dialect.gives === 'credential') {
    return { credential: await issueCredential(site, entry, registration, registration.wants) }
  }
  return { assertion: await issueAssertion(site, entry, registration) }
}

async function anonymous(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const wants = wanted(site, fields, ['api_key'])
  const scopes = wantedScopes(site, fields)
  const registration = createRegistration(site, c.env.entry, {
    kind: 'anonymous',
    wants,
    ...scopes,
  })
  openWindow(site, c.env.entry, registration)
  const paid = await pay(c, site, registration)
  return c.json(registered(site, registration, { ...paid, window: true }))
}

function byEmail(c: SandboxContext, site: AuthMd, fields: Fields): Response {
  const email = hintOf(
    site,
    site.dialect.emailType === 'service_auth' ? 'login_hint' : 'assertion',
    fields,
  )
  const wants = wanted(site, fields, credentialTypes)
  const { entry } = c.env
  const scopes = wantedScopes(site, fields)
  const registration = createRegistration(site, entry, { kind: 'email', email, wants, ...scopes })
  openWindow(site, entry, registration)
  const attempt = startAttempt(site, entry, registration, email)
  return c.json(registered(site, registration, { window: true, attempt }))
}

/** The address in a field, trimmed and in lower case. */
export function hintOf({ dialect }: AuthMd, name: string, fields: Fields): string {
  const value = text(fields, name)
  if (isEmail(value)) return value.trim().toLowerCase()
  const code = dialect.emailType === 'service_auth' ? 'invalid_login_hint' : 'invalid_request'
  throw new Refusal(code, `${name} must be a mail address.`)
}

async function byIdJag(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { dialect, links, registrations } = site
  const assertion = text(fields, 'assertion')
  const wants = wanted(site, fields, credentialTypes)
  const idJag = await checkIdJag(site, assertion, 'register')
  takeIdJag(site, idJag, 'register')
  c.env.entry.effect = true
  const id = idJagRegistrationId(site, idJag)
  const provider = { iss: idJag.iss, sub: idJag.sub }
  const registration =
    registrations.get(id) ??
    createRegistration(site, c.env.entry, { kind: 'id-jag', id, wants, provider })
  registration.wants = wants
  const linked = links.get(linkOf(idJag))
  const matched = linked ?? matchOf(site, idJag)
  if (dialect.stepUp && !linked && matched) return stepUp(c, site, registration, matched)
  bind(site, registration, matched ?? openAccount(site, idJag))
  return c.json(registered(site, registration, await pay(c, site, registration)))
}

/** The account that a provider's word about e-mail or phone points at. */
export function matchOf({ accounts }: AuthMd, { email, phone }: IdJag): Account | undefined {
  return accounts.get(email?.toLowerCase() ?? '') ?? accounts.get(phone ?? '')
}

/** The person has to say that provider and account are the same. */
function stepUp(
  c: SandboxContext,
  site: AuthMd,
  registration: Registration,
  { email = '' }: Account,
): Response {
  const { dialect } = site
  const { entry } = c.env
  registration.claimed = false
  registration.revoked = false
  registration.paidOut = false
  registration.email = email
  openWindow(site, entry, registration)
  const attempt = startAttempt(site, entry, registration, email)
  const fields = registered(site, registration, { window: true, attempt })
  if (dialect.quirks.stepUpStatus === 200) return c.json(fields)
  const plain = dialect.discovery.register === 'registration_endpoint'
  throw new Refusal('interaction_required', 'The person has to confirm this.', { fields, plain })
}

async function refresh(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { server, registrations } = site
  const { refresh_token: token } = fields
  const entry = typeof token === 'string' ? server.ledger.find(token) : undefined
  const registration = registrations.get(entry?.account ?? '')
  if (entry?.kind !== 'refresh_token' || !server.ledger.isGood(entry) || !registration) {
    throw new Refusal('invalid_refresh_token', 'The refresh token is unknown, expired or spent.')
  }
  server.ledger.markUsed(entry)
  server.ledger.revoke(entry)
  const refreshToken = issueRefreshToken(site, c.env.entry, registration)
  const assertion = await issueAssertion(site, c.env.entry, registration)
  return c.json({
    id: registration.id,
    type: 'refresh',
    ...identity(site, { assertion, refreshToken }),
  })
}
