import { afterEach, expect, test } from 'vitest'
import { AgentAuth } from '../src/agent-auth.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import { nodeTransport } from '../src/node/transport.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import {
  approve,
  closeWorlds,
  done,
  expectStatus,
  keysOf,
  openWorld,
  owner,
  sent,
  type World,
} from './world.ts'

afterEach(closeWorlds)

/** Agent Inbox is a host of its own, which no document names. */
function inboxUrl({ sandbox }: Pick<World, 'sandbox'>): string {
  return sandbox.urls.api.replace('//api.', '//agent-inbox.')
}

/** A world in which nobody gives an address and an inbox may be made. */
async function inboxWorld() {
  const world = await openWorld({}, { proofOfWork: { leadingZeroBits: 8 } })
  const clock = () => world.sandbox.clock.now()
  const store = memoryStore({ clock })
  const again = () => {
    const agentInbox = { url: inboxUrl(world) }
    const auth = createAgentAuth({ store, clock, agentInbox, [allowLoopback]: true })
    return { sandbox: world.sandbox, auth, session: auth.as(owner) }
  }
  return { ...again(), again, input: { service: world.sandbox.urls.api } }
}

/** Registers with a yes to all that is asked. */
async function agreed(world: World & { input: { service: string } }) {
  let outcome = await world.session.register(world.input)
  for (let asked = 0; outcome.status === 'needs_consent' && asked < 3; asked++) {
    await approve(world, outcome)
    outcome = await world.session.register(world.input)
  }
  return outcome
}

test('without an address an inbox is made, and nobody but for the consents is needed', async () => {
  const world = await inboxWorld()
  const first = expectStatus(await world.session.register(world.input), 'needs_consent')
  expect(first.action.summary).toContain(`an inbox for the sign-in mail`)
  expect(first.action.summary).toContain(inboxUrl(world))
  expect(sent(world, 'inbox_create')).toBe(0)
  const waiting = expectStatus(await agreed(world), 'pending')
  world.sandbox.clock.advance(5_000)
  const ready = await world.session.claim({ registration: waiting.registration ?? '' })
  expectStatus(ready, 'ready')
  expect([done(world, 'inbox_create'), sent(world, 'inbox_messages')]).toEqual([1, 1])
  const [key] = world.sandbox.ledger.filter((entry) => entry.kind === 'inbox_key')
  expect(key?.value).toMatch(/^INBOX01/)
  expect(JSON.stringify([first, waiting, ready])).not.toContain(key?.value)
})

test('where no mail comes in time, others are asked for, and then it ends', async () => {
  const world = await inboxWorld()
  const { registration = '' } = expectStatus(await agreed(world), 'pending')
  const empty = { status: 200, body: { data: [] } }
  world.sandbox.faults.add({ name: 'inbox_messages', ...empty })
  let outcome = await world.session.claim({ registration })
  for (let at = 0; outcome.status === 'pending' && at < 10; at++) {
    world.sandbox.clock.advance(16 * 60_000)
    outcome = await world.session.claim({ registration })
  }
  expect(expectStatus(outcome, 'refused').code).toBe('service_refused')
  expect([sent(world, 'resend_magic_link'), keysOf(world).length]).toEqual([3, 0])
})

test('a lost answer to the creation lists an orphan, and another inbox is asked about', async () => {
  const world = await inboxWorld()
  world.sandbox.faults.add({ name: 'inbox_create', cut: 'after', times: 1 })
  const lost = expectStatus(await agreed(world), 'uncertain')
  expect(lost.orphans).toMatchObject([{ request: 'inbox_create' }])
  const asked = expectStatus(await world.session.register(world.input), 'needs_consent')
  expect(asked.action.summary).toContain('An earlier one may exist')
  expect(sent(world, 'inbox_create')).toBe(1)
  expectStatus(await agreed(world), 'pending')
  expect(done(world, 'inbox_create')).toBe(2)
})

test('another process goes on with the inbox of the one before', async () => {
  const world = await inboxWorld()
  const { registration = '' } = expectStatus(await agreed(world), 'pending')
  world.sandbox.clock.advance(5_000)
  const next = world.again()
  expectStatus(await next.session.claim({ registration }), 'ready')
  expect(done(world, 'inbox_create')).toBe(1)
})

test('where the service refuses inboxes the registration ends, and nobody signs up', async () => {
  const world = await inboxWorld()
  world.sandbox.faults.add({ name: 'inbox_challenge', status: 403 })
  expect(expectStatus(await world.session.register(world.input), 'refused').code).toBe(
    'service_refused',
  )
  expect(sent(world, 'bot_signup')).toBe(0)
})

test('an inbox whose work ran out while a person decided is made under the same consent', async () => {
  const world = await inboxWorld()
  const first = expectStatus(await world.session.register(world.input), 'needs_consent')
  world.sandbox.clock.advance(11 * 60_000)
  await approve(world, first)
  const next = expectStatus(await world.session.register(world.input), 'needs_consent')
  expect(next.action.summary).toContain('the inbox that was made for this')
  expect([sent(world, 'inbox_challenge'), done(world, 'inbox_create')]).toEqual([2, 1])
})

test.each([
  ['no URL', 'agent-inbox.telnyx.example'],
  ['another scheme', 'ftp://agent-inbox.telnyx.example'],
  ['in the clear', 'http://agent-inbox.telnyx.example'],
  ['with a path', 'https://agent-inbox.telnyx.example/v2'],
  ['with somebody’s name', 'https://kim@agent-inbox.telnyx.example'],
  ['nothing', undefined],
])('where inboxes are made must be an origin: %s', (_, url) => {
  const make = () => createAgentAuth({ store: memoryStore(), agentInbox: { url: url as string } })
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})

test('where nothing computes what an inbox costs, none is offered: a person and an address are needed', async () => {
  const world = await inboxWorld()
  const agentInbox = { url: inboxUrl(world) }
  const options = { store: memoryStore(), agentInbox, [allowLoopback]: true as const }
  const session = new AgentAuth(options, nodeTransport()).as(owner)
  const found = expectStatus(await session.discover(world.input), 'found')
  const offer = found.offers.find(({ method }) => method === 'telnyx-signup')
  expect(offer?.needs).toEqual(['email', 'person'])
  expect(offer?.summary).not.toContain('inbox')
})

test('an address that is given comes first, and the offer needs none', async () => {
  const world = await inboxWorld()
  const found = await world.session.discover({ service: world.input.service })
  expect(JSON.stringify(found)).toContain('"needs":[]')
  const input = { ...world.input, email: 'agents@operator.test' }
  const asked = expectStatus(await world.session.register(input), 'needs_consent')
  expect(asked.action.summary).toContain('agents@operator.test')
  expect(sent(world, 'inbox_challenge')).toBe(0)
})
