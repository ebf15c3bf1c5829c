import { domainToUnicode } from 'node:url'
import { expect, it, test } from 'vitest'
import { skeleton } from './look-alike.ts'

const ascii = (domain: string) => new URL(`https://${domain}/`).hostname
const alike = (one: string, other: string) => skeleton(ascii(one)) === skeleton(ascii(other))

test.each([
  ['telnyx.com', 'te1nyx.com'],
  ['telnyx.com', 'teinyx.com'],
  ['telnyx.com', 'TELNYX.com'],
  ['google.example', 'g00gle.example'],
  ['modern.example', 'modem.example'],
  ['windows.example', 'vvindows.example'],
  ['acme.co.uk', 'acrne.co.uk'],
  ['acme.vercel.app', 'acrne.vercel.app'],
  ['paypal.example', 'раураl.example'],
  ['telnyx.com', 'teӏnyx.com'],
  ['telnyx.com', 'télnyx.com'],
  ['telnyx.com', 'tеІnух.com'],
  ['telnyx.com', 'ｔelnyx.com'],
])('%s can be taken for %s', (one, other) => expect(alike(one, other)).toBe(true))

test.each([
  ['telnyx.com', 'telnyx.co'],
  ['telnyx.com', 'telnix.com'],
  ['telnyx.com', 'tenlyx.com'],
  ['stripe.example', 'stripes.example'],
  ['acme.example', 'acne.example'],
  ['box.example', 'fox.example'],
  ['svc-a.example', 'svc-b.example'],
  ['one.vercel.app', 'two.vercel.app'],
  ['bücher.example', 'bäcker.example'],
  ['телекс.example', 'telex.example'],
])('%s and %s are ordinary neighbours', (one, other) => expect(alike(one, other)).toBe(false))

it('reads punycode as the URL standard does', () => {
  for (const domain of ['bücher', 'ѕvc', '日本語', 'ليهمابتكلموشعربي', 'пример', 'aé0bü-c']) {
    const label = ascii(`${domain}.test`)
    expect(label).toMatch(/^xn--/)
    const plain = (text: string) => skeleton(text)
    expect(plain(label)).toBe(plain(domainToUnicode(label)))
    expect(plain(label)).not.toContain('xn--')
  }
})

it.each(['xn--', 'xn---', 'xn--99999999999', 'xn--\u00e9', 'xn--a-', '', '.', 'xn--zzzzzzzzzzzz'])(
  'survives %j',
  (label) => expect(typeof skeleton(label)).toBe('string'),
)
