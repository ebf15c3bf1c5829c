import type { Hono } from 'hono'
import type { SandboxContext, SandboxEnv } from '../server.ts'
import { burn, type TokenFault, TokenProblem, verifyProviderToken } from './assertion.ts'
import { type AuthMdErrorCode, answering, Refusal } from './errors.ts'
import { kill } from './registrations.ts'
import type { AuthMd } from './state.ts'

type Codes = Readonly<Partial<Record<TokenFault, AuthMdErrorCode>>>

const logoutCodes: Codes = {
  issuer: 'invalid_issuer',
  audience: 'invalid_audience',
  noAudience: 'invalid_audience',
  signature: 'invalid_signature',
  key: 'invalid_signature',
  expired: 'expired',
  replay: 'replay_detected',
}
/** RFC 8935, section 2.4; the rest is `invalid_request`. */
const eventCodes: Codes = {
  issuer: 'invalid_issuer',
  audience: 'invalid_audience',
  noAudience: 'invalid_audience',
  signature: 'authentication_failed',
  key: 'invalid_key',
  expired: 'authentication_failed',
}

/** Where a provider says that a user's registrations have come to an end. */
export function eventRoutes(app: Hono<SandboxEnv>, site: AuthMd): void {
  const { server, dialect } = site
  const isLogout = dialect.providerChannel === 'logout+jwt'
  app.post(
    dialect.paths.events,
    answering(
      server,
      'agent_events',
      async (c) => {
        const revoked = await receive(c, site, isLogout ? logoutCodes : eventCodes)
        return isLogout ? c.json({ revoked }) : c.body(null, 202)
      },
      isLogout ? 'agent' : 'events',
    ),
  )
}

async function receive(c: SandboxContext, site: AuthMd, codes: Codes): Promise<number> {
  const { dialect, issuer } = site
  const { body } = c.env.entry
  const typ = dialect.providerChannel
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== `application/${typ}`) {
    throw new Refusal('invalid_request', `The body must be application/${typ}.`)
  }
  try {
    const claims = await verifyProviderToken(site, body.trim(), { typ, audience: issuer })
    const { iss, sub, jti, iat, events } = claims
    if (typeof sub !== 'string' || typeof jti !== 'string' || typeof iat !== 'number') {
      throw new TokenProblem('malformed', 'sub, jti and iat are required.')
    }
    if (typeof events !== 'object' || events === null) {
      throw new TokenProblem('malformed', 'events is required.')
    }
    burn(site, iss, jti)
    c.env.entry.effect = true
    // Written with and without `/auth`: both mean the same.
    const known = Object.keys(events).some((uri) =>
      /^https:\/\/schemas\.workos\.com\/events\/agent\/(auth\/)?identity\/assertion\/revoked$/.test(
        uri,
      ),
    )
    return known ? killAll(site, iss, sub) : 0
  } catch (error) {
    if (!(error instanceof TokenProblem)) throw error
    const { fault, message } = error
    const named = codes[fault] ?? 'invalid_request'
    const sampled = named === 'invalid_key' && dialect.quirks.serverOnlyCodes
    throw new Refusal(sampled ? 'authentication_failed' : named, message)
  }
}

function killAll(site: AuthMd, iss: string, sub: string): number {
  const theirs = [...site.registrations.values()].filter(
    ({ provider, kind, claimed }) =>
      provider?.iss === iss && provider.sub === sub && (kind === 'id-jag' || claimed),
  )
  return theirs.reduce((count, registration) => count + kill(site, registration), 0)
}
