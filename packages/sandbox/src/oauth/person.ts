import { createBrowser, type Fields, type PersonPage } from '../browser.ts'

/** What a person does when asked. */
interface Decision {
  /** Presses "Refuse". */
  refuse?: boolean
  /** Gives these scopes and no others; all that were asked for, if absent. */
  scopes?: readonly string[]
}

/** A person with a browser, one address and one session at each service. */
export interface PersonAtOAuth {
  /**
   * Opens an authorization URL, signs in where asked to, decides, and follows the redirects up to
   * the application's callback, which is really called if it is on this machine.
   * @returns the last page; its `url` is the callback with `code` or `error`
   */
  authorize(url: string, decision?: Decision): Promise<PersonPage>
  /** Opens the verification URI of a device grant, types the code, signs in and decides. */
  connect(verificationUri: string, userCode: string, decision?: Decision): Promise<PersonPage>
  /** Types the code and says that it is not the one that the device shows. */
  disown(verificationUri: string, userCode: string): Promise<PersonPage>
}

/**
 * The person's side of the grants that need one, done over HTTP as a browser would.
 *
 * @example
 * const ada = personAtOAuth('ada@agents.example')
 * await ada.connect(device.verification_uri, device.user_code)
 * await ada.authorize(authorizationUrl, { refuse: true })
 */
export function personAtOAuth(email: string): PersonAtOAuth {
  const { load, submit } = createBrowser()

  /** Does what the page asks for until one asks for nothing. */
  async function answer(first: PersonPage, decision: Decision, code?: string): Promise<PersonPage> {
    let page = first
    for (let steps = 0; page.html.includes('<form '); steps += 1) {
      if (steps > 6) throw new Error(`no way out of ${page.url}: ${page.html}`)
      if (page.html.includes('role="alert"')) return page
      page = await submit(page, fieldsFor(page, decision, code))
    }
    return page
  }

  function fieldsFor({ html }: PersonPage, { refuse, scopes }: Decision, code = ''): Fields {
    if (html.includes('name="email"')) return { email }
    if (html.includes('type="text" name="user_code"')) return { user_code: code }
    if (!html.includes('name="decision"')) return {}
    if (refuse) return { decision: 'refuse' }
    const boxes = html.matchAll(/type="checkbox" name="scope" value="([^"]*)"/g)
    const asked = [...boxes].map(([, scope = '']) => scope)
    return {
      decision: 'allow',
      scope: asked.filter((scope) => scopes?.includes(scope) !== false),
    }
  }

  return {
    authorize: async (url, decision = {}) => answer(await load(url), decision),
    connect: async (uri, code, decision = {}) => answer(await load(uri), decision, code),
    async disown(uri, code) {
      const typed = await submit(await load(uri), { user_code: code })
      return submit(typed, { abort: 'yes' })
    },
  }
}
