import { inspect } from 'node:util'
import type { Outcome } from '@authmd/core'
import { expect, test } from 'vitest'
import { deleteKeys, importKey, owner, startWorld, type World } from './world.ts'

/** A service's MCP server as a framework's own client reaches it. */
export interface ServiceClient {
  readonly tools: readonly string[]
  /** Calls a tool as the framework does it for a model. */
  readonly call: (name: string, input: object) => Promise<unknown>
  /** All that the application holds of the client. */
  readonly held: unknown
  readonly close: () => Promise<void>
}

/** Connects the framework's own client with what `session.mcp` gives. */
export type ConnectService = (url: URL, fetch: typeof globalThis.fetch) => Promise<ServiceClient>

/** Registers the tests of `session.mcp` with a framework's own client. */
export function serviceMcpCases(connect: ConnectService): void {
  test('lists and calls with a key that it never sees', async () => {
    await using world = await connected(connect)
    const { client, sandbox, crossed } = world
    expect(client.tools).toEqual(
      ['get_balance', 'search_numbers', 'order_number'].map((name) =>
        expect.stringContaining(name),
      ),
    )
    const [balance = '', search = ''] = client.tools
    const answers = [await client.call(balance, {}), await client.call(search, { limit: 1 })]
    expect(text(answers[0])).toContain('5.00')
    expect(text(answers[1])).toMatch(/\+1\d{10}/)

    const calls = sandbox.log.filter(({ name }) => name.startsWith('mcp_'))
    const keys = sandbox.ledger.filter(({ kind }) => kind === 'api_key')
    expect(calls.map(({ authorization }) => authorization)).toEqual([keys[0]?.id, keys[0]?.id])
    // What crossed the client in both directions is really looked at.
    expect(crossed.join('\n')).toContain('tools/call')
    expect(crossed.join('\n')).toContain('mcp-session-id')
    const visible = [text(answers), inspect(client.held, everything), ...crossed].join('\n')
    expect(visible).not.toMatch(/authorization/i)
    for (const { value } of sandbox.ledger) expect(visible).not.toContain(value)
  })

  test('is refused before anything is sent, once the key is given up', async () => {
    await using world = await connected(connect)
    const { client, session, auth, sandbox } = world
    const [balance = ''] = client.tools
    expect(text(await client.call(balance, {}))).toContain('5.00')

    const [held] = await session.list()
    const revoke = (): Promise<Outcome> => session.revoke({ credential: held?.handle ?? '' })
    const asked = await revoke()
    if (asked.status !== 'needs_consent') throw new Error(`expected a consent: ${asked.status}`)
    await auth.people.answer(asked.consent, { approve: true }, { approver: 'kim' })
    expect(await revoke()).toMatchObject({ status: 'ended' })
    const sent = sandbox.log.length
    expect(await refusal(client, balance)).toMatch(/the credential for .* is forgotten/)
    expect(sandbox.log).toHaveLength(sent)
  })

  test('is refused by the service, once the key is deleted there', async () => {
    await using world = await connected(connect)
    const { client, sandbox } = world
    const [balance = ''] = client.tools
    await deleteKeys(world)
    expect(await refusal(client, balance)).toMatch(/401|Authentication failed/)
    expect(sandbox.log.at(-1)).toMatchObject({ status: 401 })
  })
}

const everything = { depth: 30, showHidden: true, maxStringLength: null, maxArrayLength: null }

const text = (answer: unknown): string =>
  typeof answer === 'string' ? answer : inspect(answer, everything)

async function connected(connect: ConnectService) {
  const world: World = await startWorld()
  await importKey(world)
  const auth = world.open()
  const session = auth.as(owner)
  const access = await session.mcp(world.service)
  const crossed: string[] = []
  const client = await connect(access.url, async (input, init) => {
    const request = new Request(input, init)
    crossed.push(text([request.url, [...request.headers], await request.clone().text()]))
    const response = await access.fetch(request)
    crossed.push(text([response.status, [...response.headers], await response.clone().text()]))
    return response
  })
  const close = async () => {
    await client.close().catch(() => {})
    await world.sandbox.close()
  }
  return { ...world, auth, session, client, crossed, [Symbol.asyncDispose]: close }
}

/** What the framework makes of a call that fails: an error, or a result that says so. */
async function refusal(client: ServiceClient, name: string): Promise<string> {
  return client.call(name, {}).then(text, text)
}
