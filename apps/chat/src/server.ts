import { allowLoopback, createAgentAuth, memoryStore } from '@authmd/core'
import { type Sandbox, startSandbox } from '@authmd/sandbox'
import { buildPage, type PageFile } from './build-page.ts'
import { chat } from './chat-route.ts'
import { phoneNumberScript } from './script.ts'
import { scriptedModel } from './scripted-model.ts'
import { type Handler, serve } from './serve.ts'
import { Visitors } from './visitors.ts'

export interface ChatServer {
  readonly url: string
  /** The service that the agent signs up at. */
  readonly sandbox: Sandbox
  close(): Promise<void>
}

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** The chat with an agent and a service of its own, all in this process and on this machine. */
export async function startChat(
  page: Promise<ReadonlyMap<string, PageFile>> = buildPage(),
): Promise<ChatServer> {
  const files = await page
  const sandbox = await startSandbox()
  const { url, close } = await serve((url) => routes(url, files, sandbox))
  const closeAll = async () => {
    await close()
    await sandbox.close()
  }
  return { url, sandbox, close: closeAll }
}

function routes(url: string, files: ReadonlyMap<string, PageFile>, sandbox: Sandbox): Handler {
  const visitors = new Visitors(url)
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    identity: (owner) => ({ email: visitors.emailOf(owner) }),
  })
  const intake = auth.people.intake({ baseUrl: `${url}/intake`, name: 'authmd chat' })
  const solve = (problem: string) => sandbox.answerTo(problem) ?? ''
  const model = scriptedModel(phoneNumberScript(sandbox.urls.api, solve))

  /** Sends the person to the page where something is handed over; its address goes nowhere else. */
  async function toIntake(request: Request, owner: Parameters<typeof auth.as>[0]) {
    const registration = String((await request.formData()).get('registration'))
    const outcome = await auth.as(owner).discover()
    const own =
      outcome.status === 'found' && outcome.registrations.some(({ id }) => id === registration)
    if (!own) return new Response('There is nothing to hand over.\n', { status: 404 })
    const { url: location } = await intake.link(registration)
    return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
  }

  return async (request) => {
    const { pathname } = new URL(request.url)
    const route = `${request.method} ${pathname}`
    if (pathname.startsWith('/intake/')) return intake.handle(request)
    if (request.method === 'POST' && request.headers.get('origin') !== url) {
      return new Response('From this page only.\n', { status: 403 })
    }
    const visitor = visitors.of(request)
    const file = request.method === 'GET' ? files.get(pathname) : undefined
    if (file) {
      const response = new Response(file.body, {
        headers: { ...headers, 'content-type': file.type },
      })
      if (!visitor && pathname === '/') response.headers.set('set-cookie', visitors.welcome())
      return response
    }
    if (visitor === undefined) return new Response(`Open ${url} first.\n`, { status: 401 })
    switch (route) {
      case 'GET /api/chat':
        return Response.json(visitor.messages, { headers: { 'cache-control': 'no-store' } })
      case 'POST /api/chat':
        return chat(request, visitor, auth, model)
      case 'POST /hand-over':
        return toIntake(request, visitor.owner)
      case 'GET /mailbox':
        return mailbox(visitor.email, sandbox)
      default:
        return new Response('There is no such page.\n', { status: 404 })
    }
  }
}

/** What the person finds in their mail: plain, so that no link in it can be clicked by mistake. */
function mailbox(email: string, sandbox: Sandbox): Response {
  const mails = sandbox.mail.list(email).map(({ from, subject, text }) => {
    return `From: ${from}\nSubject: ${subject}\n\n${text}`
  })
  const body = [`Mail to ${email}`, ...mails].join('\n\n----\n\n')
  return new Response(body, {
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
  })
}
