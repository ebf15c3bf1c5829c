import { afterEach, expect, onTestFinished, test } from 'vitest'
import type { Policy } from '../src/consent/policy-data.ts'
import { serveIntake } from '../src/node/intake-server.ts'
import type { PersonRequest } from '../src/people/people.ts'
import { authTools } from '../src/tools/tools.ts'
import { visit } from './intake-world.ts'
import { mcpServer } from './mcp-server.ts'
import { approve, askedFor, closeWorlds, expectStatus, openWorld, owner, sent } from './world.ts'

afterEach(closeWorlds)

const policy: Policy = { approval: 'out-of-band' }
const register = authTools.find(({ verb }) => verb === 'register')

async function elsewhere() {
  const told: PersonRequest[] = []
  const world = await openWorld({ policy, onPersonNeeded: (one) => void told.push(one) })
  return { ...world, told, ...(await askedFor(world)) }
}

test.each(['ai-sdk', 'langchain', 'mastra', 'mcp', 'people', 'intake page'])(
  'out of band, a decision that a framework brings as %s is refused and does not count',
  async (channel) => {
    const world = await elsewhere()
    const { session, input, consent } = world
    const call = { channel, callId: 'call-1', thread: 't' }
    const action = await session.preview('register', input)
    if (action === undefined) throw new Error('nothing to agree to')
    expect((await session.ask(action, call)).kind).toBe('asked')
    for (const approved of [true, false]) {
      const decision = { approved, approver: 'unknown', channel }
      await expect(session.decide(consent.consent, decision)).rejects.toMatchObject({
        code: 'approval_out_of_band',
      })
    }
    expectStatus(await session.register(input, call), 'needs_consent')
    expect(sent(world, 'bot_signup')).toBe(0)
    await approve(world, consent)
    expectStatus(await session.register(input, call), 'pending')
  },
)

test('out of band, a framework has nothing to ask, and the model reads that a person is asked elsewhere', async () => {
  const { session, input, told } = await elsewhere()
  expect(await register?.preview(session, input)).toBeUndefined()
  const result = await register?.run(session, input, { channel: 'ai-sdk', callId: 'call-1' })
  expect(result?.text).toContain('asked outside this chat: a yes in this chat does not count')
  expect(told.map(({ kind }) => kind)).toEqual(['consent'])
})

test('out of band, a mounted tool has nothing to ask in a framework either', async () => {
  const server = await mcpServer(() => undefined, { policy })
  const [read] = (await server.mount()).tools
  expect(await read?.preview(server.session, {})).toBeUndefined()
  const { outcome } = (await read?.run(server.session, {}, { channel: 'ai-sdk' })) ?? {}
  expect(outcome?.status).toBe('needs_consent')
  expect(server.calls('read')).toBe(0)
})

test('out of band, the intake page decides', async () => {
  const world = await elsewhere()
  const intake = await serveIntake(world.auth)
  onTestFinished(intake.close)
  const [request] = world.told
  const { submit } = await visit((await intake.link(request?.id ?? '')).url)
  expect((await submit('', { fields: { decision: 'approve' } })).status).toBe(200)
  expectStatus(await world.session.register(world.input), 'pending')
})

test('out of band, the operator still revokes all by hand', async () => {
  const { auth } = await mcpServer(() => undefined, { policy })
  const outcomes = await auth.admin.revokeAll(owner, { approver: 'operator' })
  expect(outcomes).toMatchObject([{ status: 'ended' }])
})

test('without that policy a framework asks and the model reads nothing of another place', async () => {
  const world = await openWorld()
  const { input, consent } = await askedFor(world)
  expect(await register?.preview(world.session, input)).toEqual(consent.action)
  expect(consent.next).not.toContain('outside')
})
