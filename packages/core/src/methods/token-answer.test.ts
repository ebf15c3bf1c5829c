import { expect, test } from 'vitest'
import { Secret } from '../vault/secret.ts'
import { expiryOf, isInvalidGrant, readTokenAnswer, scopesOf } from './token-answer.ts'

const now = Date.parse('2026-11-01T00:00:00Z')
const hour = 3_600_000
const bare = { access_token: 'made-up-access', token_type: 'Bearer' }

/** @see panva/oauth4webapi#47, panva/oauth4webapi#77 and panva/oauth4webapi#112 */
test.each([
  [3600, now + hour],
  ['3600', now + hour],
  [' 3600 ', now + hour],
  ['3600.5', now + hour + 500],
  [0.5, now + 500],
])('a lifetime of %j is taken as seconds', (value, expires) => {
  expect(readTokenAnswer({ ...bare, expires_in: value }, now).expires).toBe(expires)
})

/** @see panva/oauth4webapi#47 */
test.each([
  undefined,
  null,
  0,
  '0',
  -1,
  '-1',
  'abc',
  '',
  '3600s',
  '1e3',
  '0x10',
  true,
  [],
  {},
  Number.NaN,
  Infinity,
  1e300,
  '9'.repeat(400),
])('a lifetime of %j is unknown, and the token is kept', (value) => {
  const answer = readTokenAnswer({ ...bare, expires_in: value }, now)
  expect('expires' in answer).toBe(false)
  expect(Secret.open(answer.accessToken)).toBe('made-up-access')
})

/** @see OAuth-Apis/apis#56 and stella/stella#782 */
test.each([
  [300, now + 300_000],
  ['300', now + 300_000],
  ['2026-12-01T00:00:00Z', Date.parse('2026-12-01T00:00:00Z')],
  ['2026-12-01T01:00:00+01:00', Date.parse('2026-12-01T00:00:00Z')],
  [1_796_083_200, 1_796_083_200_000],
  ['1796083200', 1_796_083_200_000],
  [1_796_083_200_000, 1_796_083_200_000],
  ['1796083200000', 1_796_083_200_000],
])('the end %j is told by its size and form', (value, expires) => {
  expect(expiryOf(value, now)).toBe(expires)
})

/** @see OAuth-Apis/apis#56 */
test.each([
  ['2020-01-01T00:00:00Z', 'past'],
  [1_600_000_000, 'past, in seconds'],
  [1_600_000_000_000, 'past, in milliseconds'],
  [99_999_999_999, 'the year 5138'],
  ['9999-12-31T23:59:59Z', 'the year 9999'],
  ['2026-12-01T00:00:00', 'no zone'],
  ['2026-13-45T99:00:00Z', 'no date'],
  ['2026-12-01', 'no time'],
  [1_796_083_200_000_000, 'microseconds'],
])('the end %j is unknown: %s', (value, _why) => {
  expect(expiryOf(value, now)).toBeUndefined()
})

test('an absolute end is read where the lifetime says nothing', () => {
  const both = { ...bare, expires_in: null, expires_at: 1_796_083_200 }
  expect(readTokenAnswer(both, now).expires).toBe(1_796_083_200_000)
  expect(readTokenAnswer({ ...both, expires_in: 60 }, now).expires).toBe(now + 60_000)
})

/** @see ramosbugs/oauth2-rs#86, manfredsteyer/angular-oauth2-oidc#687 and pilcrowonpaper/arctic#318 */
test.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  ['a b', ['a', 'b']],
  ['a,b', ['a', 'b']],
  [' a,  b a ', ['a', 'b']],
  [
    ['a b', 'c'],
    ['a', 'b', 'c'],
  ],
  ['', undefined],
  [undefined, undefined],
  [null, undefined],
  [[], undefined],
  [7, undefined],
  [['a', 7], undefined],
])('the scopes of %j', (value, scopes) => {
  expect(scopesOf(value)).toEqual(scopes)
  expect(readTokenAnswer({ ...bare, scope: value }, now).scopes).toEqual(scopes)
})

/** @see Switcheo/carbon-js-sdk#681, keycloak/keycloak#7384 and spring-attic/spring-security-oauth#354 */
test.each(['Bearer', 'bearer', 'BEARER', ' bearer ', undefined, null])(
  'the scheme %j is Bearer',
  (token_type) => {
    const { accessToken } = readTokenAnswer({ ...bare, token_type }, now)
    expect(Secret.open(accessToken)).toBe('made-up-access')
  },
)

/** @see Switcheo/carbon-js-sdk#681 */
test.each(['DPoP', 'mac', '', 7, ['Bearer'], 'Bearer token'])(
  'a token of the scheme %j is not used',
  (token_type) => {
    expect(() => readTokenAnswer({ ...bare, token_type }, now)).toThrow(
      expect.objectContaining({ code: 'response_malformed' }),
    )
  },
)

test('a refresh token is kept as a secret; one that is none is as if it were not there', () => {
  const { refreshToken } = readTokenAnswer({ ...bare, refresh_token: 'made-up-refresh' }, now)
  expect(refreshToken && Secret.open(refreshToken)).toBe('made-up-refresh')
  for (const refresh_token of [null, '', 7, {}]) {
    expect('refreshToken' in readTokenAnswer({ ...bare, refresh_token }, now)).toBe(false)
  }
})

test.each([
  undefined,
  null,
  'text',
  [],
  {},
  { access_token: '' },
  { access_token: null },
  { access_token: 7 },
  { error: 'invalid_grant' },
])('%j holds no token, and is not quoted', (json) => {
  expect(() => readTokenAnswer(json, now)).toThrow(
    expect.objectContaining({
      code: 'response_malformed',
      message: 'the answer holds no token',
    }),
  )
})

test('only invalid_grant ends a refresh token', () => {
  expect(isInvalidGrant(400, { error: 'invalid_grant', error_description: 'x' })).toBe(true)
  expect(isInvalidGrant(401, { error: 'invalid_grant' })).toBe(true)
  for (const [status, json] of [
    [400, { error: 'invalid_request' }],
    [400, { error: 'invalid_client' }],
    [400, { error: ['invalid_grant'] }],
    [400, 'invalid_grant'],
    [400, undefined],
    [429, { error: 'slow_down' }],
    [503, { error: 'invalid_grant' }],
    [200, { error: 'invalid_grant' }],
  ] as const) {
    expect(isInvalidGrant(status, json), JSON.stringify(json)).toBe(false)
  }
})
