import { describe, expect, it, test } from 'vitest'
import { audienceOf, confinedAudience, covers, hidesPath, sameService } from './audience.ts'

const goes = (base: string | string[], url: string) =>
  covers(audienceOf([base].flat()), new URL(url))

describe('covers', () => {
  it.each([
    ['https://api.svc.example/v2', 'https://api.svc.example/v2'],
    ['https://api.svc.example/v2', 'https://api.svc.example/v2/'],
    ['https://api.svc.example/v2/', 'https://api.svc.example/v2/things?x=1#y'],
    ['https://api.svc.example', 'https://api.svc.example/anything/at/all'],
    ['https://api.svc.example', 'https://API.SVC.example:443/'],
    ['https://api.svc.example.', 'https://api.svc.example/'],
    ['https://api.svc.example', 'https://api.svc.example./'],
    ['http://localhost:8080/a', 'http://localhost:8080/a/b'],
    ['https://api.svc.example/v2', 'https://api.svc.example/v1/../v2/things'],
    ['https://api.svc.example', 'https://api.svc.example/caf%C3%A9/%20%3A'],
  ])('%s: %s', (base, url) => expect(goes(base, url)).toBe(true))

  it.each([
    ['a longer segment', 'https://api.svc.example/v2', 'https://api.svc.example/v2evil'],
    ['a parent', 'https://api.svc.example/v2', 'https://api.svc.example/'],
    ['another case of the path', 'https://api.svc.example/v2', 'https://api.svc.example/V2/x'],
    ['an encoded letter', 'https://api.svc.example/v2', 'https://api.svc.example/%762/x'],
    ['dots out of it', 'https://api.svc.example/v2', 'https://api.svc.example/v2/../admin'],
    ['encoded dots', 'https://api.svc.example/v2', 'https://api.svc.example/v2/%2e%2e/admin'],
    ['encoded slashes', 'https://api.svc.example/v2', 'https://api.svc.example/v2/..%2fadmin'],
    ['an empty segment', 'https://api.svc.example/v2', 'https://api.svc.example/v2//admin'],
    ['path parameters', 'https://api.svc.example/v2', 'https://api.svc.example/v2/..;/admin'],
    ['another port', 'https://api.svc.example', 'https://api.svc.example:8443/'],
    ['another scheme', 'https://api.svc.example', 'http://api.svc.example/'],
    ['another scheme, same port', 'https://a.example', 'http://a.example:443/'],
    ['a sibling', 'https://api.svc.example', 'https://www.svc.example/'],
    ['a child', 'https://svc.example', 'https://api.svc.example/'],
    ['the host as a prefix', 'https://svc.example', 'https://svc.example.evil.test/'],
    ['the host as a user', 'https://svc.example', 'https://svc.example@evil.test/'],
    ['a user', 'https://svc.example', 'https://me:pw@svc.example/'],
    ['an encoded dot in the host', 'https://svc.example', 'https://svc%2eevil.example/'],
    ['a look-alike', 'https://svc.example', 'https://\u0455vc.example/'],
  ])('not %s', (_why, base, url) => expect(goes(base, url)).toBe(false))

  it('looks at every base', () => {
    const bases = ['https://a.example/x', 'https://b.example/y']
    expect(goes(bases, 'https://b.example/y/1')).toBe(true)
    expect(goes(bases, 'https://b.example/x/1')).toBe(false)
  })
})

test.each([
  '/a%2fb',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a%0d%0ab',
  '/a%7f',
  '/%2e%2e/a',
  '/a%252fb',
  '/a;b',
  '/a%3bb',
  '/a//b',
  '/%c0%ae%c0%ae/a',
  '/%ef%bc%8f',
  '/a%zz',
])('%s is read in more than one way', (path) => expect(hidesPath(path)).toBe(true))

test.each(['/', '/v2/a.b-c_d~e', '/v2/%C3%BC', '/v2/a:b,c@d', '/v2/a%20b', '/v2/%E2%82%AC'])(
  '%s is plain',
  (path) => expect(hidesPath(path)).toBe(false),
)

describe('an audience as the application states it', () => {
  it('is written without slashes at the end, once each', () => {
    const given = ['https://a.example/', 'https://A.example', 'https://a.example/v1//?q#f']
    expect(() => audienceOf(given)).toThrow('audience')
    expect(audienceOf(given.slice(0, 2)).bases).toEqual(['https://a.example'])
    expect(audienceOf(['https://a.example/v1/?q#f']).bases).toEqual(['https://a.example/v1'])
  })

  it.each(['ftp://a.example', 'https://u:p@a.example', 'https://a.example/a%2fb', 'a.example'])(
    'is not %s',
    (base) => expect(() => audienceOf([base])).toThrow('an audience is made of'),
  )

  it('is not empty', () => expect(() => audienceOf([])).toThrow('at least one'))
})

describe('the audience of what an endpoint issued', () => {
  const of = (issuer: string, ...wanted: string[]) => confinedAudience(issuer, wanted).bases

  it.each([
    ['https://auth.svc.example/token', ['https://api.svc.example/v2']],
    ['https://svc.co.uk/keys', ['https://api.svc.co.uk']],
    ['https://acme.vercel.app/keys', ['https://acme.vercel.app/api']],
    ['https://api.svc.example/keys', ['https://api.svc.example:8443']],
    ['http://api.telnyx.localhost:1/v2/keys', ['http://api.telnyx.localhost:1/v2']],
  ])('%s may name its own %s', (issuer, wanted) => expect(of(issuer, ...wanted)).toEqual(wanted))

  it.each([
    ['another domain', 'https://api.svc.example', 'https://evil.test'],
    ['a sibling on a private suffix', 'https://acme.vercel.app', 'https://other.vercel.app'],
    ['a sibling on a public suffix', 'https://svc.co.uk', 'https://foo.co.uk'],
    ['the private suffix itself', 'https://user.github.io', 'https://github.io'],
    ['a downgrade', 'https://api.svc.example', 'http://api.svc.example'],
    ['another port of an address', 'http://127.0.0.1:1', 'http://127.0.0.1:2'],
    ['another port of localhost', 'http://localhost:1', 'http://localhost:2'],
    ['a user in it', 'https://api.svc.example', 'https://u@api.svc.example'],
    ['a path that hides', 'https://api.svc.example', 'https://api.svc.example/a%2f..'],
    ['no URL', 'https://api.svc.example', 'api'],
  ])('not %s: its origin is what remains', (_why, issuer, wanted) => {
    expect(of(`${issuer}/keys`, wanted)).toEqual([new URL(issuer).origin])
  })

  it('keeps those that fit', () => {
    expect(of('https://a.svc.example', 'https://evil.test', 'https://b.svc.example')).toEqual([
      'https://b.svc.example',
    ])
  })
})

describe('the service that is meant', () => {
  const credential = {
    service: 'https://api.svc.example',
    audience: audienceOf(['https://api.svc.example/v2', 'https://files.svc.example']),
  }

  it.each([
    'https://api.svc.example',
    'api.svc.example',
    'https://www.svc.example/x',
    'svc.example',
  ])('%s', (asked) => expect(sameService(credential, asked)).toBe(true))

  it.each(['https://evil.test', 'https://svc.example.evil.test', 'example', '', 'https://', 'a b'])(
    'not %j',
    (asked) => expect(sameService(credential, asked)).toBe(false),
  )

  it('not a neighbour on a private suffix, not another port', () => {
    const mine = {
      service: 'https://acme.vercel.app',
      audience: audienceOf(['https://acme.vercel.app']),
    }
    expect(sameService(mine, 'https://other.vercel.app')).toBe(false)
    expect(sameService(mine, 'https://vercel.app')).toBe(false)
    expect(sameService(mine, 'https://acme.vercel.app:8443')).toBe(false)
  })

  it('a host and port without a scheme', () => {
    const local = {
      service: 'http://api.svc.localhost:81',
      audience: audienceOf(['http://api.svc.localhost:81']),
    }
    expect(sameService(local, 'api.svc.localhost:81')).toBe(true)
    expect(sameService(local, 'api.svc.localhost:82')).toBe(false)
  })
})
