import type { FactName } from '../profile.ts'
import type { Descriptions } from './requests/describe.ts'
import { partly } from './rules/methods.ts'
import type { Found } from './rules/rule.ts'

/** What the text as a whole makes of what its sentences say: examples give way to what is stated. */
export function settle(found: readonly Found[], described: Descriptions): Found[] {
  const best = (name: FactName) => found.find((one) => one.name === name)?.weight ?? 0
  const stated = (...names: readonly FactName[]) =>
    found.some(({ name, denied }) => !denied && names.includes(name))
  const identityType = Math.min(best('identity_type'), 4)
  const base = usualBase(found)
  const registers = found.some(
    ({ name, mode, denied, value }) =>
      name === 'register_uri' && mode === 'programmatic' && !denied && !isText(value),
  )
  const offers = (...methods: readonly string[]) =>
    found.some(({ name, value, denied }) => name === 'method' && !denied && methods.includes(value))
  const closed = registers || stated('header_scheme', 'claim_uri') || offers('oauth-authcode')
  // A client that registers unasked still waits for a person's consent.
  const consented = offers('oauth-dcr') && offers('oauth-authcode') && !stated('identity_type')
  const kept = found.filter(({ name, value, weight, denied }) => {
    if (name === 'identity_type') return weight >= identityType
    if (name === 'use_base_url') return weight >= 1 || value === base
    if (name !== 'method' || denied) return true
    if (value === 'none-required') return weight > partly || !closed
    // "Anonymous access" is no anonymous registration.
    if (value === 'anonymous') return (registers && !consented) || weight > 2
    return true
  })
  return [...kept, ...unasked(found, described)]
}

/** A document is nothing that one registers at. */
function isText(value: string): boolean {
  return /\.md(?:$|[?#])/i.test(value)
}

/** Of the bases that only examples show, the one that most of them show. */
function usualBase(found: readonly Found[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { name, value, weight } of found) {
    if (name !== 'use_base_url') continue
    if (weight >= 1) return undefined
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const ordered = [...counts].sort(([, one], [, other]) => other - one)
  return ordered[0]?.[0]
}

const personal = /(?:^|\.|_)(?:e?mail|password|passphrase|assertion|phone|signature|wallet|invite)/i

/** Registering without saying who one is: nothing of a person is sent, and a credential is answered. */
function unasked(found: readonly Found[], described: Descriptions): Found[] {
  const types = found.filter(({ name }) => name === 'identity_type').map(({ value }) => value)
  const denied = found.some((one) => one.value === 'anonymous' && one.denied)
  if (denied || (types.length > 0 && !types.includes('anonymous'))) return []
  const register = found.filter(
    ({ name, mode }) => name === 'register_uri' && mode === 'programmatic',
  )
  for (const { value, line } of register) {
    const request = described.get(`POST ${value}`)
    const got = request?.answer?.credential
    // A client's secret is what a client of OAuth is given.
    if (!request || !got || /client_?secret/i.test(got)) continue
    const sent = request.headers?.some(({ name }) => /^authorization$|key|token/i.test(name))
    const asks = request.fields?.some(
      ({ name, secret, required }) => required !== false && (secret || personal.test(name)),
    )
    if (!sent && !asks) return [{ name: 'method', value: 'anonymous', weight: 1, line }]
  }
  return []
}
