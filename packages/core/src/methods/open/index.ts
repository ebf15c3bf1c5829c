import { denies, type ServiceProfile } from '../../discovery/profile.ts'
import { registrableDomain } from '../../net/url.ts'
import type { Method, Offer } from '../method.ts'
import { plain, type Step } from '../step.ts'

interface Plan {
  readonly bases: readonly string[]
}

/**
 * A service whose documents say that nothing is needed. What is issued has no secret: it lets `use` send
 * requests there, under the same guard, within an audience, with answers redacted.
 */
export const open: Method = {
  id: 'open',

  offers(profile: ServiceProfile): readonly Offer[] {
    const { facts, service } = profile
    const said = facts.find(({ name, value, denied }) => {
      return name === 'method' && value === 'none-required' && !denied
    })
    if (!said || denies(profile, 'none-required') || !alike(service, profile.asked)) return []
    const stated = facts.filter(({ name, denied, offDomain }) => {
      return name === 'use_base_url' && !denied && !offDomain
    })
    const bases = stated.map(({ value }) => value).filter((base) => alike(base, service))
    const plan: Plan = { bases: bases.length > 0 ? bases : [service] }
    return [
      {
        method: 'open',
        service,
        summary:
          'The documents say that no credential is needed: requests are sent as anybody sends them.',
        needs: ['nothing'],
        gives: { scoped: true, shortLived: true, revocable: true },
        plan: { ...plan },
        sources: [said.source],
      },
    ]
  },

  begin(_context, { plan, service }): Step {
    const { bases } = plan as unknown as Plan
    const issued = {
      kind: 'none',
      header: '',
      prefix: '',
      issuedBy: service,
      bases,
    } as const
    return { state: plain({}), next: { done: issued } }
  },

  next(_context, state): Step {
    return { state, next: { failed: { code: 'expired', reason: 'There is nothing to wait for.' } } }
  },
}

function alike(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => URL.parse(text)?.hostname)
  if (first === undefined || second === undefined) return false
  const domain = registrableDomain(first)
  return first === second || (domain !== undefined && domain === registrableDomain(second))
}
