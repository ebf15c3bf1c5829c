import fc from 'fast-check'
import {
  type Challenge,
  parseChallenges,
  resourceMetadataUrls,
} from '../src/discovery/challenge.ts'
import { check, target } from './target.ts'

const tokenChars = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz".split('')
const token = fc.string({
  unit: fc.constantFrom(...tokenChars),
  minLength: 1,
  maxLength: 8,
})
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 2 })
const quotable = fc.string({
  unit: fc.constantFrom('a', 'b', ',', '=', '"', '\\', ' ', ';', '/', ':', 'é', 'Basic', '\t'),
  maxLength: 10,
})
const param = fc.record({
  name: token,
  value: fc.oneof(
    fc.record({ quoted: fc.constant(true), text: quotable }),
    fc.record({ quoted: fc.constant(false), text: token }),
  ),
  before: blanks,
  after: blanks,
})
const challenge = fc.oneof(
  fc.record({ scheme: token, params: fc.array(param, { maxLength: 4 }) }),
  fc.record({
    scheme: token,
    token68: fc
      .tuple(
        fc.string({ unit: fc.constantFrom(...'-._~+/09AZaz'), minLength: 1, maxLength: 8 }),
        fc.constantFrom('', '=', '=='),
      )
      .map((parts) => parts.join('')),
  }),
)
const separator = fc.constantFrom(',', ', ', ' , ', ',,', ', ,\t')
const piece = fc.constantFrom(
  ...['Bearer', 'Basic', ' ', ',', '=', '"', '\\', '\\"', 'realm', 'resource_metadata', '\t'],
  ...['https://svc.test/a', 'x==', '"a,b"', 'é', '\u0000', ';', 'realm="', '= "'],
)

type Param = typeof param extends fc.Arbitrary<infer T> ? T : never
type Printed = { scheme: string; params?: Param[]; token68?: string }

function printParam({ name, value, before, after }: Param): string {
  const text = value.quoted ? `"${value.text.replace(/[\\"]/g, '\\$&')}"` : value.text
  return `${name}${before}=${after}${text}`
}

function print({ scheme, params = [], token68 }: Printed, between: string): string {
  if (token68 !== undefined) return `${scheme} ${token68}`
  return params.length === 0 ? scheme : `${scheme} ${params.map(printParam).join(between)}`
}

/** `WWW-Authenticate`: what is printed by the standard is read back, and nothing makes it throw. */
export const challengeTarget = target({
  name: 'challenge',
  runsInTest: 300,
  arbitrary: fc.record({
    challenges: fc.array(challenge, { maxLength: 5 }),
    between: separator,
    noise: fc.array(piece, { maxLength: 30 }),
  }),
  property({ challenges, between, noise }) {
    const printed = challenges as Printed[]
    const field = printed.map((one) => print(one, between)).join(between)
    const wanted = printed.map(
      ({ scheme, params = [], token68 }): Challenge => ({
        scheme,
        ...(token68 === undefined ? {} : { token68 }),
        params: params.map(({ name, value }) => [name.toLowerCase(), value.text] as const),
      }),
    )
    const read = parseChallenges(field)
    const same = JSON.stringify(read.map(ordered)) === JSON.stringify(wanted.map(ordered))
    check(same, 'what was printed is read otherwise:', field, read)

    const text = noise.join('')
    const found = parseChallenges(text)
    const characters = found.flatMap(({ scheme, token68 = '', params }) => [
      scheme,
      token68,
      ...params.flat(),
    ])
    check(characters.join('').length <= text.length, 'more is read than was sent:', text, found)
    for (const { scheme } of found) {
      check(/^[!#$%&'*+\-.^_`|~\w]+$/.test(scheme), 'a scheme is no token:', text, scheme)
    }
    const headers = new Headers()
    headers.set('www-authenticate', text.replace(/[\0\r\n]|[^\0-\xff]/g, ''))
    for (const url of resourceMetadataUrls(headers)) {
      check(URL.canParse(url), 'an address is none:', url)
    }
  },
})

function ordered({ scheme, token68, params }: Challenge): unknown[] {
  return [scheme, token68, params]
}
