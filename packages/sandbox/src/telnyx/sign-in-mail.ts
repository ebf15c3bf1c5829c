import type { LogEntry } from '../log.ts'
import type { Mail } from '../mail.ts'
import type { Account, Telnyx } from './state.ts'
import { uuidV7 } from './uuid-v7.ts'

const ttlMs = 15 * 60_000

/** Sends the link that gives one session, once, within 15 minutes. */
export function sendSignInLink(telnyx: Telnyx, account: Account, entry: LogEntry): Mail {
  const { server, urls, mail } = telnyx
  const { value } = server.ledger.issue({
    kind: 'mail_link_token',
    value: uuidV7(server.clock.now()),
    account: account.id,
    request: entry.n,
    ttlMs,
  })
  entry.effect = true
  const link = new URL(`${urls.api}/v2/bot_sessions`)
  link.searchParams.set('source', 'bot_signup')
  link.searchParams.set('token', value)
  const portal = `${urls.portal}/#/login/sign-in`
  return mail.deliver({
    from: 'no-reply@telnyx.localhost',
    to: account.email,
    subject: 'Your Single Use Telnyx Portal sign-in link',
    text: textMail(link.href, portal),
    html: htmlMail(link.href, portal),
  })
}

/**
 * The sign-in link in a mail, as a program has to read it: from the HTML, with `&amp;` decoded.
 *
 * @example
 * const link = signInLink(await sandbox.mail.waitFor('ada@agents.example'))
 */
export function signInLink(mail: Pick<Mail, 'html'>): string {
  const href = mail.html.match(/href="([^"]*\/v2\/bot_sessions\?[^"]*)"/)?.[1]
  if (href === undefined) throw new Error('no sign-in link in this mail')
  return href.replaceAll('&amp;', '&')
}

function textMail(link: string, portal: string): string {
  return `Hello,

open this link within 15 minutes to finish signing in. It works one time only.

${link}

You did not ask for it? Then there is nothing to do.
The portal is always at ${portal}
`
}

function htmlMail(link: string, portal: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sign in</title></head>
<body style="font-family: sans-serif">
<p>Hello,</p>
<p>open this link within 15 minutes to finish signing in. It works one time only.</p>
<p><a href="${link.replaceAll('&', '&amp;')}" style="padding: 8px">Sign in to the portal</a></p>
<p>You did not ask for it? Then there is nothing to do.</p>
<hr>
<p><small>The portal is always at <a href="${portal}">portal.telnyx.localhost</a>.</small></p>
</body>
</html>
`
}
