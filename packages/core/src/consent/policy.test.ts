import { describe, expect, test } from 'vitest'
import { type Action, type Effect, makeAction } from './action.ts'
import { Rules } from './policy.ts'
import type { Policy, PolicyRule } from './policy-data.ts'
import { shownScopes } from './scopes.ts'

const service = 'https://api.vendor.example'
const post: Effect = { kind: 'unsafe-request', method: 'POST', url: `${service}/v2/messages` }
const get: Effect = { kind: 'safe-request', method: 'GET', url: `${service}/v2/messages` }
const key: Effect = {
  kind: 'create-credential',
  at: `${service}/v2/keys`,
  audience: [service],
  credential: 'an API key',
}
const identity: Effect = {
  kind: 'present-identity',
  email: 'agents@operator.test',
  emailFrom: 'session',
  to: 'api.vendor.example',
}
const terms: Effect = {
  kind: 'accept-terms',
  texts: [
    { role: 'terms', url: 'https://vendor.example/terms', textHash: 'A'.repeat(43), readAt: 1 },
    { role: 'privacy', url: 'https://vendor.example/privacy', readAt: 1 },
  ],
}
const contact: Effect = { kind: 'first-contact', domain: 'vendor.example', url: service }
const revoke: Effect = { kind: 'revoke', credential: 'cred_1', how: 'local' }

function actionOf(effects: readonly Effect[], more: Partial<Action> = {}): Promise<Action> {
  const verb = effects[0] === revoke ? 'revoke' : 'use'
  const parts = { verb, owner: { tenant: 'acme' }, service, revision: 0, effects } as const
  return makeAction({ ...parts, ...more })
}

async function decided(rules: readonly PolicyRule[], effect: Effect, more?: Partial<Action>) {
  return new Rules({ rules }).judge(await actionOf([effect], more)).decision
}

describe('without a policy', () => {
  test.each([
    [get, 'allow'],
    [contact, 'allow'],
    [post, 'ask'],
    [key, 'ask'],
    [identity, 'ask'],
    [terms, 'ask'],
    [revoke, 'ask'],
  ] as const)('$0.kind: %s', async (effect, decision) => {
    expect(new Rules().judge(await actionOf([effect]))).toEqual({ decision, by: 'default' })
  })
})

describe('the strictest decides', () => {
  const rules: PolicyRule[] = [
    { decide: 'allow', when: { service: 'vendor.example' } },
    { decide: 'ask', when: { method: 'POST' }, because: 'posts are looked at' },
    { decide: 'deny', when: { path: '/v2/orders' }, because: 'no orders' },
  ]
  const orders: Effect = { ...post, url: `${service}/v2/orders/1` }

  test.each([
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ])('whatever the order: %i, %i, %i', async (...order) => {
    const sorted = order.map((at) => rules[at] as PolicyRule)
    const policy = new Rules({ rules: sorted })
    expect(policy.judge(await actionOf([orders]))).toEqual({
      decision: 'deny',
      by: 'policy',
      rule: order.indexOf(2),
      because: 'no orders',
    })
    expect(policy.judge(await actionOf([post]))).toMatchObject({ decision: 'ask' })
    expect(policy.judge(await actionOf([get]))).toMatchObject({ decision: 'allow' })
  })

  test('of the effects of one call as well', async () => {
    const policy = new Rules({
      rules: [
        { decide: 'allow', when: { effect: ['create-credential', 'present-identity'] } },
        { decide: 'deny', when: { effect: 'accept-terms' } },
      ],
    })
    expect(policy.judge(await actionOf([key, identity])).decision).toBe('allow')
    expect(policy.judge(await actionOf([key, identity, post])).decision).toBe('ask')
    expect(policy.judge(await actionOf([key, terms, identity])).decision).toBe('deny')
  })
})

describe('a path covers what is below it by whole segments', () => {
  const at = (url: string): Effect => ({ ...post, url: `${service}${url}` })

  test.each([
    ['/v2/messages', true, true],
    ['/v2/messages/1', true, true],
    ['/v2/messages/', true, true],
    ['/v2/messages?to=x', true, true],
    ['/v2/m%65ssages', true, true],
    ['/V2/Messages', true, false],
    ['/v2/messages%2f1', true, false],
    ['/v2//messages', true, false],
    ['/v2/messagesx', false, false],
    ['/v2', false, false],
    ['/x/v2/messages', false, false],
  ])('%s: deny %s, allow %s', async (url, denied, allowed) => {
    const when = { path: '/v2/messages/' }
    expect(await decided([{ decide: 'deny', when }], at(url))).toBe(denied ? 'deny' : 'ask')
    expect(await decided([{ decide: 'allow', when }], at(url))).toBe(allowed ? 'allow' : 'ask')
  })

  test('and nothing that is no request', async () => {
    expect(await decided([{ decide: 'deny', when: { path: '/' } }], key)).toBe('ask')
  })
})

describe('scopes: each is allowed or it is asked, one is enough to be strict', () => {
  const holding = (...scopes: string[]): Effect => ({ ...key, scopes })

  test.each([
    [holding('api.read'), 'allow', 'ask'],
    [holding('api.read', 'api.list'), 'allow', 'ask'],
    [holding('api.read', 'api.write'), 'ask', 'deny'],
    [holding('api.write'), 'ask', 'deny'],
    [holding('API.READ'), 'ask', 'ask'],
    [holding('api.readers'), 'ask', 'ask'],
    [holding(), 'ask', 'deny'],
    [key, 'ask', 'deny'],
    [identity, 'ask', 'ask'],
    [post, 'ask', 'ask'],
  ] as const)('%j: allow %s, deny %s', async (effect, allowed, denied) => {
    const listed = { scopes: ['api.read', 'api.list'] }
    expect(await decided([{ decide: 'allow', when: listed }], effect)).toBe(allowed)
    expect(await decided([{ decide: 'deny', when: { scopes: 'api.write' } }], effect)).toBe(denied)
  })

  test('a call of which nothing is known but its service is not denied by them', () => {
    const policy = new Rules({ rules: [{ decide: 'deny', when: { scopes: 'api.write' } }] })
    expect(policy.denies({ verb: 'register', service })).toBeUndefined()
  })

  test('it is said where none are known', async () => {
    const rules: PolicyRule[] = [
      { decide: 'ask', when: { scopes: 'api.write' }, because: 'writing is looked at' },
    ]
    const because = async (effect: Effect) =>
      new Rules({ rules }).judge(await actionOf([effect])).because
    expect(await because(key)).toBe('writing is looked at; its scopes are not known')
    expect(await because(holding('api.write'))).toBe('writing is looked at')
  })

  test('a person reads them, and another scope is another action', async () => {
    const [one, two] = await Promise.all(
      [holding('api.read'), holding('api.read', 'api.write')].map((effect) => actionOf([effect])),
    )
    expect(two?.summary).toContain(`only under ${service}. Its scopes: api.read, api.write.`)
    expect(one?.digest).not.toBe(two?.digest)
  })

  test.each([
    [
      ['b', 'a', 'b'],
      ['a', 'b'],
    ],
    [[], undefined],
    [undefined, undefined],
    [['a b'], undefined],
    [['a', 7], undefined],
    [['a', 'b\u202e'], undefined],
    [Array.from({ length: 101 }, (_, at) => `s${at}`), undefined],
  ] as const)('of %j an effect shows %j', (given, shown) => {
    expect(shownScopes(given)).toEqual(shown)
  })
})

test('a rule on GET that is strict covers HEAD, one that allows does not', async () => {
  const head: Effect = { ...get, method: 'HEAD' }
  const when = { method: 'GET' }
  expect(await decided([{ decide: 'ask', when }], head)).toBe('ask')
  expect(await decided([{ decide: 'deny', when }], post)).toBe('ask')
  expect(new Rules({ rules: [{ decide: 'allow', when }] }).judge(await actionOf([head])).by).toBe(
    'default',
  )
})

test('the method of register is the way of registering, of use that of HTTP', async () => {
  const rules: PolicyRule[] = [{ decide: 'deny', when: { method: 'telnyx-signup' } }]
  const signup = { verb: 'register', method: 'telnyx-signup' } as const
  expect(await decided(rules, key, signup)).toBe('deny')
  expect(await decided(rules, key, { ...signup, method: 'manual' })).toBe('ask')
  expect(await decided(rules, post, signup)).toBe('ask')
  const policy = new Rules({ rules })
  expect(policy.denies({ ...signup, service })).toMatchObject({ rule: 0 })
  expect(policy.denies({ verb: 'register', service })).toBeUndefined()
})

describe('a service is a registrable domain or an origin', () => {
  test.each([
    ['vendor.example', 'https://api.vendor.example', true],
    ['VENDOR.example', 'https://vendor.example./x', true],
    ['https://api.vendor.example', 'https://api.vendor.example/v2', true],
    ['https://api.vendor.example', 'https://www.vendor.example', false],
    ['https://api.vendor.example', 'https://api.vendor.example:8443', false],
    ['vendor.example', 'https://vendor.example.evil.test', false],
    ['vendor.example', 'https://evilvendor.example', false],
    ['v\u0435ndor.example', 'https://vendor.example', false],
    ['localhost', 'http://localhost:1234', true],
  ])('%s and %s: %s', async (named, url, fits) => {
    const effect: Effect = { ...post, url }
    const rules: PolicyRule[] = [{ decide: 'deny', when: { service: named } }]
    expect(await decided(rules, effect, { service: url })).toBe(fits ? 'deny' : 'ask')
  })

  test.each([
    { ...post, url: 'https://api.other.example/v2' },
    { ...key, at: 'https://api.other.example/keys' },
    { ...identity, to: 'api.other.example' },
  ] as Effect[])(
    '$kind elsewhere: allowed only where both are named, denied by either',
    async (effect) => {
      const rule = (decide: PolicyRule['decide'], named: string | string[]): PolicyRule[] => [
        { decide, when: { service: named } },
      ]
      const both = ['vendor.example', 'other.example']
      for (const named of both) {
        expect(await decided(rule('allow', named), effect)).toBe('ask')
        expect(await decided(rule('deny', named), effect)).toBe('deny')
      }
      expect(await decided(rule('allow', both), effect)).toBe('allow')
    },
  )
})

test('what no rule can allow is asked: terms, an address of the model, a second key, a mounted tool', async () => {
  const rules: PolicyRule[] = [{ decide: 'allow', when: { service: 'vendor.example' } }]
  const tool = { name: 't', definition: 'd', credential: 'c' }
  for (const effect of [
    terms,
    { ...identity, emailFrom: 'model' },
    { ...key, note: 'An earlier one may exist.' },
    { ...post, tool },
  ] as Effect[]) {
    expect(await decided(rules, effect)).toBe('ask')
  }
  for (const effect of [identity, key, post]) expect(await decided(rules, effect)).toBe('allow')
})

test('revoking is spoken of only by a rule that names it', async () => {
  const all = { service: 'vendor.example' }
  const more = { verb: 'revoke' } as const
  for (const decide of ['allow', 'deny'] as const) {
    expect(await decided([{ decide, when: all }], revoke, more)).toBe('ask')
    expect(await decided([{ decide, when: { ...all, verb: 'revoke' } }], revoke, more)).toBe(decide)
    expect(await decided([{ decide, when: { effect: 'revoke' } }], revoke, more)).toBe(decide)
  }
  const policy = new Rules({ rules: [{ decide: 'deny', when: all }] })
  expect(policy.denies({ verb: 'revoke', service })).toBeUndefined()
  expect(policy.denies({ verb: 'discover', service })).toMatchObject({ rule: 0 })
})

describe('terms accepted in writing', () => {
  const [read, unread] = (terms as Extract<Effect, { kind: 'accept-terms' }>).texts
  const entry = (...texts: { url: string; textHash?: string }[]): Policy => ({
    terms: [{ service: 'vendor.example', texts, acceptedBy: 'Kim Lee', date: '2026-01-31' }],
  })
  const both = [{ url: read?.url ?? '' }, { url: unread?.url ?? '' }]

  test.each([
    ['at both URLs', entry(...both), 'allow'],
    [
      'as they were read',
      entry({ ...both[0]!, textHash: read?.textHash ?? '' }, both[1]!),
      'allow',
    ],
    [
      'as they were written before',
      entry({ ...both[0]!, textHash: 'B'.repeat(43) }, both[1]!),
      'ask',
    ],
    [
      'with a hash, but not readable',
      entry(both[0]!, { ...both[1]!, textHash: 'A'.repeat(43) }),
      'ask',
    ],
    ['at one of two URLs', entry(both[0]!), 'ask'],
    ['at another URL', entry(both[0]!, { url: 'https://vendor.example/privacy2' }), 'ask'],
  ])('%s', async (_, policy, decision) => {
    const action = await actionOf([terms], { verb: 'register' })
    expect(new Rules(policy).judge(action).decision).toBe(decision)
  })

  test('count for their service alone, and not against a rule that asks', async () => {
    const rules = new Rules(entry(...both))
    const elsewhere = await actionOf([terms], { service: 'https://api.other.example' })
    expect(rules.judge(elsewhere).decision).toBe('ask')
    const ask: PolicyRule[] = [{ decide: 'ask', when: { effect: 'accept-terms' } }]
    const strict = new Rules({ ...entry(...both), rules: ask })
    expect(strict.judge(await actionOf([terms])).decision).toBe('ask')
  })

  test('and rules are named to the ledger', async () => {
    const allow = { decide: 'allow', when: { effect: 'create-credential' }, because: 'low cost' }
    const rules = new Rules({ ...entry(...both), rules: [allow as PolicyRule] })
    const action = await actionOf([terms, key])
    expect(rules.judge(action)).toMatchObject({ decision: 'allow', by: 'terms' })
    expect(rules.approver(action)).toBe(
      'policy: terms accepted in writing by Kim Lee on 2026-01-31; rule 0, low cost',
    )
  })
})

describe('a policy that is none is refused, with the place, the fault and what is allowed', () => {
  const when = { verb: 'use' }
  const text = [{ url: 'https://vendor.example/terms' }]
  const accepted = { service: 'vendor.example', texts: text, acceptedBy: 'Kim', date: '2026-01-31' }
  test.each([
    [{ rules: [{ decide: 'permit', when }] }, /policy\.rules\.0\.decide: .*"allow"\|"ask"\|"deny"/],
    [{ rules: [{ decide: 'deny', when: {} }] }, /policy\.rules\.0\.when: needs one condition/],
    [{ rules: [{ decide: 'deny', when: { verb: 'claim' } }] }, /when\.verb.*"register"/],
    [{ rules: [{ decide: 'deny', when: { verb: [] } }] }, /when\.verb.* must not be empty/],
    [{ rules: [{ decide: 'deny', when: { host: 'x' } }] }, /no host; allowed: verb, service/],
    [{ rules: [{ decide: 'deny', when: { effect: 'x' } }] }, /when\.effect.*"accept-terms"/],
    [
      { rules: [{ decide: 'deny', when: { service: 'api.vendor.example' } }] },
      /registrable domain/,
    ],
    [{ rules: [{ decide: 'deny', when: { service: 'vercel.app' } }] }, /registrable domain/],
    [{ rules: [{ decide: 'deny', when: { service: 'https://a.example/v2' } }] }, /origin/],
    [{ rules: [{ decide: 'deny', when: { service: 'ftp://a.example' } }] }, /origin/],
    [{ rules: [{ decide: 'deny', when: { service: 'https://u@a.example' } }] }, /origin/],
    [
      { rules: [{ decide: 'deny', when: { method: 'post' } }] },
      /rules\.0\.when\.method.*in capitals/,
    ],
    [{ rules: [{ decide: 'deny', when: { method: 'TRACE' } }] }, /when\.method.*GET, HEAD, POST/],
    [{ rules: [{ decide: 'deny', when: { path: 'v2' } }] }, /when\.path.*from the root/],
    [{ rules: [{ decide: 'deny', when: { path: '/a/../b' } }] }, /when\.path.*without query, dots/],
    [{ rules: [{ decide: 'deny', when: { path: '/a%2fb' } }] }, /when\.path.*encoded slashes/],
    [{ rules: [{ decide: 'deny', when: { scopes: 'a b' } }] }, /when\.scopes.*name one scope/],
    [{ rules: [{ decide: 'deny', when: { scopes: [] } }] }, /when\.scopes.*must not be empty/],
    [{ rules: [{ decide: 'deny', when: { scope: 'a' } }] }, /no scope; allowed: .*, scopes/],
    [{ rules: [{ decide: 'deny', when, because: 'a\nb' }] }, /because: must be one line/],
    [{ rule: [] }, /policy: there is no rule; allowed: rules, terms, approval/],
    [{ terms: [{ ...accepted, texts: [] }] }, /terms\.0\.texts: name the texts/],
    [{ terms: [{ ...accepted, texts: [{ url: 'terms' }] }] }, /texts\.0\.url: must be an http/],
    [{ terms: [{ ...accepted, texts: [{ ...text[0], textHash: 'x' }] }] }, /SHA-256 in base64url/],
    [{ terms: [{ ...accepted, date: 'yesterday' }] }, /terms\.0\.date: must be a day/],
    [{ terms: [{ ...accepted, acceptedBy: '' }] }, /terms\.0\.acceptedBy: must be one line/],
    [{ approval: 'chat' }, /policy\.approval: .*"any"\|"out-of-band"/],
    ['allow', /policy/],
  ] as [unknown, RegExp][])('%j', (policy, message) => {
    expect(() => new Rules(policy as Policy)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        message: expect.stringMatching(message),
      }),
    )
  })
})
