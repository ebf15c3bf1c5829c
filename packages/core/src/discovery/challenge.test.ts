import { expect, it } from 'vitest'
import { parseChallenges, resourceMetadataUrls } from './challenge.ts'

it('reads one scheme with quoted and bare values', () => {
  expect(parseChallenges('Bearer realm="a \\"b\\", c", error=invalid_token')).toEqual([
    {
      scheme: 'Bearer',
      params: [
        ['realm', 'a "b", c'],
        ['error', 'invalid_token'],
      ],
    },
  ])
})

it.each([
  ['Negotiate', [{ scheme: 'Negotiate', params: [] }]],
  ['Negotiate YWJj==', [{ scheme: 'Negotiate', token68: 'YWJj==', params: [] }]],
  [
    'Negotiate YWJj, Basic realm=x',
    [
      { scheme: 'Negotiate', token68: 'YWJj', params: [] },
      { scheme: 'Basic', params: [['realm', 'x']] },
    ],
  ],
  ['Bearer', [{ scheme: 'Bearer', params: [] }]],
  [
    ',, Bearer ,, a=b , , DPoP algs="ES256 PS256"',
    [
      { scheme: 'Bearer', params: [['a', 'b']] },
      { scheme: 'DPoP', params: [['algs', 'ES256 PS256']] },
    ],
  ],
])('reads %s', (field, expected) => {
  expect(parseChallenges(field)).toEqual(expected)
})

/** @see QwenLM/qwen-code#5343 */
it('reads spaces around "=", unquoted values, commas in quotes and several schemes', () => {
  const field =
    'Basic realm="a,b", Bearer error=invalid_token, resource_metadata = "https://svc.test/x?y=1,2"'
  expect(parseChallenges(field)).toEqual([
    { scheme: 'Basic', params: [['realm', 'a,b']] },
    {
      scheme: 'Bearer',
      params: [
        ['error', 'invalid_token'],
        ['resource_metadata', 'https://svc.test/x?y=1,2'],
      ],
    },
  ])
  expect(resourceMetadataUrls(new Headers({ 'www-authenticate': field }))).toEqual([
    'https://svc.test/x?y=1,2',
  ])
  const bare = new Headers({ 'www-authenticate': 'Bearer resource_metadata=https://svc.test/m' })
  expect(resourceMetadataUrls(bare)).toEqual(['https://svc.test/m'])
})

/** @see modelcontextprotocol/typescript-sdk#1946 */
it('looks at every challenge of every header line', () => {
  const headers = new Headers()
  headers.append('www-authenticate', 'Negotiate')
  headers.append('www-authenticate', 'Bearer resource_metadata="https://svc.test/m"')
  headers.append('www-authenticate', 'Basic realm="later"')
  expect(resourceMetadataUrls(headers)).toEqual(['https://svc.test/m'])
})

/** @see getsentry/sentry-mcp#939 */
it('keeps both values of a repeated parameter as candidates', () => {
  const headers = new Headers({
    'www-authenticate':
      'Bearer realm="x", resource_metadata="https://svc.test/a", error="invalid_token", resource_metadata="https://svc.test/b"',
  })
  expect(resourceMetadataUrls(headers)).toEqual(['https://svc.test/a', 'https://svc.test/b'])
})

it.each([
  ['=', []],
  ['"', []],
  ['Bearer realm="never closed, error=x', [['realm', 'never closed, error=x']]],
  [
    'Bearer realm="a"junk, error=x',
    [
      ['realm', 'a'],
      ['error', 'x'],
    ],
  ],
  ['Bearer \u0000, error=x', [['error', 'x']]],
])('survives %j', (field, params) => {
  expect(parseChallenges(field).flatMap((challenge) => challenge.params)).toEqual(params)
})

it('reads a hostile field in bounded time and number', () => {
  expect(parseChallenges('a, '.repeat(1_000_000)).length).toBe(64)
  expect(parseChallenges('Bearer a="'.repeat(100_000)).length).toBe(1)
})

it('drops what is no URL', () => {
  const headers = new Headers({ 'www-authenticate': 'Bearer resource_metadata="/relative"' })
  expect(resourceMetadataUrls(headers)).toEqual([])
})
