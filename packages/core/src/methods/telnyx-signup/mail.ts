import { registrableDomain } from '../../net/url.ts'
import type { MailMessage } from '../../people/mailbox.ts'

const entities: Readonly<Record<string, string>> = { amp: '&', '#38': '&', '#x26': '&', '#61': '=' }

/**
 * The sign-in link of the newest mail that has one: an address at the sessions endpoint, on its
 * registrable domain. Other links of the mail, such as a footer's, are no sign-in links.
 */
export function linkInMail(
  messages: readonly MailMessage[],
  sessions: string,
  since: number,
): string | undefined {
  const newest = [...messages]
    .filter((mail) => mail.receivedAt >= since)
    .sort((a, b) => b.receivedAt - a.receivedAt)
  for (const mail of newest) {
    const texts = [mail.html === undefined ? '' : decodeEntities(mail.html), mail.text ?? '']
    for (const text of texts) {
      const link = addressesIn(text).find((address) => isSessionLink(address, sessions))
      if (link !== undefined) return link
    }
  }
  return undefined
}

/** Whether an address is a sign-in link of this service: same host and path, and a query that holds the token. */
export function isSessionLink(address: string, sessions: string): boolean {
  const url = URL.parse(address)
  const wanted = new URL(sessions)
  if (url === null || url.protocol !== wanted.protocol || url.username || url.password) return false
  const domain = registrableDomain(wanted.hostname)
  const sameDomain = url.host === wanted.host || registrableDomain(url.hostname) === domain
  return (
    sameDomain && url.port === wanted.port && url.pathname === wanted.pathname && url.search !== ''
  )
}

/** All http(s) addresses in a text, each up to a character that none can hold. */
function addressesIn(text: string): string[] {
  const found: string[] = []
  for (let at = text.indexOf('http'); at !== -1; at = text.indexOf('http', at + 4)) {
    let end = at
    while (end < text.length && end - at < 4096 && !/[\s"'<>\\`]/.test(text[end] ?? ' ')) end++
    const address = text.slice(at, end).replace(/[).,;]+$/, '')
    if (address.startsWith('http://') || address.startsWith('https://')) found.push(address)
  }
  return found
}

/** Decodes what can stand in the address of a link in HTML. */
export function decodeEntities(html: string): string {
  return html.replace(/&(amp|#38|#x26|#61);/gi, (whole, name: string) => {
    return entities[name.toLowerCase()] ?? whole
  })
}
