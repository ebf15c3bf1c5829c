import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { personAt, personAtPortal, type Sandbox } from '@authmd/sandbox'

/** The people around an agent, who outlive its processes: what they agreed to and which keys they made. */
export interface Operator {
  readonly url: string
  /** For each kind of effect, the consents in which somebody agreed to it. */
  readonly agreed: ReadonlyMap<string, ReadonlySet<string>>
  /** Keys that a person made in the portal. */
  readonly made: ReadonlySet<string>
  close(): Promise<void>
}

export const email = 'agents@operator.test'

export async function startOperator(sandbox: Sandbox): Promise<Operator> {
  const agreed = new Map<string, Set<string>>()
  const keys = new Map<string, string>()
  const made = new Set<string>()
  const person = personAtPortal(sandbox, email)
  const [site] = sandbox.authMd
  const claimant = personAt(site, email)

  async function answer(path: string, said: Record<string, unknown>): Promise<unknown> {
    if (path === '/agree') {
      for (const kind of said.kinds as string[]) {
        agreed.set(kind, (agreed.get(kind) ?? new Set()).add(String(said.consent)))
      }
    } else if (path === '/key') {
      // Asked again, the person hands the same key over again.
      const registration = String(said.registration)
      const key = keys.get(registration) ?? (await person.makeKey()).api_key
      keys.set(registration, key)
      made.add(key)
      return { key }
    } else if (path === '/delete') {
      const [oldest] = await person.keys()
      if (oldest) await person.deleteKey(oldest.id)
    } else if (path === '/type') {
      await claimant.typeCode(String(said.url), String(said.code))
    } else if (path === '/read') {
      const from = said.url === undefined ? sandbox.mail.list(email).at(-1) : String(said.url)
      // A page that shows none any more: the person has no code to say.
      return { code: await (from && claimant.readCode(from).catch(() => undefined)) }
    }
    return {}
  }

  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    try {
      response.end(JSON.stringify(await answer(request.url ?? '', JSON.parse(text))))
    } catch (error) {
      response.writeHead(500).end(JSON.stringify({ error: String(error) }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    agreed,
    made,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
