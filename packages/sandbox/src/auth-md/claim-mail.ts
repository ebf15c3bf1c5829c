import type { Mail } from '../mail.ts'
import type { Attempt, AuthMd } from './state.ts'

/** Mails the link to the page with the code, or the code itself where the version does so. */
export function sendClaimMail(site: AuthMd, attempt: Attempt): void {
  const { mail, name, dialect, issuer } = site
  const link = pageUrl(site, attempt)
  const [text, html] =
    dialect.ceremony === 'mailed-code'
      ? [
          `Your code is ${attempt.code}. Give it to the agent that asks you for it.`,
          `<p>Your code is <code>${attempt.code}</code>. Give it to the agent that asks you for it.</p>`,
        ]
      : [
          `An agent wants to act for you. Open this page for the code that it asks you for:\n\n${link}`,
          `<p>An agent wants to act for you. <a href="${link.replaceAll('&', '&amp;')}">Open the page</a> for the code that it asks you for.</p>`,
        ]
  mail.deliver({
    from: `no-reply@${new URL(issuer).hostname}`,
    to: attempt.email,
    subject: `An agent asks for access to ${name}`,
    text: `${text}\n\nYou know of no agent? Then there is nothing to do.\n`,
    html: `<!doctype html>\n<html lang="en"><body>${html}<p>You know of no agent? Then there is nothing to do.</p></body></html>\n`,
  })
}

/** Where a person confirms an attempt. */
export function pageUrl({ issuer, dialect, version }: AuthMd, attempt: Attempt): string {
  const query = (name: string) => `${dialect.paths.page}?${name}=${attempt.token}`
  if (dialect.ceremony === 'mailed-link' || version === 'hosted') return issuer + query('token')
  if (version === 'agent-artifacts')
    return `${issuer}${dialect.paths.page}?user_code=${attempt.code}`
  return `${issuer}/login?return_to=${encodeURIComponent(query('claim_attempt_token'))}`
}

/**
 * The link in a mail about a claim, as a program has to read it: from the HTML, with `&amp;` decoded.
 *
 * @throws Error for a mail without one
 *
 * @example
 * const link = claimLink(await sandbox.mail.waitFor('ada@agents.example'))
 */
export function claimLink(mail: Pick<Mail, 'html'>): string {
  const href = mail.html.match(/href="([^"]*)"/)?.[1]
  if (href === undefined) throw new Error('no link in this mail')
  return href.replaceAll('&amp;', '&')
}
