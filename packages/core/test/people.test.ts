import { afterEach, expect, test } from 'vitest'
import type { AuthEvent } from '../src/events.ts'
import type { PersonDecision, PersonRequest } from '../src/people/people.ts'
import {
  approve,
  askedFor,
  closeWorlds,
  email,
  expectStatus,
  openWorld,
  sent,
  signedUp,
} from './world.ts'

afterEach(closeWorlds)

const kim = { approver: 'kim' }
const link = { link: 'https://api.vendor.example/v2/bot_sessions?token=t' }
const byPerson = { identity: () => ({ email }) }

test.each([
  { email: 'kim@operator.test' },
  link,
  { approve: 'yes' } as unknown as PersonDecision,
  { approve: 0 } as unknown as PersonDecision,
  { approve: true, link: 'x' } as unknown as PersonDecision,
  {} as PersonDecision,
])('%j is no answer to a consent, which stays open', async (decision) => {
  const world = await openWorld()
  const { input, consent } = await askedFor(world)
  await expect(world.auth.people.answer(consent.consent, decision, kim)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expect(expectStatus(await world.session.register(input), 'needs_consent').consent).toBe(
    consent.consent,
  )
  await approve(world, consent)
  expectStatus(await world.session.register(input), 'pending')
})

test.each([
  { email: 'kim@operator.test' },
  { email: 'no address' },
  { link: '' },
  { approve: true },
])('%j is no answer to a registration that waits for a link, and changes nothing', async (said) => {
  const world = await openWorld(byPerson)
  const { registration } = await signedUp(world)
  const before = await world.session.claim({ registration })
  const requests = world.sandbox.log.length
  await expect(world.auth.people.answer(registration, said, kim)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expect(await world.session.claim({ registration })).toEqual(before)
  expect(world.sandbox.log.length).toBe(requests)
})

test('a link is no answer to the question for an address', async () => {
  const world = await openWorld({ identity: () => ({}) })
  const asked = await world.session.register({ service: world.sandbox.urls.api })
  const { registration = '' } = expectStatus(asked, 'needs_person')
  await expect(world.auth.people.answer(registration, link, kim)).rejects.toMatchObject({
    code: 'invalid_input',
  })
})

test('nothing is taken where a puzzle is waited for, or nothing at all', async () => {
  const world = await openWorld()
  const { registration, consent } = await askedFor(world)
  const { people } = world.auth
  await expect(people.answer(registration, link, kim)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  await world.session.cancel(registration)
  await expect(people.answer(registration, link, kim)).rejects.toMatchObject({ code: 'not_found' })
  for (const id of ['reg_unknown', 'cns_unknown_0', '', '../x', consent.action.digest]) {
    const said = id.startsWith('cns_') ? { approve: true } : link
    await expect(people.answer(id, said, kim), id).rejects.toMatchObject({ code: 'not_found' })
  }
  await expect(
    people.answer(consent.consent, { approve: true }, { approver: '' }),
  ).rejects.toMatchObject({ code: 'invalid_input' })
})

test('each thing is told once, however often it comes up', async () => {
  const told: PersonRequest[] = []
  const world = await openWorld({ ...byPerson, onPersonNeeded: (one) => void told.push(one) })
  const { input, consent, registration } = await askedFor(world)
  for (let calls = 0; calls < 3; calls++) await world.session.register(input)
  expect(told.map(({ kind }) => kind)).toEqual(['consent'])
  await approve(world, consent)
  await world.session.register(input)
  for (let calls = 0; calls < 3; calls++) await world.session.claim({ registration })
  await world.auth.tick()
  expect(told).toMatchObject([
    { kind: 'consent', id: consent.consent, action: { summary: consent.action.summary } },
    { kind: 'need', id: registration, need: { kind: 'open-mail', email } },
  ])
})

test('a hook that fails takes nothing away from the call, and is tried again', async () => {
  const events: AuthEvent[] = []
  let calls = 0
  const world = await openWorld({
    onEvent: (event) => void events.push(event),
    onPersonNeeded: async () => {
      calls++
      if (calls === 1) throw new Error('the pager is broken')
    },
  })
  const { input } = await askedFor(world)
  expect(events.filter(({ type }) => type === 'unnotified')).toMatchObject([{ need: 'consent' }])
  expectStatus(await world.session.register(input), 'needs_consent')
  expectStatus(await world.session.register(input), 'needs_consent')
  expect(calls).toBe(2)
})

test('who decided what stands in the events', async () => {
  const events: AuthEvent[] = []
  const world = await openWorld({ onEvent: (event) => void events.push(event) })
  const { consent } = await askedFor(world)
  await approve(world, consent)
  expect(events.filter(({ type }) => type === 'decision')).toMatchObject([
    { consent: consent.consent, approved: true, approver: 'kim', channel: 'people' },
  ])
  expect(sent(world, 'bot_signup')).toBe(0)
})
