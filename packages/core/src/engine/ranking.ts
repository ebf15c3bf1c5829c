import type { ServiceProfile } from '../discovery/profile.ts'
import type { Offer } from '../methods/method.ts'

/** What the order of offers depends on beside the offers. */
export interface Preference {
  /** Methods that the operator prefers, the best first. */
  readonly prefer?: readonly string[] | undefined
  /** Whether the operator's policy forbids an offer. */
  readonly denied: (offer: Offer) => boolean
  /** Whether it takes what the application has not: an identity that somebody vouches for. */
  readonly closed: (offer: Offer) => boolean
}

export interface Ranked {
  readonly offers: readonly Offer[]
  /** Why the first is first, in one sentence; absent where nothing tells it from the next. */
  readonly because?: string
}

/**
 * Offers in the order in which they are tried: the operator's preference, then what the policy allows, what
 * the application can go, what the service itself names, what works without a person, what gives least, and what ends soonest. What is
 * alike in all of these stays in the order of the methods.
 */
export function rank(
  offers: readonly Offer[],
  profile: Pick<ServiceProfile, 'serverMetadata' | 'resourceMetadata' | 'facts'>,
  { prefer = [], denied, closed }: Preference,
): Ranked {
  const clauses: readonly (readonly [says: string, rank: (offer: Offer) => number])[] = [
    [
      'the operator prefers it',
      ({ method }) => (prefer.includes(method) ? prefer.indexOf(method) : prefer.length),
    ],
    ["the operator's policy allows it", (offer) => Number(denied(offer))],
    ['the application has what it needs', (offer) => Number(closed(offer))],
    [
      'the service names it for its callers, and the next rests on an authorization server that merely exists',
      (offer) => Number(merelyExists(offer, profile)),
    ],
    ['it works without a person', ({ needs }) => Number(needs.includes('person'))],
    ['it gives the least rights', ({ gives }) => Number(gives?.scoped !== true)],
    [
      'what it gives ends soonest or can be ended',
      ({ gives }) => -Number(gives?.shortLived === true) - Number(gives?.revocable === true),
    ],
  ]
  const sorted = offers.toSorted((one, other) => {
    const difference = clauses.map(([, of]) => of(one) - of(other)).find((it) => it !== 0)
    return difference ?? 0
  })
  const [first, second] = sorted
  if (first === undefined || second === undefined) return { offers: sorted }
  const clause = clauses.find(([, of]) => of(first) !== of(second))
  return clause === undefined
    ? { offers: sorted }
    : { offers: sorted, because: `${first.method} comes first: ${clause[0]}.` }
}

/** An offer on nothing but a server's metadata, which neither the resource nor a text nor an agent's block names. */
function merelyExists(
  { sources }: Offer,
  { serverMetadata, resourceMetadata, facts }: Parameters<typeof rank>[1],
): boolean {
  if (sources.length === 0 || sources.some(({ kind }) => kind !== 'server-metadata')) return false
  const servers = serverMetadata.filter(({ url }) => sources.some((one) => one.url === url))
  const inText = facts.flatMap(({ name, value, denied, source }) =>
    name === 'authorization_server' && !denied && source.kind !== 'server-metadata' ? [value] : [],
  )
  const named = [...(resourceMetadata?.authorizationServers ?? []), ...inText].map(originOf)
  return !servers.some(
    ({ url, issuer, raw }) => 'agent_auth' in raw || named.includes(originOf(issuer ?? url)),
  )
}

function originOf(address: string): string {
  return URL.parse(address)?.origin ?? address
}
