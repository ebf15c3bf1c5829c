import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { messagePage } from '../page.ts'
import type { SandboxContext, SandboxEnv, SandboxServer } from '../server.ts'
import { proseText } from './text.ts'

export interface ProseOptions {
  /** The answer holds no key where the text says that it does. */
  keyElsewhere?: boolean
  /** The text names another domain for the signup than its own. */
  elsewhere?: string
}

/** A service that has no metadata and no protocol: a text tells how a program signs up. */
export interface ProseSite {
  /** `/auth.md`, the signup `POST /v1/agents` and the API: `GET /v1/me`, `POST /v1/notes`. */
  readonly api: string
  /** The agents that have signed up. It grows while the sandbox runs. */
  readonly agents: readonly Agent[]
}

interface Agent {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly plan: string
  readonly purpose: string
  readonly label?: string | undefined
}

/** What is wrong with a body, as the text has it field by field; undefined where nothing. */
function faultOf(body: Record<string, unknown>): string | undefined {
  const { name, owner, purpose, plan, accept_terms: accepted, label = '', ...more } = body
  const { email, ...others } = (owner ?? {}) as Record<string, unknown>
  const isText = (value: unknown, least: number, most: number) =>
    typeof value === 'string' && value.length >= least && value.length <= most
  if (!isText(name, 3, 40)) return 'name: 3 to 40 characters'
  if (!isText(email, 3, 254) || !/^[^@\s]+@[^@\s]+$/.test(String(email)))
    return 'owner.email: no address'
  if (!isText(purpose, 10, 200)) return 'purpose: 10 to 200 characters'
  if (plan !== 'free' && plan !== 'paid') return 'plan: free or paid'
  if (accepted !== true) return 'accept_terms: must be true'
  if (!isText(label, 0, 20)) return 'label: up to 20 characters'
  const unknown = [...Object.keys(more), ...Object.keys(others)]
  return unknown.length > 0 ? `${unknown[0]}: unknown` : undefined
}

export function mountProse(server: SandboxServer, options: ProseOptions): ProseSite {
  const hostname = 'api.prose.localhost'
  const api = server.origin(hostname)
  const agents: Agent[] = []
  const app = new Hono<SandboxEnv>()
  const keyOf = (c: SandboxContext) => {
    const entry = server.ledger.find(c.req.header('x-prose-key') ?? '')
    return entry?.kind === 'api_key' && server.ledger.isGood(entry) ? entry : undefined
  }
  const refused = (c: SandboxContext, status: 401 | 404 | 409 | 422, message: string) =>
    c.json({ error: { message } }, status)
  const authorised = (name: string, handle: (c: SandboxContext, agent: Agent) => Response) =>
    server.endpoint(name, (c) => {
      const entry = keyOf(c)
      const agent = agents.find(({ id }) => id === entry?.account)
      if (!entry || !agent) return refused(c, 401, 'Send a good key in X-Prose-Key.')
      server.ledger.markUsed(entry)
      return handle(c, agent)
    })
  app.get(
    '/auth.md',
    server.endpoint('auth_md', (c) => {
      return c.body(proseText(api, options), 200, { 'content-type': 'text/markdown' })
    }),
  )
  app.post(
    '/v1/agents',
    server.endpoint('prose_signup', async (c) => {
      const body = (await c.req.json().catch(() => ({}))) as Record<string, unknown>
      const fault = faultOf(body)
      if (fault !== undefined) return refused(c, 422, fault)
      const { name, purpose, plan, label, owner } = body as unknown as Agent & { owner: Agent }
      if (agents.some((one) => one.name === name)) {
        return refused(c, 409, 'There is an agent of this name.')
      }
      const id = `agt_${agents.length + 1}`
      agents.push({ id, email: owner.email, name, purpose, plan, label })
      c.env.entry.effect = true
      const value = `prose_${randomBytes(18).toString('hex')}`
      server.ledger.issue({ kind: 'api_key', value, account: id, request: c.env.entry.n })
      const key = options.keyElsewhere ? { note: 'Your key comes by mail.' } : { api_key: value }
      return c.json({ agent: { id, ...key }, created: true }, 201)
    }),
  )
  app.get(
    '/v1/me',
    authorised('prose_me', (c, { id, name, plan }) => c.json({ id, name, plan })),
  )
  app.post(
    '/v1/notes',
    authorised('prose_notes', (c, { id }) => {
      c.env.entry.effect = true
      return c.json({ by: id, note: c.env.entry.n }, 201)
    }),
  )
  app.get(
    '/settings/keys',
    server.endpoint('prose_keys', (c) => c.html(messagePage('Keys', 'Delete a key here.'))),
  )
  app.notFound(server.endpoint('not_found', (c) => refused(c, 404, 'There is nothing here.')))
  server.mount(hostname, app)
  return { api, agents }
}
