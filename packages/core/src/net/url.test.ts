import { describe, expect, it } from 'vitest'
import {
  checkUrl,
  displayHost,
  displayUrl,
  isLoopbackHost,
  loopbackPermitted,
  registrableDomain,
  sameOrigin,
} from './url.ts'

const closed = { start: 'https://svc.test/', loopbackAllowed: false }
const open = { start: 'http://localhost:3000/', loopbackAllowed: true }

function codeOf(text: string, rules = closed): string {
  try {
    return checkUrl(text, rules).href
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('checkUrl', () => {
  it.each([
    'http://169.254.169.254/',
    'http://metadata.google.internal/',
    'https://metadata.google.internal/',
    'http://[fd00:ec2::254]/',
    'https://127.0.0.1:1/',
    'https://localhost/',
    'https://svc.localhost/',
    'https://0.0.0.0/',
    'https://[::1]/',
    'https://[::]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://localhost./',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://[2002:a00:1::]/',
    'https://10.0.0.1/',
    'https://intranet/',
    'https://printer/',
    'https://printer.local/',
    'https://PRINTER.LOCAL./',
    'https://router.home.arpa/',
    'https://svc.test:22/',
    'https://svc.test:25/',
    'https://svc.test:80/',
    'https://svc.test:6379/',
    'https://svc.test:5432/',
    'https://svc.test:27017/',
  ])('refuses where %s leads', (text) => {
    expect(codeOf(text)).toBe('address_refused')
  })

  it.each([
    'http://svc.test/',
    'ftp://svc.test/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'gopher://svc.test/',
    'javascript:alert(1)',
    'https://user:pass@svc.test/',
    'https://user@svc.test/',
    'https://:pass@svc.test/',
    'https://svc.test../',
    'https://./',
    'https://',
    'svc.test',
    '/path',
    '',
    'https://svc.test:99999/',
    'https://[fe80::1%25eth0]/',
    `https://svc.test/${'a'.repeat(4096)}`,
  ])('refuses %s as a URL', (text) => {
    expect(codeOf(text)).toBe('invalid_url')
  })

  it('refuses what is no text', () => {
    expect(codeOf(undefined as unknown as string)).toBe('invalid_url')
    expect(codeOf({ toString: () => 'https://svc.test/' } as unknown as string)).toBe('invalid_url')
  })

  it.each([
    ['https://svc.test', 'https://svc.test/'],
    ['https://svc.test./a', 'https://svc.test/a'],
    ['https://svc.test\\@evil.test/', 'https://svc.test/@evil.test/'],
    ['https://svc.test#@evil.test', 'https://svc.test/#@evil.test'],
    ['https://svc.test%2eevil.test/', 'https://svc.test.evil.test/'],
    ['https://ѕvc.test/', 'https://xn--vc-doc.test/'],
    ['https://svc.test:8443/', 'https://svc.test:8443/'],
    ['https://1.1.1.1/', 'https://1.1.1.1/'],
  ])('reads %s as the URL standard does', (text, href) => {
    expect(codeOf(text)).toBe(href)
  })

  it('never quotes a password or a query in what it says', () => {
    for (const text of ['https://user:canary@svc.test/', 'http://svc.test/?t=canary', 'canary']) {
      expect(() => checkUrl(text, closed)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('canary') }),
      )
    }
  })

  it('lets loopback through on any port and over http where start and application allow it', () => {
    for (const text of [
      'http://localhost:22/',
      'http://127.0.0.1:6379/',
      'https://[::1]/',
      'http://a.localhost/',
    ]) {
      expect(codeOf(text, open)).toBe(new URL(text).href)
    }
  })

  it('needs both for loopback: the application and a loopback start', () => {
    expect(codeOf('http://localhost/', { ...open, start: 'https://svc.test/' })).toBe(
      'address_refused',
    )
    expect(codeOf('http://localhost/', { ...open, loopbackAllowed: false })).toBe('address_refused')
    expect(codeOf('http://localhost/', { ...open, start: 'nonsense' })).toBe('address_refused')
  })

  it('opens nothing but loopback', () => {
    for (const text of [
      'https://0.0.0.0/',
      'https://[::]/',
      'https://10.0.0.1/',
      'http://169.254.169.254/',
    ]) {
      expect(codeOf(text, open)).toBe('address_refused')
    }
    expect(codeOf('http://svc.test/', open)).toBe('invalid_url')
    expect(codeOf('https://svc.test:22/', open)).toBe('address_refused')
  })
})

it('knows a loopback start in all its forms', () => {
  const starts = [
    'http://localhost:1',
    'http://LOCALHOST./',
    'http://a.b.localhost',
    'http://127.1',
    'http://[::1]:2',
  ]
  for (const start of starts) {
    expect(loopbackPermitted({ start, loopbackAllowed: true }), start).toBe(true)
    expect(loopbackPermitted({ start, loopbackAllowed: false }), start).toBe(false)
  }
  for (const start of [
    'https://svc.test',
    'http://localhost.svc.test',
    'http://notlocalhost',
    'http://0.0.0.0',
  ]) {
    expect(loopbackPermitted({ start, loopbackAllowed: true }), start).toBe(false)
  }
})

it('knows loopback hosts', () => {
  expect(['localhost', 'a.localhost', '127.0.0.1', '[::1]'].map(isLoopbackHost)).not.toContain(
    false,
  )
  expect(['localhost.test', 'xlocalhost', '10.0.0.1', '[::]'].map(isLoopbackHost)).not.toContain(
    true,
  )
})

it.each([
  ['api.svc.test', 'svc.test'],
  ['a.b.svc.co.uk', 'svc.co.uk'],
  ['acme.vercel.app', 'acme.vercel.app'],
  ['deep.user.github.io', 'user.github.io'],
  ['x.pages.dev', 'x.pages.dev'],
  ['vercel.app', undefined],
  ['github.io', undefined],
  ['co.uk', undefined],
  ['test', undefined],
  ['127.0.0.1', '127.0.0.1'],
  ['[::1]', '[::1]'],
  ['localhost', 'localhost'],
  ['telnyx.localhost', 'telnyx.localhost'],
  ['api.telnyx.localhost', 'telnyx.localhost'],
])('registrableDomain(%s) is %s', (host, domain) => {
  expect(registrableDomain(host)).toBe(domain)
})

it('compares origins', () => {
  const same = (one: string, other: string) => sameOrigin(new URL(one), new URL(other))
  expect(same('https://svc.test/a', 'https://SVC.test:443/b?c')).toBe(true)
  expect(same('https://svc.test/', 'https://svc.test./')).toBe(true)
  expect(same('https://svc.test/', 'http://svc.test/')).toBe(false)
  expect(same('https://svc.test/', 'https://svc.test:8443/')).toBe(false)
  expect(same('https://svc.test/', 'https://a.svc.test/')).toBe(false)
})

it('shows hosts in punycode and URLs without their query', () => {
  expect(displayHost(new URL('https://ѕvc.test:8443/'))).toBe('xn--vc-doc.test:8443')
  expect(displayUrl(new URL('https://svc.test/a?token=canary#canary'))).toBe('https://svc.test/a')
})
