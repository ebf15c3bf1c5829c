import { request } from 'node:http'

/** A page as a person sees it. */
export interface PersonPage {
  /** 0 for an address that is not on this machine, which is not gone to. */
  readonly status: number
  readonly url: string
  readonly html: string
}

/** As much of a browser as the sandbox's pages need: cookies, redirects, forms. */
export interface Browser {
  /** Goes to an address, by POST where fields are given, and follows redirects. */
  load(url: string, fields?: Fields): Promise<PersonPage>
  /** Sends the page's form with its hidden fields and these. */
  submit(page: PersonPage, fields?: Fields): Promise<PersonPage>
}

/** What is sent with a form; several values for boxes of one name. */
export type Fields = Readonly<Record<string, string | readonly string[]>>

export function createBrowser(): Browser {
  /** By host, which is all that tells the sandbox's cookies apart. */
  const jars = new Map<string, Map<string, string>>()

  async function load(url: string, fields?: Fields, hops = 0): Promise<PersonPage> {
    if (hops > 10) throw new Error(`too many redirects at ${url}`)
    if (!isHere(url)) return { status: 0, url, html: '' }
    const { host } = new URL(url)
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const headers = { cookie, accept: 'text/html', ...(fields ? type : {}) }
    const got = await goTo(url, headers, fields && form(fields))
    for (const set of got.cookies) {
      const [pair = '', ...attributes] = set.split(';')
      const at = pair.indexOf('=')
      const name = pair.slice(0, at)
      const gone = attributes.some((text) => /^ *expires=Thu, 01 Jan 1970/i.test(text))
      if (gone) jar.delete(name)
      else jar.set(name, pair.slice(at + 1))
    }
    if (got.location === undefined) return { status: got.status, url, html: got.text }
    return load(new URL(got.location, url).href, undefined, hops + 1)
  }

  return {
    load: (url, fields) => load(url, fields),
    async submit({ url, html }, fields = {}) {
      const action = html.match(/<form [^>]*action="([^"]*)"/)?.[1]
      if (action === undefined) throw new Error(`no form at ${url}: ${html}`)
      return load(new URL(plain(action), url).href, { ...hidden(html), ...fields })
    },
  }
}

/** Redirects may lead to the callback of an application, which need not be on this machine. */
function isHere(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && /^(127\.0\.0\.1|\[::1\]|(.+\.)?localhost)$/.test(hostname)
}

function form(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value]),
  )
  return new URLSearchParams(pairs).toString()
}

function hidden(html: string): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, plain(value)]))
}

/** HTML as text. */
export function plain(text: string): string {
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
  cookies: readonly string[]
  text: string
}

/** `*.localhost` is not known to every resolver, so the address is given and the host named. */
export function goTo(to: string, headers: Record<string, string>, body?: string): Promise<Got> {
  const { host, hostname, port, pathname, search } = new URL(to)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: hostname === '[::1]' ? '::1' : '127.0.0.1',
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
          resolve({
            status: answer.statusCode ?? 0,
            text,
            cookies: answer.headers['set-cookie'] ?? [],
            ...(location === undefined ? {} : { location }),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
