import { describe, expect, it } from 'vitest'
import type { Offer } from '../methods/method.ts'
import { type Preference, rank } from './ranking.ts'

const text = { url: 'https://svc.test/auth.md', kind: 'text' } as const
const server = {
  url: 'https://svc.test/.well-known/oauth-authorization-server',
  kind: 'server-metadata',
} as const
const bare = {
  serverMetadata: [{ url: server.url, issuer: 'https://svc.test', raw: {} }],
  facts: [],
}

function offer(method: string, more: Partial<Offer> = {}): Offer {
  const service = 'https://svc.test'
  return {
    method,
    service,
    summary: method,
    needs: ['person'],
    plan: null,
    sources: [text],
    ...more,
  }
}

function ranked(
  offers: readonly Offer[],
  preference: Partial<Preference> = {},
  profile: Parameters<typeof rank>[1] = bare,
) {
  const none = { denied: () => false, closed: () => false }
  const { offers: sorted, because } = rank(offers, profile, { ...none, ...preference })
  return { order: sorted.map(({ method }) => method).join(' '), because }
}

const free = { needs: ['nothing'] } as const

/** In each the second offer is the better one, by this clause and against all that come after it. */
describe('each clause', () => {
  it.each<[string, Partial<Offer>, Partial<Offer>, Partial<Preference>, string]>([
    [
      'preference',
      { ...free, gives: { scoped: true } },
      {},
      { prefer: ['b'] },
      'the operator prefers it',
    ],
    [
      'policy',
      free,
      {},
      { denied: ({ method }) => method === 'a' },
      "the operator's policy allows it",
    ],
    [
      'what the application has not',
      { needs: ['identity'] },
      {},
      { closed: ({ needs }) => needs.includes('identity') },
      'has what it needs',
    ],
    ['what merely exists', { ...free, sources: [server] }, {}, {}, 'merely exists'],
    ['a person', { gives: { scoped: true } }, free, {}, 'without a person'],
    [
      'rights',
      { gives: { shortLived: true, revocable: true } },
      { gives: { scoped: true } },
      {},
      'least rights',
    ],
    ['lifetime', {}, { gives: { shortLived: true } }, {}, 'ends soonest'],
    [
      'revocation',
      { gives: { shortLived: true } },
      { gives: { shortLived: true, revocable: true } },
      {},
      'can be ended',
    ],
  ])('%s', (_name, one, other, preference, why) => {
    const { order, because } = ranked([offer('a', one), offer('b', other)], preference)
    expect(order).toBe('b a')
    expect(because).toMatch(/^b comes first: .*\.$/)
    expect(because).toContain(why)
  })

  it('none: the order of the methods stands, and there is nothing to say', () => {
    expect(ranked([offer('b'), offer('a')])).toEqual({ order: 'b a', because: undefined })
  })

  it('a single offer needs no reason', () => {
    expect(ranked([offer('a')])).toEqual({ order: 'a', because: undefined })
  })

  it('of several preferred methods the first', () => {
    const all = [offer('a', free), offer('b'), offer('c')]
    expect(ranked(all, { prefer: ['c', 'b'] }).order).toBe('c b a')
  })
})

describe('a server does not merely exist where', () => {
  const key = offer('key')
  const oauth = offer('oauth', { ...free, sources: [server] })
  const issuer = 'https://svc.test'
  const fact = (kind: 'text' | 'server-metadata') =>
    ({ name: 'authorization_server', value: issuer, source: { ...text, kind } }) as const

  it.each<[string, Partial<Parameters<typeof rank>[1]>]>([
    [
      "the resource's own metadata names it",
      {
        resourceMetadata: {
          url: 'https://svc.test/.well-known/oauth-protected-resource',
          resource: issuer,
          authorizationServers: [`${issuer}/`],
          scopes: [],
        },
      },
    ],
    ['a text names it', { facts: [fact('text')] }],
    [
      'it has a block for agents',
      { serverMetadata: [{ url: server.url, raw: { agent_auth: {} } }] },
    ],
  ])('%s', (_why, more) => {
    expect(ranked([key, oauth], {}, { ...bare, ...more }).order).toBe('oauth key')
  })

  it('but not by its own word', () => {
    expect(ranked([oauth, key], {}, { ...bare, facts: [fact('server-metadata')] }).order).toBe(
      'key oauth',
    )
  })
})
