import { createBrowser, goTo, type PersonPage, plain } from '../browser.ts'
import type { Mail } from '../mail.ts'
import { claimLink } from './claim-mail.ts'

/** A person with a browser: one address, one session, and what they do with a link. */
export interface Person {
  /** Opens a link, follows redirects and signs in where asked to. */
  open(link: string): Promise<PersonPage>
  /** Signs in, which opens an account where there was none. */
  signIn(): Promise<PersonPage>
  /**
   * Opens a mail's link or a verification URI, confirms where the page asks for it, and reads the
   * code that it shows.
   * @throws Error where no code comes up
   */
  readCode(from: string | Pick<Mail, 'html'>): Promise<string>
  /** Types the code that the agent showed into the page. */
  typeCode(verificationUri: string, userCode: string): Promise<PersonPage>
  /** Presses "Refuse". */
  refuse(verificationUri: string): Promise<PersonPage>
}

/**
 * The person's side of a ceremony, done over HTTP as a browser would.
 *
 * @example
 * const ada = personAt(sandbox.authMd[0], 'ada@agents.example')
 * await ada.typeCode(claim.verification_uri, claim.user_code)
 */
export function personAt({ issuer }: { readonly issuer: string }, email: string): Person {
  const { load, submit } = createBrowser()

  const open = async (link: string): Promise<PersonPage> => {
    const page = await load(link)
    return page.html.includes('action="/login"') ? submit(page, { email }) : page
  }

  return {
    open,
    signIn: async () => submit(await load(`${issuer}/login`), { email }),
    async readCode(from) {
      let page = await open(typeof from === 'string' ? from : claimLink(from))
      if (page.html.includes('<form ')) page = await submit(page)
      const code = page.html.match(/<output id="user-code">(\d+)</)?.[1]
      return code ?? runScript(page)
    },
    typeCode: async (uri, userCode) => submit(await open(uri), { user_code: userCode }),
    refuse: async (uri) => submit(await open(uri), { decision: 'refuse' }),
  }
}

/** What the script of a mailed link's page does: asks for the code. */
async function runScript({ url, html, status }: PersonPage): Promise<string> {
  const [, challenge, body] = html.match(/data-challenge="([^"]*)" data-body="([^"]*)"/) ?? []
  if (challenge === undefined || body === undefined) throw new Error(`no code: ${status} ${html}`)
  const headers = { 'content-type': 'application/json' }
  const { text } = await goTo(new URL(challenge, url).href, headers, plain(body))
  const code = text.match(/"challenge":"(\d+)"/)?.[1]
  if (code === undefined) throw new Error(`no code: ${text}`)
  return code
}
