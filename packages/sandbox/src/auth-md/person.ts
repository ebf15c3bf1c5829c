import { request } from 'node:http'
import type { Mail } from '../mail.ts'
import { claimLink } from './claim-mail.ts'

/** A page as a person sees it. */
export interface PersonPage {
  readonly status: number
  readonly url: string
  readonly html: string
}

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
  let cookie = ''

  async function load(url: string, fields?: Record<string, string>, hops = 0): Promise<PersonPage> {
    if (hops > 10) throw new Error(`too many redirects at ${url}`)
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const got = await send(url, { cookie, ...(fields ? type : {}) }, fields && form(fields))
    if (got.cookie !== undefined) cookie = got.cookie
    if (got.location === undefined) return { status: got.status, url, html: got.text }
    return load(new URL(got.location, url).href, undefined, hops + 1)
  }

  const submit = ({ url, html }: PersonPage, fields: Record<string, string> = {}) => {
    const action = html.match(/<form method="post" action="([^"]*)"/)?.[1]
    if (action === undefined) throw new Error(`no form at ${url}: ${html}`)
    return load(new URL(plain(action), url).href, { ...hidden(html), ...fields })
  }

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
  const { text } = await send(new URL(challenge, url).href, headers, plain(body))
  const code = text.match(/"challenge":"(\d+)"/)?.[1]
  if (code === undefined) throw new Error(`no code: ${text}`)
  return code
}

function form(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString()
}

function hidden(html: string): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, plain(value)]))
}

function plain(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

interface Got {
  status: number
  location?: string
  cookie?: string
  text: string
}

/** `*.localhost` is not known to every resolver, so the address is given and the host named. */
function send(to: string, headers: Record<string, string>, body?: string): Promise<Got> {
  const { host, port, pathname, search } = new URL(to)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: pathname + search,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, host },
        agent: false,
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const { location } = answer.headers
          const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0]
          resolve({
            status: answer.statusCode ?? 0,
            text,
            ...(location === undefined ? {} : { location }),
            ...(cookie === undefined ? {} : { cookie }),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
