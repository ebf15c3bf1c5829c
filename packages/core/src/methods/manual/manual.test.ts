import { describe, expect, it } from 'vitest'
import type { Fact, ServiceProfile } from '../../discovery/profile.ts'
import { Secret } from '../../vault/secret.ts'
import type { MethodEvent, Offer, PlanAnswer } from '../method.ts'
import { manual } from './index.ts'

const source = { url: 'https://docs.vendor.test/auth.md', line: 1, kind: 'text' } as const
const context = { now: 0, random: () => 'r', identity: { mailbox: false } }

function fact(name: Fact['name'], value: string, more: Partial<Fact> = {}): Fact {
  return { name, value, source, ...more }
}
const page = fact('claim_uri', 'https://portal.vendor.test/#/keys', { mode: 'interactive' })
const header = fact('header_scheme', 'Authorization: Bearer')
const base = fact('use_base_url', 'https://api.vendor.test/v2')
const get = (url: string) => fact('request', url, { request: { method: 'GET', url } })

function profile(facts: readonly Fact[], more: Partial<ServiceProfile> = {}): ServiceProfile {
  return {
    asked: 'https://api.vendor.test/',
    service: 'https://api.vendor.test',
    serverMetadata: [],
    documents: [{ url: source.url, role: 'auth.md', hash: 'h', facts }],
    facts,
    tried: [],
    warnings: [],
    at: 0,
    ...more,
  }
}
const planOf = (...given: Parameters<typeof profile>) => manual.offers(profile(...given))[0]?.plan

describe('offers', () => {
  it('a page, a header and a base on one domain', () => {
    expect(manual.offers(profile([page, header, base]))).toEqual([
      {
        method: 'manual',
        service: 'https://api.vendor.test',
        summary: expect.stringContaining('portal.vendor.test'),
        needs: ['person'],
        plan: {
          page: page.value,
          bases: ['https://api.vendor.test/v2'],
          presentation: { header: 'authorization', prefix: 'Bearer ' },
          revocation: page.value,
        },
        sources: [source],
      },
    ])
  })

  it('the page where keys are deleted, where none is named for making them', () => {
    const revocation = { ...page, name: 'revocation_uri' } as const
    expect(planOf([revocation, header, base])).toMatchObject({ page: page.value })
    const url = 'https://portal.vendor.test/delete'
    expect(planOf([page, header, base, { ...revocation, value: url }])).toMatchObject({
      page: page.value,
      revocation: url,
    })
  })

  it('the service itself as the base, where none is stated', () => {
    expect(planOf([page, header])).toMatchObject({ bases: ['https://api.vendor.test'] })
  })

  it.each([
    ['no page', [header, base]],
    ['no header', [page, base]],
    ['a page for programs', [{ ...page, mode: 'programmatic' }, header, base]],
    ['a page without a mode', [fact('claim_uri', page.value), header, base]],
    ['a denied page', [{ ...page, denied: true }, header, base]],
    ['a demoted page', [{ ...page, demoted: true }, header, base]],
    ['a page that is no address', [{ ...page, value: '/keys' }, header, base]],
    ['a template', [{ ...page, value: 'https://portal.vendor.test/{team}' }, header, base]],
    ['plain http', [{ ...page, value: 'http://portal.vendor.test/' }, header, base]],
    ['a script', [{ ...page, value: 'javascript:alert(1)' }, header, base]],
    ['a user in the URL', [{ ...page, value: 'https://a:b@portal.vendor.test/' }, header, base]],
    ['an endpoint of OAuth', [{ ...page, value: 'https://vendor.test/authorize' }, header, base]],
    [
      'a query parameter that is one of several',
      [page, fact('header_scheme', '?token='), fact('header_scheme', '?key='), base],
    ],
    ['Basic', [page, fact('header_scheme', 'Authorization: Basic'), base]],
    [
      'keys that are denied',
      [page, header, base, fact('method', 'api-key-portal', { denied: true })],
    ],
  ] as [string, Fact[]][])('nothing for %s', (_, facts) => {
    expect(manual.offers(profile(facts))).toEqual([])
  })

  it.each([
    ['Authorization: Bearer', { header: 'authorization', prefix: 'Bearer ' }],
    ['Authorization: Token', { header: 'authorization', prefix: 'Token ' }],
    ['Authorization: <key>', { header: 'authorization', prefix: '' }],
    ['X-API-Key', { header: 'x-api-key', prefix: '' }],
    ['?token=', { header: 'authorization', prefix: '', query: 'token' }],
  ])('the scheme %s', (value, expected) => {
    expect(planOf([page, fact('header_scheme', value), base])).toMatchObject({
      presentation: expected,
    })
  })

  it('the query only where no header is named', () => {
    const both = [fact('header_scheme', '?token='), fact('header_scheme', 'X-Api-Key')]
    expect(planOf([page, ...both, base])).toMatchObject({
      presentation: { header: 'x-api-key', prefix: '' },
    })
  })

  it.each([
    ['<key>:', {}],
    ['api:<key>', { user: 'api' }],
    ['<user>:<key>', {}],
  ])('Basic as %s', (value, basic) => {
    const facts = [page, fact('header_scheme', 'Authorization: Basic'), fact('basic_auth', value)]
    expect(planOf([...facts, base])).toMatchObject({
      presentation: { header: 'authorization', prefix: 'Basic ', basic },
      ...(value.startsWith('<user>') ? { beside: [{ name: 'user', secret: false }] } : {}),
    })
  })

  it('what goes beside the key, and which of it is a secret', () => {
    const beside = [fact('key_beside', 'X-App-Id'), fact('key_beside', 'X-App-Secret')]
    expect(planOf([page, header, ...beside, base])).toMatchObject({
      beside: [
        { name: 'x-app-id', secret: false },
        { name: 'x-app-secret', secret: true },
      ],
    })
  })
})

describe('a document cannot have a real key sent elsewhere', () => {
  const real = fact('claim_uri', 'https://portal.real.test/keys', { mode: 'interactive' })
  const evil = fact('use_base_url', 'https://api.evil.test/v1')
  const asked = { asked: 'https://evil.test/', service: 'https://evil.test' }

  it.each([
    ['a base at evil.test', [real, header, evil], asked],
    ['no base at all', [real, header], asked],
    [
      'a base at the real service',
      [real, header, fact('use_base_url', 'https://api.real.test')],
      asked,
    ],
    ['a page marked as off the domain', [{ ...real, offDomain: true }, header, evil], asked],
    ['only a foreign base', [page, header, evil], {}],
    ['only a foreign base, marked', [page, header, { ...evil, offDomain: true }], {}],
    ['a base over http', [page, header, fact('use_base_url', 'http://api.vendor.test')], {}],
    ['a service named elsewhere', [page, header, base], { service: 'https://evil.test' }],
  ] as [string, Fact[], Partial<ServiceProfile>][])('%s: no offer', (_, facts, more) => {
    expect(manual.offers(profile(facts, more))).toEqual([])
  })

  it('and of several bases only those on the domain of the page are left', () => {
    expect(planOf([page, header, evil, base])).toMatchObject({ bases: [base.value] })
  })

  it('nor a key of a neighbour on a shared suffix', () => {
    const mine = fact('claim_uri', 'https://me.github.io/keys', { mode: 'interactive' })
    const yours = fact('use_base_url', 'https://you.github.io/api')
    const at = { asked: 'https://me.github.io/', service: 'https://me.github.io' }
    expect(planOf([mine, header, yours], at)).toBeUndefined()
    expect(planOf([mine, header], at)).toMatchObject({ bases: ['https://me.github.io'] })
  })
})

describe('the check', () => {
  it.each([
    'https://api.vendor.test/v2/things/{id}',
    'https://api.vendor.test/v2/things?x=1',
    'https://api.vendor.test/v2/things/:id',
    'https://api.vendor.test/v1/things',
    'https://api.evil.test/v2/things',
  ])('is not %s', (url) => {
    expect(planOf([page, header, base, get(url)])).not.toHaveProperty('probe')
  })

  it('is the first plain GET below the base', () => {
    const url = 'https://api.vendor.test/v2/things'
    expect(planOf([page, header, base, get(`${url}/{id}`), get(url)])).toMatchObject({ probe: url })
  })
})

const offer = (...facts: Fact[]) =>
  manual.offers(profile([page, header, base, ...facts]))[0] as Offer
const probe = get('https://api.vendor.test/v2/things')
const secret = new Secret('made-up-key-0123456789')
const pasted: MethodEvent = { type: 'person', input: { secret } }
const answers = (status: number): MethodEvent => {
  const answer: PlanAnswer = { status, url: probe.value, text: '', json: undefined }
  return { type: 'answer', answers: { 'check-key': answer } }
}

describe('transitions', () => {
  it('begins by asking, and says where the key goes', () => {
    const { next } = manual.begin(context, offer())
    expect(next).toEqual({
      wait: {
        for: 'person',
        prefix: 'Bearer ',
        need: {
          kind: 'paste-key',
          text: expect.stringContaining('only under https://api.vendor.test/v2'),
          url: page.value,
          audience: ['https://api.vendor.test/v2'],
        },
      },
    })
  })

  it('without a check a key is kept as it is', () => {
    const { state } = manual.begin(context, offer())
    const step = manual.next(context, state, pasted)
    expect(step).toMatchObject({ secrets: { key: secret } })
    expect(step.next).toEqual({
      done: {
        secret: 'key',
        kind: 'api_key',
        header: 'authorization',
        prefix: 'Bearer ',
        issuedBy: page.value,
        bases: ['https://api.vendor.test/v2'],
        revocation: { mode: 'interactive', url: page.value },
      },
    })
  })

  it('with one it is tried first, by its name', () => {
    const { state } = manual.begin(context, offer(probe))
    const step = manual.next(context, state, pasted)
    expect(step.next).toEqual({
      send: [
        {
          name: 'check-key',
          request: {
            method: 'GET',
            url: probe.value,
            credential: { header: 'authorization', prefix: 'Bearer ', secret: 'key' },
            redirects: 'none',
          },
          effect: 'none',
          ifLost: 'repeat',
        },
      ],
    })
  })

  it.each([200, 204, 302, 400, 403, 404, 429, 500])(
    '%i does not say that it is no key',
    (status) => {
      const { state } = manual.begin(context, offer(probe))
      const sent = manual.next(context, state, pasted)
      expect(manual.next(context, sent.state, answers(status)).next).toHaveProperty('done')
    },
  )

  it('401 does: the key is dropped and asked for again, also after a tick', () => {
    const { state } = manual.begin(context, offer(probe))
    const sent = manual.next(context, state, pasted)
    const refused = manual.next(context, sent.state, answers(401))
    expect(refused.secrets).toEqual({ key: null })
    const wait = { wait: { for: 'person', notice: expect.stringContaining('401') } }
    expect(refused.next).toMatchObject(wait)
    expect(manual.next(context, refused.state, { type: 'tick' }).next).toMatchObject(wait)
    const again = manual.next(context, refused.state, pasted)
    expect(again.state).not.toHaveProperty('notice')
  })

  it.each<MethodEvent>([
    { type: 'tick' },
    { type: 'retry' },
    { type: 'model', answer: 'made-up-key-0123456789' },
    { type: 'person', input: { link: 'https://portal.vendor.test/' } },
    { type: 'person', input: { done: true } },
  ])('%j is no key', (event) => {
    const begun = manual.begin(context, offer(probe))
    expect(manual.next(context, begun.state, event).next).toEqual(begun.next)
  })
})
