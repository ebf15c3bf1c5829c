import { hostRank, sameService } from '../use/audience.ts'
import type { Credential } from './credentials.ts'

/**
 * Those that may serve a service, the best first: usable before not, one's own before what is shared,
 * those of this very host before its siblings, newest first. One that came in an answer to `use` is meant
 * only by its handle; one that replaces another waits behind it until it was seen to work.
 */
export function ranked(all: readonly Credential[], service: string): readonly Credential[] {
  const active = new Set(all.filter(({ state }) => state === 'active').map((one) => one.handle))
  const states = { active: 0, invalid: 2, revoking: 3, revoked: 4, forgotten: 4 }
  const rank = (one: Credential): number => {
    if (one.parent !== undefined) return 9
    const early = one.workedAt === undefined && active.has(one.replaces ?? '')
    // What anybody may do is done with a key where one is held.
    return one.state === 'active' && (early || one.kind === 'none') ? 1 : states[one.state]
  }
  return all
    .filter((one) => one.service === service || sameService(one, service))
    .filter(({ shared }) => shared === undefined || shared.verbs.includes('use'))
    .sort(
      (a, b) =>
        rank(a) - rank(b) || foreign(a) - foreign(b) || hostRank(a, service) - hostRank(b, service),
    )
}

/** One's own comes before what is shared. */
function foreign({ shared }: Credential): number {
  return shared === undefined ? 0 : 1
}
