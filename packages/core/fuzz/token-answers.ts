import fc from 'fast-check'
import { AuthError } from '../src/errors.ts'
import {
  expiryOf,
  readTokenAnswer,
  scopesOf,
  type TokenAnswer,
} from '../src/methods/token-answer.ts'
import { Secret } from '../src/vault/secret.ts'
import { check, target } from './target.ts'

const now = Date.parse('2026-11-01T00:00:00Z')
const longest = 1_000_000_000_000

const number = fc.oneof(
  fc.integer({ min: -2, max: 2_000_000_000 }),
  fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }),
  fc.integer({ min: 1_600_000_000_000, max: 3_000_000_000_000 }),
  fc.constantFrom(0, 0.5, 999_999_999, 1e9, 99_999_999_999, 1e11, 1e15, 1e300),
)
const time = fc.oneof(
  number,
  number.map((one) => ` ${one} `),
  fc
    .tuple(fc.integer({ min: 1970, max: 9999 }), fc.integer({ min: 0, max: 14 }), fc.nat(40))
    .chain(([year, month, day]) => {
      const two = (one: number) => String(one).padStart(2, '0')
      const zones = fc.constantFrom('Z', 'z', '+01:00', '-1200', '+99:99', '')
      return zones.map((zone) => `${year}-${two(month)}-${two(day)}T00:00:00${zone}`)
    }),
  fc.constantFrom<unknown>(null, true, '', 'never', '3600s', '0x10', '1e9', [], {}, [3600]),
)
const scope = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b:c', ' ', ',', '\n'), maxLength: 8 }),
  fc.constantFrom<unknown>(null, 7, {}),
)
const secret = fc.constantFrom<unknown>('made-up-token-1', 'made-up token "2"', '', 7, null, {})

const answer = fc.record(
  {
    access_token: fc.oneof({ weight: 4, arbitrary: fc.constant('made-up-access') }, secret),
    refresh_token: secret,
    token_type: fc.constantFrom<unknown>('Bearer', 'bEARER ', null, 'DPoP', 'Bearer x', '', 7, []),
    expires_in: time,
    expires_at: time,
    scope: fc.oneof(scope, fc.array(scope, { maxLength: 3 })),
  },
  { requiredKeys: [] },
)

/** The whole of what may be said of an end: it lies ahead, by no more than 30 years, and is a number. */
function isEnd(at: number | undefined): boolean {
  return at === undefined || (Number.isInteger(at) && at > now && at <= now + longest)
}

/** A token is used only as what it was given for, and what is said of it is right or not known. */
export const tokenAnswersTarget = target({
  name: 'token-answers',
  runsInTest: 300,
  arbitrary: fc.record({
    body: fc.oneof({ weight: 9, arbitrary: answer }, fc.constantFrom(null, 'x', [], {})),
    lifetime: fc.integer({ min: 1, max: 999_999_999 }),
    time,
  }),
  property({ body, lifetime, time: one }) {
    check(
      expiryOf(lifetime, now) === now + lifetime * 1_000,
      'a lifetime is read wrongly',
      lifetime,
    )
    check(expiryOf(String(lifetime), now) === expiryOf(lifetime, now), 'as text', lifetime)
    check(isEnd(expiryOf(one, now)), 'an end that is none:', one, expiryOf(one, now))
    let read: TokenAnswer
    try {
      read = readTokenAnswer(body, now)
    } catch (error) {
      const malformed = AuthError.isInstance(error) && error.code === 'response_malformed'
      check(malformed, 'another error:', body, String(error))
      check(!JSON.stringify(error).includes('made-up'), 'an error quotes the answer:', body)
      return
    }
    const { access_token, refresh_token, token_type } = body as Record<string, unknown>
    check(Secret.open(read.accessToken) === access_token, 'another token:', body)
    const type = token_type ?? 'bearer'
    const isBearer = typeof type === 'string' && /^\s*bearer\s*$/i.test(type)
    check(isBearer, 'a token for another scheme is used:', body)
    if (read.refreshToken) check(Secret.open(read.refreshToken) === refresh_token, 'refresh:', body)
    check(isEnd(read.expires), 'an end that is none:', body, read.expires)
    const { scopes = [] } = read
    check(new Set(scopes).size === scopes.length, 'a scope twice:', body)
    check(!scopes.some((it) => it === '' || /[\s,]/.test(it)), 'no single scopes:', body, scopes)
    const again = scopesOf(scopes.join(' ')) ?? []
    check(again.join() === scopes.join(), 'written out they are others:', body, scopes)
  },
})
