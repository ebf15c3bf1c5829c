import fc from 'fast-check'
import { linkInMail } from '../src/methods/telnyx-signup/mail.ts'
import { check, target } from './target.ts'

const sessions = 'https://api.svc.example/v2/bot_sessions'
const since = 1_000_000
const good = fc.nat({ max: 999 }).map((n) => `${sessions}?a=1&token=made-up-${n}`)
const link = fc.oneof(
  { weight: 3, arbitrary: good },
  fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'https://u:p@', 'https:/', 'HTTPS://', 'https:\\\\'),
      fc.constantFrom(
        ...['api.svc.example', 'portal.svc.example', 'svc.example', 'evil.example', 'example'],
        ...['api.svc.example.evil.example', 'api.svc.example:8443', 'api.svc.example@evil.example'],
        ...['apisvc.example', 'api.svc.example.', 'xn--pi-6kc.svc.example', '127.0.0.1'],
      ),
      fc.constantFrom('/v2/bot_sessions', '/v2/bot_sessions/', '/v2/x/../bot_sessions', '/', '//'),
      fc.constantFrom('?token=made-up-x', '', '?', '#token=x', '?token=x&amp;y=1', '?a#b', ').'),
    )
    .map((parts) => parts.join('')),
)
const around = fc.constantFrom(
  ...['<a href="', '">', "<a href='", "'>", ' ', '\n', '(', ')', '.', '&amp;', '&#38;', '&#X26;'],
  ...['http', 'https://', '<p>', '</a>', 'Sign in: ', '\\', '`', '\u200b', '=3D', '&', '<!-- '],
)
const body = fc
  .array(
    fc.oneof(
      around,
      link.map((one) => ` ${one} `),
      link.map((one) => `"${one}"`),
      link,
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''))
const mail = fc.record(
  {
    id: fc.string({ maxLength: 3 }),
    from: fc.constantFrom('no-reply@svc.example', ''),
    subject: fc.constantFrom('Your link', ''),
    receivedAt: fc.integer({ min: since - 2, max: since + 5 }),
    text: body,
    html: body,
  },
  { requiredKeys: ['id', 'from', 'subject', 'receivedAt'] },
)

function withoutEntities(text: string): string {
  return text.replace(/&(?:amp|#38|#x26);/gi, '&').replace(/&#61;/g, '=')
}

/** The link that is followed lies at the sessions endpoint of the service and stands in a new mail. */
export const mailTarget = target({
  name: 'mail',
  runsInTest: 300,
  arbitrary: fc.record({ mails: fc.array(mail, { maxLength: 4 }), certain: good }),
  property({ mails, certain }) {
    const chosen = linkInMail(mails, sessions, since)
    if (chosen !== undefined) {
      const { protocol, hostname, port, username, password, pathname, search } = new URL(chosen)
      const domain = /(?:^|\.)svc\.example\.?$/.test(hostname)
      check(domain && protocol === 'https:' && port === '', 'a link elsewhere:', chosen)
      check(username === '' && password === '' && pathname === '/v2/bot_sessions', chosen)
      check(search.length > 1, 'a link without a token:', chosen)
      const stands = mails
        .filter(({ receivedAt }) => receivedAt >= since)
        .some(({ text = '', html = '' }) => [text, withoutEntities(html)].join().includes(chosen))
      check(stands, 'a link that stands in no new mail:', chosen, mails)
    }
    const html = `<a href="${certain.replaceAll('&', '&amp;')}">Sign in</a>`
    const newest = { id: 'n', from: '', subject: '', receivedAt: since + 9, html }
    check(linkInMail([...mails, newest], sessions, since) === certain, 'missed:', certain, mails)
  },
})
