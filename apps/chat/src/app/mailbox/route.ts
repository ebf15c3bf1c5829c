import { agent } from '../../server/agent.ts'
import { openFirst, visitor } from '../../server/visitor.ts'

/** What the person finds in their mail: plain, so that no link in it can be clicked by mistake. */
export async function GET(): Promise<Response> {
  const known = await visitor()
  if (known === undefined) return openFirst()
  const { sandbox } = await agent()
  const mails = sandbox.mail.list(known.email).map(({ from, subject, text }) => {
    return `From: ${from}\nSubject: ${subject}\n\n${text}`
  })
  return new Response([`Mail to ${known.email}`, ...mails].join('\n\n----\n\n'), {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'",
    },
  })
}
