import { type DescribedRequest, factOf, type ServiceProfile } from '../../discovery/profile.ts'
import { registrableDomain } from '../../net/url.ts'
import type { Offer } from '../method.ts'

/** The addresses of the flow, as the registration page names them. */
export interface Endpoints {
  readonly challenge: string
  /** The challenge is the older proof of work, not a puzzle. */
  readonly work?: true
  /** The origin where an inbox is made if nobody gives an address: the operator's word, in no document. */
  readonly inbox?: string
  readonly signup: string
  readonly resend: string
  readonly sessions: string
  readonly keys: string
  /** Where a person deletes what was made. */
  readonly portal?: string
  /** Where the key is used. */
  readonly base: string
  /** A harmless request that needs the key. */
  readonly probe?: string
}

/**
 * The offer of a service whose registration page names a challenge, a puzzle or
 * the older proof of work, and a bot signup. The page
 * and all that it names must lie on the registrable domain that was asked.
 */
export function offerOf(
  profile: ServiceProfile,
  method: string,
  inbox?: string,
): Offer | undefined {
  const domain = registrableDomain(new URL(profile.asked).hostname)
  if (domain === undefined) return undefined
  const pages = profile.documents.filter((one) => one.role === 'registration-page')
  for (const page of pages) {
    const facts = page.facts.filter((fact) => fact.name === 'request' && fact.request)
    const find = (verb: string, tail: string): string | undefined =>
      facts.map((fact) => fact.request).find((request) => names(request, verb, tail, domain))?.url
    const puzzle = find('POST', '/bot_challenge')
    const challenge = puzzle ?? find('POST', '/pow_signup_challenge')
    const signup = find('POST', '/bot_signup')
    if (challenge === undefined || signup === undefined) continue
    const root = signup.replace(/\/bot_signup$/, '')
    const portal = (factOf(profile, 'revocation_uri') ?? factOf(profile, 'claim_uri'))?.value
    const base = factOf(profile, 'use_base_url')?.value ?? root
    const probe = profile.facts.find(
      ({ name, request }) => name === 'request' && request && isProbe(request, base, root),
    )?.request?.url
    const plan: Endpoints = {
      challenge,
      ...(puzzle === undefined ? { work: true as const } : {}),
      signup,
      resend:
        find('POST', '/bot_signup/resend_magic_link') ?? `${root}/bot_signup/resend_magic_link`,
      sessions: find('GET', '/bot_sessions') ?? `${root}/bot_sessions`,
      keys: find('POST', '/api_keys') ?? `${root}/api_keys`,
      base,
      ...(inbox === undefined ? {} : { inbox }),
      ...(portal === undefined ? {} : { portal }),
      ...(probe === undefined ? {} : { probe }),
    }
    return {
      method,
      service: profile.service,
      summary: `Sign up for a new account: ${puzzle ? 'you solve a puzzle' : 'a proof of work is computed'}, a person accepts the terms, a mail${inbox ? ', to an inbox that is made where nobody gives an address,' : ''} confirms the address; gives an API key.`,
      needs: [
        ...(puzzle ? (['model'] as const) : []),
        ...(inbox ? [] : (['email', 'person'] as const)),
      ],
      plan: { ...plan },
      sources: facts.slice(0, 1).map((fact) => fact.source),
    }
  }
  return undefined
}

/** A described request by method and path, wherever a query or an example host stands after it. */
function names(
  request: DescribedRequest | undefined,
  verb: string,
  tail: string,
  domain: string,
): boolean {
  if (request === undefined || request.method !== verb) return false
  const url = URL.parse(request.url)
  return url?.pathname.endsWith(tail) === true && registrableDomain(url.hostname) === domain
}

/** A plain GET below the base that is no step of the signup itself. */
function isProbe(request: DescribedRequest, base: string, root: string): boolean {
  const below = request.method === 'GET' && request.url.startsWith(`${base}/`)
  return below && !request.url.startsWith(`${root}/bot_`) && !request.url.includes('{')
}
