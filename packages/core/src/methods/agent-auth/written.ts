import type { Fact, ServiceProfile, Source } from '../../discovery/profile.ts'
import { isEndpoint } from '../../discovery/trust.ts'
import type { IdentityType, Plan } from './state.ts'

/** What ends a path where agents register, whichever version a text describes. */
const registers = /\/agent\/(auth|identity|register)\/?$/
const mailTypes = ['verified_email', 'email-otp']

/**
 * The plan of a service that has no metadata of it and whose texts say enough: where one registers by this
 * convention, as what, and where an assertion is changed for a token or that none is needed.
 */
export function writtenPlan(profile: ServiceProfile): { plan: Plan; source: Source } | undefined {
  const { service, facts, serverMetadata } = profile
  // Metadata counts where it is there, also for what it does not offer.
  if (serverMetadata.some(({ raw }) => raw.agent_auth !== undefined)) return undefined
  const stated = facts.filter(({ denied, offDomain, source }) => {
    return !denied && !offDomain && source.kind === 'text'
  })
  const usable = ({ value }: Fact) => URL.canParse(value) && isEndpoint(value, service)
  const endpoint = (name: Fact['name'], path: RegExp) =>
    stated.find((one) => {
      if (one.name !== name || one.mode === 'interactive' || !usable(one)) return false
      if (name === 'request' && one.request?.method !== 'POST') return false
      return path.test(new URL(one.value).pathname)
    })
  const register = endpoint('register_uri', registers) ?? endpoint('request', registers)
  if (register === undefined) return undefined
  const says = (...types: readonly string[]) =>
    stated.some(({ name, value }) => /^(method|identity_type)$/.test(name) && types.includes(value))
  const byMail = says(...mailTypes)
  const types: readonly IdentityType[] = [
    ...(says('anonymous') ? (['anonymous'] as const) : []),
    ...(byMail || says('service_auth') ? (['service_auth'] as const) : []),
  ]
  const token = endpoint('request', /\/token\/?$/)?.value
  const direct = /\/agent\/auth\/?$/.test(new URL(register.value).pathname)
  if (types.length === 0 || (token === undefined && !direct)) return undefined
  const claim = endpoint('claim_uri', /\/claim\/?$/) ?? endpoint('request', /\/claim\/?$/)
  const revoke = endpoint('request', /\/revoke\/?$/)?.value
  const plan: Plan = {
    service,
    register: register.value,
    types,
    emailType: byMail && !says('service_auth') ? 'verified_email' : 'service_auth',
    ...(claim === undefined ? {} : { claim: claim.value }),
    ...(token === undefined || direct ? { credentialType: 'api_key' } : { token }),
    ...(revoke === undefined || token === undefined || direct ? {} : { revoke }),
  }
  return { plan, source: register.source }
}
