import { expect, test } from 'vitest'
import type {
  Json,
  MethodContext,
  MethodEvent,
  Offer,
  PlanAnswer,
  RequestPlan,
  Transition,
} from '../method.ts'
import { telnyxSignup } from './index.ts'

const root = 'https://api.vendor.example/v2'
const portal = 'https://portal.vendor.example/keys'
const offer: Offer = {
  method: 'telnyx-signup',
  service: root,
  summary: '',
  needs: [],
  plan: {
    challenge: `${root}/bot_challenge`,
    signup: `${root}/bot_signup`,
    resend: `${root}/bot_signup/resend_magic_link`,
    sessions: `${root}/bot_sessions`,
    keys: `${root}/api_keys`,
    base: root,
    portal,
  },
  sources: [],
}

function at(now: number, email: string | undefined = 'kim@operator.test'): MethodContext {
  const identity = email === undefined ? { mailbox: false } : { email, mailbox: false }
  return { now, random: () => 'r', identity: { ...identity, emailFrom: 'session' } }
}

function reply(status: number, json?: unknown): PlanAnswer {
  const text = json === undefined ? '' : JSON.stringify(json)
  return { status, url: root, text, json, ...(text ? { textHash: `hash of ${text}` } : {}) }
}

const puzzle = reply(200, {
  data: {
    nonce: 'n',
    problem: '1 + 1?',
    terms_and_conditions_url: 'https://vendor.example/terms',
    privacy_policy_url: 'https://vendor.example/privacy',
  },
})
const text = reply(200, 'the terms')
const link = `${root}/bot_sessions?token=t`

function answer(name: string, given: PlanAnswer | 'lost'): MethodEvent {
  return { type: 'answer', answers: { [name]: given } }
}
const terms = { type: 'answer', answers: { 'read-terms': text, 'read-privacy': text } } as const

/** The states that a signup rests in or sends from, each with the events that lead there. */
const ways: Readonly<Record<string, readonly [MethodEvent, number][]>> = {
  challenge: [],
  'challenge-later': [[answer('bot_challenge', reply(429)), 0]],
  terms: [[answer('bot_challenge', puzzle), 0]],
  answer: [
    [answer('bot_challenge', puzzle), 0],
    [terms, 0],
  ],
}
const solved: [MethodEvent, number] = [{ type: 'model', answer: '2' }, 0]
const [toTerms, toAnswer] = [ways.terms ?? [], ways.answer ?? []]
const toSignup = [...toAnswer, solved]
const toMail: [MethodEvent, number][] = [...toSignup, [answer('bot_signup', reply(200)), 0]]
const toSession: [MethodEvent, number][] = [...toMail, [{ type: 'person', input: { link } }, 0]]
const session = reply(200, { data: { api_v2_token: 'session-0123' } })
const toKey: [MethodEvent, number][] = [...toSession, [answer('bot_sessions', session), 0]]
const all: Readonly<Record<string, readonly [MethodEvent, number][]>> = {
  ...ways,
  terms: toTerms,
  signup: toSignup,
  mail: toMail,
  'mail in doubt': [...toSignup, [{ type: 'lost', name: 'bot_signup' }, 0]],
  session: toSession,
  'resend-later': [...toSession, [answer('bot_sessions', reply(401)), 0]],
  resend: [...toSession, [answer('bot_sessions', reply(401)), 61_000]],
  key: toKey,
  'key-later': [...toKey, [answer('api_keys', reply(429)), 0]],
  'lost-key': [...toKey, [{ type: 'lost', name: 'api_keys' }, 0]],
  'lost-signup': [
    ...toSignup,
    [{ type: 'lost', name: 'bot_signup' }, 0],
    [{ type: 'tick' }, 61_000],
    [answer('resend_magic_link', reply(200)), 61_000],
    [{ type: 'tick' }, 2_000_000],
  ],
}

function walk(way: readonly [MethodEvent, number][]): Transition<Json> {
  let step = telnyxSignup.begin(at(0), offer)
  for (const [event, now] of way) step = telnyxSignup.next(at(now), step.state, event)
  return step
}

function stepOf(transition: Transition<Json>): string {
  return (transition.state as { step: string }).step
}

/** What follows, in short: the requests that are sent, or what is waited for. */
function follows({ next }: Transition<Json>): string {
  if ('send' in next) return next.send.map(({ name }: RequestPlan) => name).join('+')
  if ('wait' in next) return `wait ${next.wait.for}`
  if ('identify' in next) return 'identify'
  if ('work' in next) return 'work'
  return 'done' in next ? 'done' : `failed ${next.failed.code}`
}

test.each(Object.entries(all))('the way to %s leads there', (name, way) => {
  expect(stepOf(walk(way))).toBe(name.replace(' in doubt', ''))
})

const resting = [
  'challenge-later',
  'answer',
  'mail',
  'mail in doubt',
  'resend-later',
  'key-later',
  'lost-key',
  'lost-signup',
]

test('no event that means nothing where it comes sends anything that lasts', () => {
  const harmless: readonly MethodEvent[] = [
    { type: 'person', input: { link: 'https://evil.example/v2/bot_sessions?token=t' } },
    { type: 'mail', messages: [] },
    { type: 'tick' },
  ]
  for (const name of resting) {
    for (const event of harmless) {
      if (name.endsWith('later') && event.type === 'person') continue
      const step = telnyxSignup.next(at(1), walk(all[name] ?? []).state, event)
      const label = `${name}, ${JSON.stringify(event)}`
      expect(follows(step), label).toMatch(/^(wait|bot_challenge|api_keys$)/)
      expect(follows(step) === 'api_keys', label).toBe(name === 'key-later')
    }
  }
})

test('the link is asked for from the mail step alone', () => {
  const inputs: readonly MethodEvent[] = [
    { type: 'person', input: { link } },
    {
      type: 'mail',
      messages: [{ id: 'm', from: 'f', subject: 's', receivedAt: 9, text: link }],
    },
  ]
  for (const name of ['answer', 'mail', 'mail in doubt', 'lost-key', 'lost-signup']) {
    for (const event of inputs) {
      const step = telnyxSignup.next(at(1), walk(all[name] ?? []).state, event)
      const opened = follows(step) === 'bot_sessions'
      expect(opened, `${name}, ${event.type}`).toBe(name.startsWith('mail'))
    }
  }
})

const table: readonly [string, MethodEvent, number, string][] = [
  ['challenge', answer('bot_challenge', reply(500)), 0, 'wait time'],
  ['challenge', answer('bot_challenge', reply(400)), 0, 'failed service_refused'],
  ['challenge', answer('bot_challenge', reply(200, { data: 1 })), 0, 'failed service_failed'],
  ['challenge-later', { type: 'tick' }, 60_000, 'bot_challenge'],
  ['terms', { type: 'answer', answers: {} }, 0, 'wait model'],
  ['answer', { type: 'model', answer: '2' }, 599_999, 'bot_signup'],
  ['answer', { type: 'model', answer: '2' }, 600_000, 'bot_challenge'],
  ['signup', answer('bot_signup', reply(200, { success: true })), 0, 'wait mail'],
  ['signup', answer('bot_signup', reply(400)), 0, 'bot_challenge'],
  ['signup', answer('bot_signup', reply(429)), 0, 'wait time'],
  ['signup', answer('bot_signup', reply(503)), 0, 'wait mail'],
  ['signup', answer('bot_signup', reply(302)), 0, 'wait mail'],
  ['signup', answer('bot_signup', reply(422, { errors: [{ code: 10027 }] })), 0, 'wait person'],
  [
    'signup',
    answer('bot_signup', reply(422, { errors: [{ code: '1' }, { code: '10027' }] })),
    0,
    'wait person',
  ],
  ['mail', { type: 'tick' }, 899_999, 'wait mail'],
  ['mail', { type: 'tick' }, 900_000, 'resend_magic_link'],
  ['mail in doubt', { type: 'tick' }, 59_999, 'wait mail'],
  ['mail in doubt', { type: 'tick' }, 60_000, 'resend_magic_link'],
  ['mail in doubt', { type: 'retry' }, 1, 'bot_challenge'],
  ['session', answer('bot_sessions', session), 0, 'api_keys'],
  ['session', { type: 'lost', name: 'bot_sessions' }, 0, 'wait time'],
  ['resend', { type: 'lost', name: 'resend_magic_link' }, 61_000, 'wait mail'],
  ['resend', answer('resend_magic_link', reply(429)), 61_000, 'wait time'],
  ['resend-later', { type: 'tick' }, 59_999, 'wait time'],
  ['resend-later', { type: 'tick' }, 60_000, 'resend_magic_link'],
  ['key', answer('api_keys', reply(201, { data: { api_key: 'KEY-0123456789' } })), 0, 'done'],
  ['key', answer('api_keys', reply(200, { data: {} })), 0, 'wait retry'],
  ['key', answer('api_keys', reply(500)), 0, 'wait retry'],
  ['key', answer('api_keys', reply(303)), 0, 'wait retry'],
  ['key', answer('api_keys', reply(401)), 0, 'wait time'],
  ['key', answer('api_keys', reply(403)), 0, 'failed service_refused'],
  ['key-later', { type: 'tick' }, 60_000, 'api_keys'],
  ['lost-key', { type: 'retry' }, 0, 'api_keys'],
  ['lost-signup', { type: 'retry' }, 2_000_000, 'bot_challenge'],
]
test.each(table)('in %s, %j at %d ms leads to %s', (name, event, now, expected) => {
  const from = walk(all[name] ?? []).state
  expect(follows(telnyxSignup.next(at(now), from, event))).toBe(expected)
})

test('neither link nor session nor key is ever part of a state', () => {
  for (const [name, way] of Object.entries(all)) {
    const shown = JSON.stringify(walk(way).state)
    for (const secret of ['token=t', 'session-0123', 'KEY-']) {
      expect(shown, name).not.toContain(secret)
    }
  }
})

test('only the signup, and a key after a lost one, bind somebody', () => {
  const binds = Object.entries(all).flatMap(([name, way]) => {
    const { next } = walk(way)
    const plans = 'send' in next ? next.send : []
    return plans.some((plan) => plan.binds) ? [name] : []
  })
  expect(binds).toEqual(['signup'])
  const retry = telnyxSignup.next(at(0), walk(all['lost-key'] ?? []).state, { type: 'retry' })
  expect(JSON.stringify(retry.next)).toContain('An earlier one may exist already')
})

test('a definite refusal leaves the consent open, a doubtful answer does not', () => {
  const mail = { errors: [{ code: '10027' }] }
  const answers: readonly [string, string, PlanAnswer, true | undefined][] = [
    ['signup', 'bot_signup', reply(400), true],
    ['signup', 'bot_signup', reply(422, mail), true],
    ['signup', 'bot_signup', reply(429), true],
    ['signup', 'bot_signup', reply(302), undefined],
    ['signup', 'bot_signup', reply(500), undefined],
    ['signup', 'bot_signup', reply(200), undefined],
    ['key', 'api_keys', reply(401), true],
    ['key', 'api_keys', reply(429), true],
    ['key', 'api_keys', reply(500), undefined],
  ]
  for (const [step, name, given, open] of answers) {
    const next = telnyxSignup.next(at(0), walk(all[step] ?? []).state, answer(name, given))
    expect(next.refusedBeforeCommit, `${name} ${given.status}`).toBe(open)
  }
})
