import type { Hono } from 'hono'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { assertionFields, directCredential, identity, time } from './answers.ts'
import { registrationOf } from './claim.ts'
import { answering, Refusal } from './errors.ts'
import { type Fields, readJson, text } from './read.ts'
import {
  confirm,
  isOver,
  issueAssertion,
  issueCredential,
  issueRefreshToken,
  mintCode,
  scopesOf,
} from './registrations.ts'
import { type AuthMd, openAccount, type Registration } from './state.ts'

/** Where an agent hands in the code that the person read to it. */
export function completeRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect } = site
  const { ceremony, paths } = dialect
  if (ceremony === 'typed') return
  const complete = {
    'mailed-link': completeByLink,
    'read-back': completeReadBack,
    'mailed-code': completeByMailedCode,
  }[ceremony]
  app.post(
    `${paths.claim}/complete`,
    answering(server, 'agent_claim_complete', (c) => complete(c, site, readJson(c))),
  )
  if (ceremony !== 'mailed-link') return
  app.post(
    `${paths.claim}/attempt/challenge`,
    answering(server, 'agent_claim_challenge', (c) => challenge(c, site, readJson(c))),
  )
}

function codeOf(fields: Fields, name: string): string {
  const code = text(fields, name)
  if (/^\d{6}$/.test(code)) return code
  throw new Refusal('invalid_request', `${name} must be six digits.`)
}

/** The mailed page asks for the code that it shows. */
function challenge(c: SandboxContext, site: AuthMd, fields: Fields): Response {
  const found = site.byAttemptToken.get(text(fields, 'claim_attempt_token'))
  if (!found) throw new Refusal('invalid_claim_token', 'This link is unknown.')
  const { registration, attempt } = found
  if (registration.claimed) throw new Refusal('claim_completed', 'It was confirmed already.')
  if (attempt.superseded) throw new Refusal('claim_superseded', 'There is a newer link.')
  if (isOver(site, registration) || site.server.clock.now() >= attempt.expiresAt) {
    throw new Refusal('claim_expired', 'This link is too old.')
  }
  const code = mintCode(site, c.env.entry, registration, attempt)
  return c.json({
    type: 'otp',
    challenge: code,
    expires_at: time(site, attempt.codeExpiresAt ?? attempt.expiresAt),
  })
}

async function completeByLink(c: SandboxContext, site: AuthMd, fields: Fields): Promise<Response> {
  const { server, dialect } = site
  const { entry } = c.env
  const claimToken = text(fields, 'claim_token')
  const otp = codeOf(fields, 'otp')
  const registration = registrationOf(site, claimToken)
  const { attempt } = registration
  if (registration.claimed) throw new Refusal('previously_claimed', 'It is claimed already.')
  if (isOver(site, registration)) throw new Refusal('claim_expired', 'The time is over.')
  if (attempt?.code === undefined) {
    const code = dialect.quirks.serverOnlyCodes ? 'otp_not_generated' : 'otp_invalid'
    throw new Refusal(code, 'The person has not opened the link yet.')
  }
  if (server.clock.now() >= (attempt.codeExpiresAt ?? 0)) {
    throw new Refusal('otp_expired', 'This code is too old.')
  }
  if (attempt.code !== otp) throw new Refusal('otp_invalid', 'This is not the code.')
  confirm(site, registration, openAccount(site, { email: attempt.email }))
  entry.effect = true
  const claimed = { registration_id: registration.id, status: 'claimed' }
  if (registration.kind === 'anonymous') return c.json(claimed)
  if (dialect.gives === 'assertion') {
    const issued = await issueAssertion(site, entry, registration)
    return c.json({ ...claimed, ...assertionFields(site, issued) })
  }
  const credential = await issueCredential(site, entry, registration, registration.wants)
  return c.json({
    ...claimed,
    ...directCredential(site, credential),
    scopes: scopesOf(registration),
  })
}

async function completeReadBack(
  c: SandboxContext,
  site: AuthMd,
  fields: Fields,
): Promise<Response> {
  const { server } = site
  const { entry } = c.env
  const claimToken = text(fields, 'claim_token')
  const code = codeOf(fields, 'user_code')
  const registration = registrationOf(site, claimToken, 'invalid_claim')
  const attempt = requireAttempt(site, registration)
  if (!attempt.confirmed) {
    throw new Refusal('claim_not_confirmed', 'The person has not confirmed yet.')
  }
  if (server.clock.now() >= attempt.expiresAt) {
    throw new Refusal('user_code_expired', 'This code is too old.')
  }
  if (attempt.code !== code) throw new Refusal('invalid_user_code', 'This is not the code.')
  confirm(site, registration, openAccount(site, { email: attempt.email }))
  const refreshToken = issueRefreshToken(site, entry, registration)
  const assertion = await issueAssertion(site, entry, registration)
  return c.json({
    id: registration.id,
    status: 'claimed',
    ...identity(site, { assertion, refreshToken }),
  })
}

function requireAttempt(site: AuthMd, registration: Registration) {
  const { names } = site.dialect.quirks
  if (registration.claimed) throw new Refusal(names.claimed, 'It is claimed already.')
  if (isOver(site, registration)) throw new Refusal('claim_expired', 'The time is over.')
  if (!registration.attempt) throw new Refusal('claim_expired', 'No ceremony was started.')
  return registration.attempt
}

function completeByMailedCode(c: SandboxContext, site: AuthMd, fields: Fields): Response {
  const { server, dialect } = site
  const claimToken = text(fields, 'claim_token')
  const code = codeOf(fields, 'user_code')
  const registration = registrationOf(site, claimToken)
  const attempt = requireAttempt(site, registration)
  const dead = () => attempt.wrongCodes >= dialect.quirks.tries
  const killed = new Refusal('code_dead', 'There were too many wrong codes.')
  if (dead()) throw killed
  if (server.clock.now() >= attempt.expiresAt) {
    throw new Refusal('user_code_expired', 'This code is too old.')
  }
  if (attempt.code !== code) {
    attempt.wrongCodes += 1
    throw dead() ? killed : new Refusal('invalid_user_code', 'This is not the code.')
  }
  confirm(site, registration, openAccount(site, { email: attempt.email }))
  c.env.entry.effect = true
  return c.json({ status: 'claimed' })
}
