import { type AgentAuth, AuthError, type AuthEvent, sameOwner } from '@authmd/core'
import { documentOf, hostAsked, isLoopbackHost, type Page } from '@authmd/core/pages'
import { z } from 'zod'
import { Access, type Identify, type Visit } from './access.ts'
import { framed, type Place, type Visitor } from './layout.ts'
import { Streams } from './live.ts'
import { looks } from './looks.ts'
import { type ConsolePerson, checkPerson, samePerson } from './person.ts'
import { type ReadHistory, Rooms } from './rooms.ts'
import { type Plain, plainPage, signInPage } from './sign-in-pages.ts'

/** Where the console is, and who is let in. */
export interface ConsoleOptions {
  /** Where the handler is mounted, as browsers see it: https, or http on loopback. */
  readonly baseUrl: string
  /** Who runs the agents, as people know them. */
  readonly name?: string
  /**
   * Says who sends a request, for a console behind a sign-in of one's own; without it people sign in by `link`. It is
   * asked with each request. Never take somebody's word for who they are: check a signature, or take a header that
   * your proxy sets and takes away from what comes from outside, and let nothing but that proxy reach the console.
   *
   * @example
   * identify: async (request) => {
   *   const user = await verify(request.headers.get('x-signed-identity'))
   *   return user && { approver: user.email, owners: [{ tenant: user.org, user: user.id }] }
   * }
   */
  readonly identify?: Identify
  /** With `identify`: the address at which one signs out there. */
  readonly signOutUrl?: string
  /** What the page of the history shows; without it there is none. */
  readonly history?: ReadHistory
  /** Epoch milliseconds; `Date.now` where it is left out. */
  readonly clock?: () => number
}

/** Works once. Whoever holds it can sign in in the person's place: it is for them alone. */
export interface SignInLink {
  readonly url: string
  /** Epoch milliseconds after which it is of no use any more. */
  readonly expires: number
}

/** The page where people see and decide what agents do. */
export interface Console {
  /** Answers every request at and below `baseUrl`. */
  handle(request: Request): Promise<Response>
  /**
   * Makes a one-time sign-in link for a person, good for ten minutes; `about` is the id of something that waits for
   * them (`cns_…`, `reg_…`), to which it then leads. Never put it before a model.
   *
   * @throws AuthError `invalid_input`, also with `identify`; `owner_invalid`
   */
  link(person: ConsolePerson, about?: string): Promise<SignInLink>
  /**
   * A listener for `onEvent`, so that open pages show at once what this process does. What others do shows a few
   * seconds later, and without it everything does.
   */
  onEvent(event: AuthEvent): void
}

const isFunction = (value: unknown) => typeof value === 'function'
const optionsSchema = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).max(1024),
  name: z.string().min(1).max(80).optional(),
  identify: z.custom<Identify>(isFunction, 'a function').optional(),
  signOutUrl: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional(),
  history: z.custom<ReadHistory>(isFunction, 'a function').optional(),
  clock: z.custom<() => number>(isFunction, 'a function').optional(),
})

/**
 * Makes the console: a web-standard handler. People see what waits for them first, then credentials and history, and
 * nothing of owners that are not theirs. No secret is on any page, since nothing of it can read one.
 *
 * @throws AuthError `invalid_input`
 * @example
 * ```ts
 * const panel = createConsole(auth, { baseUrl: 'https://agents.operator.example/console', identify })
 * app.all('/console/*', (c) => panel.handle(c.req.raw))
 * ```
 */
export function createConsole(auth: AgentAuth, options: ConsoleOptions): Console {
  const { base, root, name, identify, signOutUrl, history, now } = checked(options)
  const access = new Access({ auth, base, now, identify })
  const rooms = new Rooms({ auth, root, name: options.name, now, history })
  const streams = new Streams()
  const places: readonly Place[] = [
    { path: `${root}/`, label: 'Waiting' },
    { path: `${root}/credentials`, label: 'Credentials' },
    ...(history === undefined ? [] : [{ path: `${root}/history`, label: 'History' }]),
  ]
  const out = `${root}/sign-out`

  /** A page for nobody in particular. */
  function bare(page: Page | Plain, headers: Readonly<Record<string, string>> = {}): Response {
    const isOut = page === 'out' || page === 'out-meanwhile' || page === 'link-gone'
    const back = isOut ? { path: `${root}/`, label: 'I am signed in: go on' } : undefined
    return documentOf(typeof page === 'string' ? plainPage(page, back) : page, headers, {
      style: looks,
    })
  }

  async function pageFor(visit: Visit, page: Page | Plain, at: string): Promise<Response> {
    const back = { path: `${root}/`, label: 'To what waits for you' }
    const shown = typeof page === 'string' ? plainPage(page, back) : page
    const response = framed(shown, { name, places, at, visitor: await visitorOf(visit) })
    if (visit.cookie !== undefined) response.headers.append('set-cookie', visit.cookie)
    return response
  }

  async function visitorOf(visit: Visit): Promise<Visitor> {
    const { approver } = visit.person
    if (identify === undefined) {
      return { approver, out: { action: out, token: await access.token(visit, out) } }
    }
    return { approver, ...(signOutUrl === undefined ? {} : { out: { href: signOutUrl } }) }
  }

  async function signIn(request: Request, secret: string | undefined): Promise<Response> {
    const target = `${root}/sign-in`
    if (secret !== undefined) {
      if (request.method === 'POST') return bare('wrong-method', { allow: 'GET, HEAD' })
      return moved(target, [access.opened(secret)])
    }
    const linked = await access.linked(request)
    if (linked === undefined) return bare('link-gone')
    if (request.method !== 'POST') {
      const there = await access.visit(request, true)
      if (typeof there !== 'string' && samePerson(there.person, linked.person)) {
        return moved(linked.at, [await access.leave(linked.secret)])
      }
      const token = await access.token(linked, target)
      return bare(signInPage(name, linked.person, { action: target, token }))
    }
    const fields = await access.fields(request, linked, target)
    if (typeof fields === 'string') return bare(fields)
    const session = await access.signIn(request, linked.secret)
    return session === undefined ? bare('link-gone') : moved(session.at, session.cookies)
  }

  async function signOut(request: Request, visit: Visit): Promise<Response> {
    if (request.method !== 'POST') return pageFor(visit, 'wrong-method', '')
    const fields = await access.fields(request, visit, out)
    if (typeof fields === 'string') return pageFor(visit, fields, '')
    const response = bare('signed-out', { 'clear-site-data': '"cache"' })
    for (const cookie of await access.signOut(visit)) response.headers.append('set-cookie', cookie)
    return response
  }

  /** A page of somebody who is let in. */
  async function inside(request: Request, url: URL, visit: Visit): Promise<Response> {
    const [first = '', ...rest] = url.pathname.slice(root.length + 1).split('/')
    const { person } = visit
    const posted = request.method === 'POST'
    const sent = async () => {
      const action = url.pathname
      const token = await access.token(visit, action)
      const fields = posted ? await access.fields(request, visit, action) : undefined
      return { action, token, fields }
    }
    if (first === 'sign-out' && rest.length === 0) return signOut(request, visit)
    if ((first === 'waiting' || first === 'credentials') && rest.length === 3) {
      const { fields, ...form } = await sent()
      const at = first === 'waiting' ? `${root}/` : `${root}/credentials`
      if (typeof fields === 'string') return pageFor(visit, fields, at)
      const room = first === 'waiting' ? rooms.decide : rooms.revoke
      return pageFor(visit, await room.call(rooms, person, rest, { ...form, fields }), at)
    }
    if (posted) return pageFor(visit, 'wrong-method', '')
    if (rest.length > 0) return pageFor(visit, 'unknown', '')
    switch (first) {
      case '':
        return pageFor(visit, await rooms.waiting(person), `${root}/`)
      case 'credentials':
        return pageFor(visit, await rooms.credentials(person), url.pathname)
      case 'history':
        return pageFor(visit, await rooms.history(person, url.searchParams), url.pathname)
      case 'live':
        return live(request)
      default:
        return pageFor(visit, 'unknown', '')
    }
  }

  async function live(request: Request): Promise<Response> {
    const person = async () => {
      const visit = await access.visit(request, false)
      return typeof visit === 'string' ? undefined : visit.person
    }
    const first = await person()
    const version = async () => {
      const now = await person()
      return now && rooms.version(now)
    }
    return streams.answer(request.signal, first?.approver ?? '', version, (owner) =>
      (first?.owners ?? []).some((one) => sameOwner(one, owner)),
    )
  }

  async function route(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (hostAsked(request) !== base.host) return bare('misdirected')
    if (!['GET', 'HEAD', 'POST'].includes(request.method)) {
      return bare('wrong-method', { allow: 'GET, HEAD, POST' })
    }
    if (url.pathname === root && root !== '') return moved(`${root}/`)
    if (!url.pathname.startsWith(`${root}/`)) return bare('unknown')
    const [first, secret, more] = url.pathname.slice(root.length + 1).split('/')
    if (first === 'sign-in' && identify === undefined) {
      const good = secret === undefined || /^[\w-]{43}$/.test(secret)
      return good && more === undefined ? signIn(request, secret) : bare('unknown')
    }
    const onItsOwn =
      first === 'live' || request.headers.has('x-authmd-live') || isOfAnotherPage(request)
    const visit = await access.visit(request, !onItsOwn)
    if (typeof visit !== 'string') return inside(request, url, visit)
    return bare(visit === 'out' && request.method === 'POST' ? 'out-meanwhile' : visit)
  }

  return {
    async handle(request) {
      const response = await route(request)
      if (request.method !== 'HEAD') return response
      await response.body?.cancel()
      return new Response(null, response)
    },

    async link(person, about) {
      const who = checkPerson(auth, person)
      const { secret, expires } = await access.link(who, await rooms.pathOf(who, about))
      return { url: `${base.origin}${root}/sign-in/${secret}`, expires }
    },

    onEvent(event) {
      const owner =
        'owner' in event ? event.owner : 'action' in event ? event.action.owner : undefined
      if (owner !== undefined) streams.poke(owner)
    },
  }
}

/** Another site's page asked, or shows ours in itself: that is nothing that the person did here. */
function isOfAnotherPage({ headers }: Request): boolean {
  const site = headers.get('sec-fetch-site')
  const elsewhere = site === 'cross-site' || site === 'same-site'
  return elsewhere && headers.get('sec-fetch-dest') !== 'document'
}

function moved(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({
    location,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}

function checked(options: ConsoleOptions) {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new AuthError('invalid_input', `createConsole: ${faults.join('; ')}`)
  }
  const { baseUrl, name = 'authmd console', identify, signOutUrl, history, clock } = parsed.data
  const base = new URL(baseUrl)
  if (base.search || base.hash || base.username || base.password) {
    throw new AuthError('invalid_input', 'baseUrl: without query, fragment and user')
  }
  if (base.protocol !== 'https:' && !isLoopbackHost(base.hostname)) {
    throw new AuthError('invalid_input', 'baseUrl: https, or http on loopback')
  }
  if (signOutUrl !== undefined && identify === undefined) {
    throw new AuthError(
      'invalid_input',
      'signOutUrl goes with identify: links have a button for it',
    )
  }
  const root = base.pathname.replace(/\/+$/, '')
  return { base, root, name, identify, signOutUrl, history, now: clock ?? Date.now }
}
