import { describe, expect, test } from 'vitest'
import { markdownTable } from '../../../../../scripts/markdown-table.ts'
import { outcomeOf } from '../../engine/outcome-of.ts'
import { Refresher } from '../../engine/refresh.ts'
import type { Registration } from '../../engine/registration.ts'
import { type Credential, Credentials } from '../../vault/credentials.ts'
import { Leases } from '../../vault/leases.ts'
import { memoryStore } from '../../vault/memory-store.ts'
import { Secret } from '../../vault/secret.ts'
import type { Json, MethodContext, MethodEvent, Offer, PlanAnswer, Transition } from '../method.ts'
import { agentAuth } from './index.ts'

const issuer = 'https://auth.vendor.example'
const service = 'https://api.vendor.example'
const page = `${issuer}/claim?claim_attempt_token=made-up`
const plan = {
  service,
  register: `${issuer}/agent/identity`,
  claim: `${issuer}/agent/identity/claim`,
  token: `${issuer}/oauth2/token`,
  types: ['identity_assertion', 'anonymous', 'service_auth'],
  emailType: 'service_auth',
  claimGrant: 'urn:workos:agent-auth:grant-type:claim',
  audience: { issuer, resource: service },
}
const v01 = {
  ...plan,
  token: undefined,
  credentialType: 'api_key',
  otherCredential: 'access_token',
}
const flat = {
  registration_id: 'reg_1',
  claim_token: 'clm_made-up',
  claim: { user_code: '004217', verification_uri: page, expires_in: 600, interval: 5 },
}
const nested = {
  id: 'reg_1',
  claim: { token: 'clm_made-up', attempt: { verification_uri: page, expires_at: 600 } },
}
const who = { issuer: 'https://idp.operator.example', subject: 'u1', email: 'ada@agents.test' }

type Who = 'ada' | 'vouched' | 'nobody'
const context = (whom: Who, now: number): MethodContext => ({
  now,
  random: () => 'r',
  identity: {
    mailbox: false,
    ...(whom === 'ada' ? { email: 'ada@agents.test', emailFrom: 'session' as const } : {}),
    ...(whom === 'vouched' ? { asserts: true as const } : {}),
  },
})
const offer = (of: object): Offer => ({
  method: 'agent-auth',
  service,
  summary: '',
  needs: [],
  plan: of as unknown as Json,
  sources: [],
})
const reply = (status: number, json?: unknown): PlanAnswer => ({
  status,
  url: issuer,
  text: json === undefined ? '<!doctype html><p>hm' : JSON.stringify(json),
  json,
})

/** A registration is answered at once, all else is five seconds later. */
function timeOf(event: MethodEvent): number {
  return event.type === 'answer' && 'agent_identity' in event.answers ? 0 : 5_000
}

/** What follows from one answer after all that came before it. */
function after(whom: Who, of: object, before: readonly MethodEvent[]) {
  const start = (event: MethodEvent): Transition<Json> =>
    [...before, event].reduce(
      (so, one) => agentAuth.next(context(whom, timeOf(one)), so.state, one),
      agentAuth.begin(context(whom, 0), offer(of)),
    )
  return start
}
const answer = (name: string, given: PlanAnswer): MethodEvent => ({
  type: 'answer',
  answers: { [name]: given },
})
const began = (body: unknown): MethodEvent => answer('agent_identity', reply(200, body))
const vouches: MethodEvent = { type: 'identity', who }
const tick: MethodEvent = { type: 'tick' }
const code: MethodEvent = { type: 'person', input: { code: '730551' } }
const completed = (body: unknown): MethodEvent => answer('agent_claim_complete', reply(200, body))
const overdue: readonly MethodEvent[] = [
  began(flat),
  tick,
  answer('agent_token', reply(400, { error: 'expired_token' })),
]

/** Registered without a person, whom the application then vouches for. */
const vouchedLater = (): ((event: MethodEvent) => Transition<Json>) => {
  const { claim, next } = agentAuth
  const given = began({ identity_assertion: 'made-up', claim_token: 'clm_made-up' })
  const token = answer('agent_token', reply(200, { access_token: 'tok_made-up' }))
  const unclaimed = after('nobody', plan, [given])(token).state
  const vouched = context('vouched', 0)
  const { state } = next(vouched, claim!(vouched, unclaimed).state, vouches)
  return (event) => next(context('vouched', 5_000), state, event)
}

/** The request, how it came to be sent, and what follows from an answer to it. */
const places = {
  'register by identity': ['agent_identity', after('vouched', plan, [vouches])],
  'register by identity, v0.1': ['agent_identity', after('vouched', v01, [vouches])],
  'register by address': ['agent_identity', after('ada', plan, [])],
  'register anonymously': ['agent_identity', after('nobody', plan, [])],
  'claim by identity': ['agent_claim', vouchedLater()],
  'claim again': ['agent_claim', after('ada', plan, overdue)],
  'ask after a code': ['agent_token', after('ada', plan, [began(flat), tick])],
  'hand a code in': ['agent_claim_complete', after('ada', plan, [began(nested), code])],
  'change the assertion': [
    'agent_token',
    after('ada', plan, [began({ identity_assertion: 'made-up' })]),
  ],
} as const
type Place = keyof typeof places

const other = 'asks the application for another assertion'
const resource = 'asks the application for an assertion whose audience is the resource'
const login = 'asks the application for an assertion of a newer login'
const byAddress = 'a person is asked for an address'
const stop = 'refused: service_refused'
const over = 'refused: expired'
const later = 'pending'
const again = 'a person is shown the same once more'
const fresh = 'sends agent_claim for another code'

type Row = readonly [error: string, status: number, follows: string]
const rows: Readonly<Record<Place, readonly Row[]>> = {
  'register by identity': [
    ['invalid_signature', 400, other],
    ['replay_detected', 400, other],
    ['expired', 400, other],
    ['credential_expired', 400, other],
    ['invalid_audience', 400, resource],
    ['audience_mismatch', 400, resource],
    ['invalid_request', 400, resource],
    ['invalid_grant', 400, resource],
    ['login_required', 401, login],
    ['insufficient_user_authentication', 401, login],
    ['invalid_issuer', 400, byAddress],
    ['issuer_not_enabled', 403, byAddress],
    ['invalid_client_id', 400, byAddress],
    ['missing_verified_email', 400, byAddress],
    ['interaction_required', 401, stop],
    ['wrong_kind', 400, stop],
    ['auth_md_disabled', 403, stop],
    ['rate_limited', 429, later],
  ],
  'register by identity, v0.1': [
    ['unsupported_credential_type', 400, other],
    ['rate_limited', 429, later],
  ],
  'register by address': [
    ['invalid_request', 400, stop],
    ['invalid_login_hint', 400, byAddress],
    ['service_auth_not_enabled', 403, stop],
    ['verified_email_not_enabled', 403, stop],
    ['unsupported_credential_type', 400, stop],
    ['auth_md_disabled', 403, stop],
    ['rate_limited', 429, later],
  ],
  'register anonymously': [
    ['invalid_request', 400, stop],
    ['anonymous_not_enabled', 403, byAddress],
    ['unsupported_credential_type', 400, stop],
    ['rate_limited', 429, later],
  ],
  'claim by identity': [
    ['invalid_signature', 400, other],
    ['replay_detected', 400, other],
    ['expired', 400, other],
    ['invalid_audience', 400, resource],
    ['audience_mismatch', 400, resource],
    ['invalid_request', 400, resource],
    ['invalid_grant', 400, resource],
    ['login_required', 401, login],
    ['insufficient_user_authentication', 401, login],
    ['invalid_issuer', 400, byAddress],
    ['issuer_not_enabled', 403, byAddress],
    ['missing_verified_email', 400, byAddress],
    ['ceremony_in_flight', 409, byAddress],
    ['invalid_claim_token', 401, over],
    ['claim_expired', 410, over],
    ['claimed_or_in_flight', 409, 'sends agent_token once'],
    ['previously_claimed', 409, 'sends agent_token once'],
    ['wrong_kind', 400, stop],
    ['auth_md_disabled', 403, stop],
    ['rate_limited', 429, later],
  ],
  'claim again': [
    ['invalid_request', 400, 'sends agent_claim in the words of the sibling version'],
    ['invalid_login_hint', 400, stop],
    ['login_hint_mismatch', 400, stop],
    ['invalid_claim_token', 401, over],
    ['claim_expired', 410, over],
    ['claimed_or_in_flight', 409, 'sends agent_token once'],
    ['previously_claimed', 409, 'sends agent_token once'],
    ['already_claimed', 409, 'sends agent_token once'],
    ['claim_already_completed', 409, 'sends agent_token once'],
    ['wrong_kind', 400, stop],
    ['rate_limited', 429, later],
  ],
  'ask after a code': [
    ['authorization_pending', 400, again],
    ['authorization_pending', 428, again],
    ['slow_down', 400, again],
    ['expired_token', 400, fresh],
    ['access_denied', 400, stop],
    ['invalid_grant', 400, over],
    ['invalid_client', 401, stop],
    ['unsupported_grant_type', 400, stop],
    ['rate_limited', 429, again],
  ],
  'hand a code in': [
    ['claim_not_confirmed', 409, again],
    ['invalid_user_code', 401, again],
    ['otp_invalid', 401, again],
    ['otp_not_generated', 400, again],
    ['otp_expired', 410, again],
    ['user_code_expired', 410, fresh],
    ['previously_claimed', 409, stop],
    ['already_claimed', 409, stop],
    ['claim_expired', 410, over],
    ['invalid_claim', 400, over],
    ['invalid_claim_token', 401, over],
    ['code_dead', 410, over],
    ['invalid_request', 400, stop],
    ['rate_limited', 429, again],
  ],
  'change the assertion': [
    ['invalid_request', 400, 'sends agent_token without the resource'],
    ['invalid_target', 400, 'sends agent_token without the resource'],
    ['invalid_grant', 400, stop],
    ['insufficient_user_authentication', 401, stop],
    ['invalid_client', 401, stop],
    ['unsupported_grant_type', 400, stop],
    ['rate_limited', 429, later],
  ],
}
/** Of an answer that names no error that we know: by its status alone. */
const general: Readonly<Record<Place, readonly [refused: string, unwell: string]>> = {
  'register by identity': [stop, later],
  'register by identity, v0.1': [stop, 'uncertain'],
  'register by address': [stop, 'uncertain'],
  'register anonymously': [stop, 'uncertain'],
  'claim by identity': [stop, later],
  'claim again': [stop, later],
  'ask after a code': [stop, again],
  'hand a code in': [stop, again],
  'change the assertion': [stop, later],
}

/** What the agent does or is told, in the words of the table. */
async function told({ state, next }: Transition<Json>): Promise<string> {
  if ('identify' in next) {
    if (next.identify.maxAge !== undefined) return login
    return next.identify.audience === service ? resource : other
  }
  if ('send' in next) {
    const [{ name, request }] = next.send
    if (name === 'agent_claim') {
      const { sibling } = state as { sibling?: true }
      return sibling ? 'sends agent_claim in the words of the sibling version' : fresh
    }
    const claims = JSON.stringify(request.form).includes('claim_token')
    return claims ? 'sends agent_token once' : 'sends agent_token without the resource'
  }
  const rest = 'wait' in next ? { status: 'waiting', ...next } : { status: 'failed', ...next }
  const registration = {
    ...rest,
    id: 'reg_1',
    owner: { tenant: 'acme' },
    offer: offer(plan),
    orphans: [],
    identity: { mailbox: false },
  }
  const credentials = new Credentials(memoryStore())
  const outcome = await outcomeOf(registration as unknown as Registration, credentials, 5_000)
  expect(outcome.next).toMatch(/^auth_(claim|register|discover) \{/)
  if (outcome.status === 'refused') return `refused: ${outcome.code}`
  if (outcome.status !== 'needs_person') return outcome.status
  return outcome.need.kind === 'give-email' ? byAddress : again
}

/** Answers that name no error that we know. */
function unknown(
  refused: string,
  unwell: string,
): readonly (readonly [string, PlanAnswer, string])[] {
  return [
    ['an unknown code', reply(400, { error: 'constructor' }), refused],
    ['an error of a wrong type', reply(400, { error: { code: 7 }, message: [] }), refused],
    ['a list', reply(400, [null]), refused],
    ['a page', reply(404), refused],
    ['an empty body', { ...reply(400), text: '' }, refused],
    ['a page instead of an answer', reply(200), unwell],
    ['a redirect', reply(302), unwell],
    ['a failure', reply(503, { error: 'invalid_grant' }), unwell],
    ['a success of wrong types', reply(200, { access_token: 7, claim: [], identity: 'x' }), unwell],
  ]
}

describe.each(Object.keys(places) as Place[])('%s', (place) => {
  const [name, follows] = places[place]
  test.each(rows[place])('%s, %i', async (error, status, expected) => {
    const given = reply(status, { error, message: 'no' })
    expect(await told(follows(answer(name, given)))).toBe(expected)
  })

  const [refused, unwell] = general[place]
  test.each(unknown(refused, unwell))('%s', async (_, given, expected) => {
    expect(await told(follows(answer(name, given)))).toBe(expected)
  })
})

const unsigned = (claims: object) =>
  ['{}', JSON.stringify(claims), 'made-up']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

/** What came of a registration, which the vault keeps to renew its credential with. */
const issued = {
  'renew by the assertion': () => {
    const first = began({ identity_assertion: 'made-up' })
    return after('nobody', plan, [first])
  },
  'renew by the refresh token': () => {
    const identity = { assertion: 'made-up', expires_at: 100, refresh_token: { value: 'made-up' } }
    return after('ada', plan, [began(nested), code, completed({ identity })])
  },
  'renew by the refresh token, vouched for': () => {
    const identity = { assertion: 'made-up', expires_at: 100, refresh_token: { value: 'made-up' } }
    return after('vouched', plan, [vouches, began({ identity })])
  },
  'renew by identity': () => {
    const short = { identity_assertion: 'made-up', assertion_expires: 100 }
    return after('vouched', plan, [vouches, began(short)])
  },
} as const
type Renewed = keyof typeof issued

/** What the one who uses the credential is told when the service answers so to renewing it. */
async function renewing(place: Renewed, given: PlanAnswer): Promise<string> {
  const token = answer('agent_token', reply(200, { access_token: 'tok_made-up' }))
  const { next } = issued[place]()(token)
  if (!('done' in next) || next.done.refresh === undefined) throw new Error('nothing renews it')
  const made = new Secret('made-up-secret-0001')
  const secrets = Object.fromEntries(next.done.refresh.secrets.map((name) => [name, made]))
  const credential: Credential = {
    handle: 'cred_1',
    owner: { tenant: 'acme' },
    service,
    start: service,
    kind: 'access_token',
    method: 'agent-auth',
    audience: { bases: [service] },
    header: 'authorization',
    prefix: 'Bearer ',
    state: 'active',
    issuedAt: 0,
    revision: 0,
    secret: made,
    refresh: { state: next.done.refresh.state, secrets },
  }
  const store = memoryStore()
  const credentials = new Credentials(store)
  await credentials.add(credential)
  const sent: string[] = []
  let counter = 0
  const refresher = new Refresher({
    leases: new Leases(store),
    credentials,
    now: () => 1_000_000,
    method: () => agentAuth,
    emit: () => {},
    identityAssertion: ({ audience }) =>
      unsigned({
        iss: who.issuer,
        sub: who.subject,
        email: who.email,
        aud: audience,
        jti: counter++,
      }),
    fetch: async ({ url, body = '' }) => {
      sent.push(body)
      const { status, text } = sent.length === 1 ? given : reply(503)
      return { url, status, text, headers: new Headers(), mediaType: '', hops: [] }
    },
  })
  const { kind } = await refresher.refresh(credential)
  const [, second] = sent
  if (second?.startsWith('{')) return other
  if (second) return 'sends agent_token without the resource'
  return { ended: 'refused: credential_invalid', later: 'kept, and tried again later', fresh: '' }[
    kind
  ]
}

const kept = 'kept, and tried again later'
const ended = 'refused: credential_invalid'
const renewedRows: Readonly<Record<Renewed, readonly Row[]>> = {
  'renew by the assertion': [
    ['invalid_request', 400, 'sends agent_token without the resource'],
    ['invalid_target', 400, 'sends agent_token without the resource'],
    ['invalid_grant', 400, ended],
    ['insufficient_user_authentication', 401, ended],
    ['invalid_client', 401, kept],
    ['unsupported_grant_type', 400, kept],
    ['rate_limited', 429, kept],
  ],
  'renew by the refresh token': [
    ['invalid_refresh_token', 400, ended],
    ['invalid_grant', 400, ended],
    ['invalid_request', 400, kept],
    ['auth_md_disabled', 403, kept],
    ['rate_limited', 429, kept],
  ],
  'renew by the refresh token, vouched for': [
    ['invalid_refresh_token', 400, other],
    ['invalid_grant', 400, ended],
    ['rate_limited', 429, kept],
  ],
  'renew by identity': [
    ['invalid_signature', 400, kept],
    ['replay_detected', 400, kept],
    ['expired', 400, kept],
    ['invalid_audience', 400, kept],
    ['audience_mismatch', 400, kept],
    ['invalid_grant', 400, ended],
    ['login_required', 401, ended],
    ['insufficient_user_authentication', 401, ended],
    ['interaction_required', 401, ended],
    ['invalid_issuer', 400, ended],
    ['issuer_not_enabled', 403, ended],
    ['auth_md_disabled', 403, ended],
    ['rate_limited', 429, kept],
  ],
}
const renewedGeneral: Readonly<Record<Renewed, readonly [refused: string, unwell: string]>> = {
  'renew by the assertion': [kept, kept],
  'renew by the refresh token': [kept, kept],
  'renew by the refresh token, vouched for': [ended, kept],
  'renew by identity': [ended, kept],
}

describe.each(Object.keys(issued) as Renewed[])('%s', (place) => {
  test.each(renewedRows[place])('%s, %i', async (error, status, expected) => {
    expect(await renewing(place, reply(status, { error, message: 'no' }))).toBe(expected)
  })

  const [refused, unwell] = renewedGeneral[place]
  test.each(unknown(refused, unwell))('%s', async (_, given, expected) => {
    expect(await renewing(place, given)).toBe(expected)
  })
})

test('the table says the same', async () => {
  const all = { ...rows, ...renewedRows }
  const rest = { ...general, ...renewedGeneral }
  const lines = (Object.keys(all) as (Place | Renewed)[]).flatMap((place) => {
    const [refused, unwell] = rest[place]
    return [
      ...all[place].map(([error, status, follows]) => [
        place,
        `\`${error}\``,
        `${status}`,
        follows,
      ]),
      [place, 'any other, a page, an empty body', '4xx', refused],
      [place, 'whatever it says', '3xx, 5xx, 2xx without what was asked for', unwell],
    ]
  })
  const head = [
    '# What follows from each error of auth.md',
    '',
    'Held by `packages/core/src/methods/agent-auth/errors.test.ts`, which tries each line; `vitest -u` writes it anew.',
    'The codes are those of all published versions, whichever a service speaks. What can be tried again is tried once:',
    'if the service says the same to the other audience, to another assertion or to a newer login, the next way of',
    'registering follows, or a person is told where to sign in.',
    '',
  ]
  const table = markdownTable([['request', 'error', 'HTTP', 'what follows'], ...lines])
  const text = `${[...head, table].join('\n')}\n`
  await expect(text).toMatchFileSnapshot('../../../../../docs/auth-md-errors.md')
})
