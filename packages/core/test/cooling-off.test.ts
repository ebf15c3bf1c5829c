import { afterEach, expect, test } from 'vitest'
import type { Consent } from '../src/consent/ledger.ts'
import type { Outcome } from '../src/outcome.ts'
import type { PersonRequest } from '../src/people/people.ts'
import { hold } from './held.ts'
import {
  answerTo,
  approve,
  askedFor,
  closeWorlds,
  expectStatus,
  openWorld,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const kim = { approver: 'kim' }
const noMailbox = { identity: () => ({}) }

/** A world whose person said no to a signup; what they were asked since is in `asked`. */
async function saidNo(...options: Parameters<typeof openWorld>) {
  const asked: PersonRequest[] = []
  const onPersonNeeded = (request: PersonRequest) => void asked.push(request)
  const [given, sandbox] = options
  const world = await openWorld({ onPersonNeeded, ...given }, sandbox)
  const proposal = given?.identity ? { email: 'first@operator.test' } : {}
  const { input, consent, registration } = await askedFor(world, proposal)
  const until = await sayNo(world, consent.consent)
  asked.length = 0
  return { world, asked, input, registration, until }
}

/** A person's no, and until when it holds. */
async function sayNo({ auth }: Pick<World, 'auth'>, id: string): Promise<number> {
  const { decision } = (await auth.people.answer(id, { approve: false }, kim)) as Consent
  return (decision?.at ?? Number.NaN) + 10 * minute
}

function expectNo(outcome: Outcome, until: number): void {
  const refused = { status: 'refused', code: 'consent_denied', notBefore: until }
  expect(outcome).toMatchObject(refused)
}

/** Begins a signup anew and answers its puzzle. */
async function anew(world: World, input: { service?: string; method?: string } = {}) {
  const begun = await world.session.register({ service: world.sandbox.urls.api, ...input })
  return world.session.register(answerTo(world, begun))
}

test('after a no the same call is refused 20 times and nobody is asked', async () => {
  const { world, asked, input, until } = await saidNo()
  for (let tries = 0; tries < 20; tries++) expectNo(await world.session.register(input), until)
  expect(asked).toEqual([])
})

test('after a no 20 proposals of other addresses by the model ask nobody', async () => {
  const { world, asked, input, until } = await saidNo(noMailbox)
  for (let tries = 0; tries < 20; tries++) {
    const email = `other${tries}@operator.test`
    expectNo(await world.session.register({ ...input, email }), until)
  }
  expect(asked).toEqual([])
})

test('after a no a fresh registration of the same service with the same terms asks nobody', async () => {
  const { world, asked, registration, until } = await saidNo()
  let last = registration
  for (let tries = 0; tries < 20; tries++) {
    await world.session.cancel(last)
    world.sandbox.clock.advance(1_000)
    const outcome = await anew(world)
    expectNo(outcome, until)
    expect(outcome.registration).not.toBe(last)
    last = outcome.registration ?? ''
  }
  expect(asked).toEqual([])
  expect(sent(world, 'bot_signup')).toBe(0)
})

test('after a no to what register and claim both carry, both are refused and nobody is asked', async () => {
  const asked: PersonRequest[] = []
  const world = await openWorld({ onPersonNeeded: (one) => void asked.push(one) })
  const { registration } = await signedUp(world)
  world.sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
  expectStatus(await world.session.claim({ registration }), 'uncertain')
  const retry = { service: world.sandbox.urls.api, registration }
  world.sandbox.clock.advance(61 * minute)
  await approve(world, await world.session.register(retry))
  // The session has ended: another mail is waited for, until the consent is too old.
  expectStatus(await world.session.register(retry), 'pending')
  world.sandbox.clock.advance(15 * minute)
  expectStatus(await world.session.claim({ registration }), 'pending')
  const { consent } = expectStatus(await world.session.claim({ registration }), 'needs_consent')
  const until = await sayNo(world, consent)
  asked.length = 0
  for (let tries = 0; tries < 20; tries++) {
    expectNo(await world.session.register(retry), until)
    expectNo(await world.session.claim({ registration }), until)
  }
  expect(asked).toEqual([])
  expect(sent(world, 'api_keys')).toBe(2)
})

test('after ten minutes the person is asked again', async () => {
  const { world, asked, input } = await saidNo(noMailbox)
  world.sandbox.clock.advance(10 * minute)
  const fresh = expectStatus(await world.session.register(input), 'needs_answer')
  expectStatus(await world.session.register(answerTo(world, fresh)), 'needs_consent')
  expect(asked.map(({ kind }) => kind)).toEqual(['consent'])
})

test('three noes to requests that differ are a no to all of that service for the time', async () => {
  let asked = 0
  let now = 1_000_000
  const onPersonNeeded = () => void asked++
  const { auth, session, service } = await hold(
    (_, answer) => answer.end(),
    {},
    {
      onPersonNeeded,
      clock: () => now,
    },
  )
  const post = (text: string) =>
    session.use({ service: service.origin, method: 'POST', path: '/messages', json: { text } })
  const outcomes: Outcome[] = []
  for (let tries = 0; tries < 20; tries++) {
    const outcome = await post(`text ${tries}`)
    outcomes.push(outcome)
    if (outcome.status !== 'needs_consent') continue
    await auth.people.answer(outcome.consent, { approve: false }, kim)
  }
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...Array(3).fill('needs_consent'),
    ...Array(17).fill('refused'),
  ])
  expect(asked).toBe(3)
  expectNo(outcomes.at(-1) as Outcome, now + 10 * minute)
  now += 10 * minute
  expectStatus(await post('text 4'), 'needs_consent')
})

test('a no binds neither another owner nor another service nor another verb', async () => {
  const { auth, session, service, handle } = await hold((_, answer) => answer.end())
  const input = { service: service.origin, method: 'POST', path: '/messages', json: {} }
  const first = expectStatus(await session.use(input), 'needs_consent')
  await auth.people.answer(first.consent, { approve: false }, kim)
  const other = auth.as({ tenant: 'acme', user: 'sam' })
  await other.import({ service: service.origin, audience: service.origin, secret: 'made-up-key-2' })
  expectStatus(await other.use(input), 'needs_consent')
  expectStatus(await session.revoke({ credential: handle }), 'needs_consent')
  expect(await session.use(input)).toMatchObject({ status: 'refused', code: 'consent_denied' })
})

test('a no to the model binds nobody who revokes themselves: one credential, or all', async () => {
  const decided: string[] = []
  const world = await openWorld({
    onEvent: (event) => {
      if (event.type === 'decision') decided.push(`${event.approved} ${event.approver}`)
    },
  })
  const { auth, session, sandbox } = world
  const { api } = sandbox.urls
  const { owner } = session
  const imported = async (name: string) => {
    const secret = `KEY0SANDBOX0${name}`
    return (await session.import({ service: api, audience: `${api}/v2`, secret })).handle
  }
  const handles = [await imported('ONE'), await imported('TWO'), await imported('THREE')]
  for (const credential of handles) {
    const { consent } = expectStatus(await session.revoke({ credential }), 'needs_consent')
    await auth.people.answer(consent, { approve: false }, kim)
  }
  const [first = '', second = '', third = ''] = handles
  const lee = { approver: 'lee' }
  expectStatus(await auth.admin.revoke(owner, first, lee), 'ended')
  // The model is bound as before.
  expectStatus(await session.revoke({ credential: second }), 'refused')
  expect((await auth.admin.revokeAll(owner, lee)).map(({ status }) => status)).toEqual([
    'ended',
    'ended',
  ])
  expect(decided).toEqual([...handles.map(() => 'false kim'), ...handles.map(() => 'true lee')])
  const states = (await session.list()).map(({ handle, state }) => `${handle} ${state}`)
  expect(states.sort()).toEqual([first, second, third].map((one) => `${one} forgotten`).sort())
})

test('who revokes themselves answers the question of the model that is open', async () => {
  const decided: unknown[] = []
  const world = await openWorld({
    onEvent: (event) => {
      if (event.type === 'decision') decided.push([event.consent, event.channel])
    },
  })
  const { auth, session, sandbox } = world
  const { api } = sandbox.urls
  const secret = 'KEY0SANDBOX0ASKED'
  const { handle } = await session.import({ service: api, audience: `${api}/v2`, secret })
  const { consent } = expectStatus(await session.revoke({ credential: handle }), 'needs_consent')
  expect(await auth.people.waiting(session.owner)).toHaveLength(1)
  expectStatus(await auth.admin.revoke(session.owner, handle, kim), 'ended')
  expect(decided).toEqual([[consent, 'admin']])
  expect(await auth.people.waiting(session.owner)).toEqual([])
})
