import { describe, expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import type { Got } from '../../test/client.ts'
import { type Case, provoke } from '../../test/provoke.ts'
import { type AuthMdEndpoint, type AuthMdErrorCode, authMdFault, startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const badBodies: Case[] = [
  ['invalid_request', 400, ({ agent }) => agent.register({})],
  ['invalid_request', 400, ({ agent }) => agent.register({ type: 'other' })],
  ['invalid_request', 400, ({ agent }) => agent.post('/agent/identity', [])],
  ['invalid_request', 400, ({ agent }) => agent.form('/agent/identity', { type: 'anonymous' })],
  ['invalid_request', 400, ({ agent }) => agent.register({ type: 'service_auth' })],
  ['invalid_request', 400, ({ agent }) => agent.claim({ type: 'login_hint', login_hint: email })],
]

const hint = { type: 'login_hint', login_hint: email }

provoke('v0.7', {}, [
  ...badBodies,
  [
    'invalid_login_hint',
    400,
    ({ agent }) => agent.register({ type: 'service_auth', login_hint: 'ada' }),
  ],
  [
    'invalid_login_hint',
    400,
    ({ agent }) => agent.claim({ claim_token: 'clm_1', type: 'login_hint', login_hint: 'ada' }),
  ],
  ['invalid_claim_token', 401, ({ agent }) => agent.claim({ claim_token: 'clm_1', ...hint })],
  ['login_required', 401, async ({ vouched, idJag }) => vouched(await idJag('stale-login'))],
  [
    'login_required',
    401,
    async ({ vouched, idJag }) =>
      vouched(await idJag(undefined, { auth_time: Date.now() / 1000 + 3600 })),
  ],
  [
    'login_required',
    401,
    async ({ agent, anonymous, idJag }) =>
      agent.claim({
        type: 'identity_assertion',
        claim_token: (await anonymous()).at('claim_token'),
        assertion: await idJag('stale-login'),
      }),
  ],
  [
    'invalid_grant',
    400,
    async ({ agent, anonymous, idJag }) =>
      agent.claim({
        type: 'identity_assertion',
        claim_token: (await anonymous()).at('claim_token'),
        assertion: await idJag('audience'),
      }),
  ],
  [
    'claimed_or_in_flight',
    409,
    async ({ agent, idJag }) => {
      const other = await agent.register({ type: 'service_auth', login_hint: email })
      return agent.claim({
        type: 'identity_assertion',
        claim_token: other.at('claim_token'),
        assertion: await idJag(),
      })
    },
  ],
  [
    'claim_expired',
    410,
    async ({ agent, anonymous, sandbox }) => {
      const claim_token = (await anonymous()).at('claim_token')
      sandbox.clock.advance(86_400_000)
      return agent.claim({ claim_token, ...hint })
    },
  ],
  [
    'authorization_pending',
    400,
    async ({ agent, anonymous }) => agent.poll((await anonymous()).at('claim_token')),
  ],
  [
    'slow_down',
    400,
    async ({ agent, sandbox }) => {
      const { at } = await agent.register({ type: 'service_auth', login_hint: email })
      await agent.poll(at('claim_token'))
      sandbox.clock.advance(5000)
      const fine = await agent.poll(at('claim_token'))
      if (fine.at('error') !== 'authorization_pending') return fine
      await agent.poll(at('claim_token'))
      sandbox.clock.advance(9_999)
      return agent.poll(at('claim_token'))
    },
  ],
  [
    'expired_token',
    400,
    async ({ agent, sandbox }) => {
      const { at } = await agent.register({ type: 'service_auth', login_hint: email })
      sandbox.clock.advance(600_000)
      return agent.poll(at('claim_token'))
    },
  ],
  [
    'expired_token',
    400,
    async ({ agent, anonymous, sandbox }) => {
      const { at } = await anonymous()
      sandbox.clock.advance(86_400_000)
      return agent.poll(at('claim_token'))
    },
  ],
  [
    'access_denied',
    400,
    async ({ agent, sandbox }) => {
      const { at } = await agent.register({ type: 'service_auth', login_hint: email })
      await personAt(sandbox.authMd[0], email).refuse(at('claim.verification_uri'))
      return agent.poll(at('claim_token'))
    },
  ],
  ['invalid_grant', 400, ({ agent }) => agent.poll('clm_1')],
  ['invalid_grant', 400, ({ agent }) => agent.exchange('a.b.c')],
  ['invalid_grant', 400, async ({ agent, idJag }) => agent.exchange(await idJag())],
  [
    'invalid_request',
    400,
    async ({ agent, anonymous }) =>
      agent.exchange((await anonymous()).at('identity_assertion'), { resource: 'nowhere' }),
  ],
  [
    'unsupported_grant_type',
    400,
    ({ agent }) => agent.form('/oauth2/token', { grant_type: 'password' }),
  ],
  ['invalid_request', 400, ({ agent }) => agent.form('/oauth2/token', {})],
  ['invalid_request', 400, ({ agent }) => agent.post('/oauth2/token', { grant_type: 'x' })],
  ['invalid_request', 400, ({ agent }) => agent.form('/oauth2/revoke', {})],
  ['unauthorized', 401, ({ agent }) => agent.read()],
  ['unauthorized', 401, ({ agent }) => agent.read('at_unknown')],
  [
    'unauthorized',
    401,
    async ({ agent, anonymous }) => agent.read((await anonymous()).at('claim_token')),
  ],
])

provoke('the sample of v0.7', { profile: 'as-sample' }, [
  [
    'invalid_request',
    400,
    ({ agent }) => agent.form('/oauth2/revoke', { token: 'x', token_type_hint: 'refresh_token' }),
  ],
])

provoke('readback', { version: 'readback' }, [
  ...badBodies,
  [
    'invalid_request',
    400,
    ({ agent }) => agent.claim({ claim_token: 'clm_1', type: 'login_hint', login_hint: email }),
  ],
  [
    'invalid_request',
    400,
    ({ agent }) => agent.complete({ claim_token: 'clm_1', user_code: '12345' }),
  ],
  [
    'invalid_login_hint',
    400,
    ({ agent }) => agent.claim({ claim_token: 'clm_1', type: 'service_auth', login_hint: 'ada' }),
  ],
  [
    'invalid_claim_token',
    401,
    ({ agent }) => agent.claim({ claim_token: 'clm_1', type: 'service_auth', login_hint: email }),
  ],
  [
    'invalid_claim',
    400,
    ({ agent }) => agent.complete({ claim_token: 'clm_1', user_code: '123456' }),
  ],
  ['invalid_refresh_token', 400, ({ agent }) => agent.register({ type: 'refresh' })],
  ['login_required', 401, async ({ vouched, idJag }) => vouched(await idJag('stale-login'))],
  ['unsupported_grant_type', 400, ({ agent }) => agent.poll('clm_1')],
])

const early = { root: '/agent/auth', events: '/agent/auth/revoke' }
const wants = { requested_credential_type: 'api_key' }
provoke(
  'v0.1',
  { version: 'v0.1' },
  [
    ['invalid_request', 400, ({ agent }) => agent.register({ type: 'anonymous' })],
    [
      'unsupported_credential_type',
      400,
      ({ agent }) => agent.register({ type: 'anonymous', requested_credential_type: 'cookie' }),
    ],
    ['invalid_claim_token', 401, ({ agent }) => agent.claim({ claim_token: 'clm_1', email })],
    [
      'invalid_claim_token',
      401,
      ({ agent }) => agent.complete({ claim_token: 'c', otp: '123456' }),
    ],
    ['invalid_request', 400, ({ agent }) => agent.complete({ claim_token: 'clm_1', otp: 'no' })],
  ],
  early,
  wants,
)
provoke(
  'the sample of v0.1',
  { version: 'v0.1', profile: 'as-sample' },
  [
    [
      'invalid_request',
      400,
      ({ agent }) => agent.register({ type: 'anonymous', requested_credential_type: 'cookie' }),
    ],
    [
      'otp_not_generated',
      400,
      async ({ agent, anonymous }) =>
        agent.complete({ claim_token: (await anonymous()).at('claim_token'), otp: '123456' }),
    ],
  ],
  early,
  wants,
)
provoke(
  'draft-register',
  { version: 'draft-register', profile: 'as-sample' },
  [
    [
      'insufficient_user_authentication',
      401,
      async ({ agent, sandbox, vouched, idJag }) => {
        const first = await vouched(await idJag(undefined, { sub: 'one' }))
        await sandbox.identityProvider
          .event({ audience: agent.issuer, sub: 'one' })
          .then((event) => agent.tell(event))
        await vouched(await idJag(undefined, { sub: 'one' }))
        return agent.exchange(first.at('identity_assertion'))
      },
    ],
  ],
  { root: '/agent/register' },
)

describe('ways that are switched off', () => {
  test.each([
    ['v0.7', 'anonymous_not_enabled', 403, { type: 'anonymous' }],
    ['v0.7', 'service_auth_not_enabled', 403, { type: 'service_auth', login_hint: email }],
    [
      'v0.5',
      'verified_email_not_enabled',
      403,
      { type: 'identity_assertion', assertion_type: 'verified_email', assertion: email },
    ],
    [
      'v0.7',
      'issuer_not_enabled',
      400,
      { type: 'identity_assertion', assertion_type: idJagType, assertion: 'a.b.c' },
    ],
  ] as const)('%s %s', async (version, code, status, body) => {
    await using sandbox = await startSandbox({ authMd: { version, methods: [] } })
    const got = await agentAt(sandbox).register(body)
    expect(got).toMatchObject({ status, json: { error: code, message: expect.any(String) } })
  })
})

test('rate_limited 429, with the time after which to come back', async () => {
  await using sandbox = await startSandbox({ authMd: { registrationsPerHour: 1 } })
  const agent = agentAt(sandbox)
  await agent.register({ type: 'anonymous' })
  const got = await agent.register({ type: 'anonymous' })
  expect(got).toMatchObject({ status: 429, json: { error: 'rate_limited' } })
  sandbox.clock.advance(Number(got.headers.get('retry-after')) * 1000)
  expect((await agent.register({ type: 'anonymous' })).status).toBe(200)
})

describe('what a service can send and this one has no reason to', () => {
  const asked: readonly (readonly [AuthMdErrorCode, AuthMdEndpoint, number])[] = [
    ['invalid_client', 'agent_token', 401],
    ['insufficient_user_authentication', 'agent_register', 401],
    ['previously_claimed', 'agent_claim', 409],
    ['wrong_kind', 'agent_claim', 400],
    ['invalid_audience', 'agent_register', 400],
    ['rate_limited', 'agent_token', 429],
    ['login_required', 'agent_register', 401],
    ['invalid_key', 'agent_events', 400],
  ]
  test.each(asked)('%s at %s', async (code, at, status) => {
    await using sandbox = await startSandbox()
    const agent = agentAt(sandbox)
    sandbox.faults.add(authMdFault(code, at))
    const acts: Partial<Record<AuthMdEndpoint, () => Promise<Got>>> = {
      agent_token: () => agent.exchange('a'),
      agent_register: () => agent.register({}),
      agent_claim: () => agent.claim({}),
      agent_events: () => agent.tell('a'),
    }
    const got = await acts[at]?.()
    const named = at === 'agent_events' ? { err: code } : { error: code }
    expect(got).toMatchObject({ status, json: named })
    if (at === 'agent_token') expect(got?.headers.get('cache-control')).toBe('no-store')
    if (code === 'login_required') {
      expect(got?.headers.get('www-authenticate')).toContain('max_age="3600"')
    }
  })
})
