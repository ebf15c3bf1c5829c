import { afterEach, expect, test } from 'vitest'
import type { OutcomeOf } from '../src/outcome.ts'
import {
  answerTo,
  approve,
  askedFor,
  closeWorlds,
  done,
  expectStatus,
  keysOf,
  openWorld,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const minute = 60_000

function termsOf(consent: OutcomeOf<'needs_consent'>) {
  return consent.action.effects.flatMap((one) => (one.kind === 'accept-terms' ? one.texts : []))
}

async function openPuzzle({ session, sandbox }: World) {
  return session.register({ service: sandbox.urls.api })
}

test('after a wrong answer a right one passes under the same consent', async () => {
  const asked: string[] = []
  const world = await openWorld({ onPersonNeeded: ({ kind }) => void asked.push(kind) })
  const wrong = answerTo(world, await openPuzzle(world), '123456')
  const consent = expectStatus(await world.session.register(wrong), 'needs_consent')
  await approve(world, consent)
  const again = expectStatus(await world.session.register(wrong), 'needs_answer')
  expect(again.notice).toContain('wrong')
  expectStatus(await world.session.register(answerTo(world, again)), 'pending')
  expect(asked).toEqual(['consent'])
  expect(sent(world, 'bot_signup')).toBe(2)
  expect(done(world, 'bot_signup')).toBe(1)
})

test('three wrong answers use the consent up; the next answer needs a new one', async () => {
  const world = await openWorld()
  const input = answerTo(world, await openPuzzle(world), '123456')
  const first = expectStatus(await world.session.register(input), 'needs_consent')
  await approve(world, first)
  for (let tries = 0; tries < 3; tries++) {
    expectStatus(await world.session.register(input), 'needs_answer')
  }
  const fourth = expectStatus(await world.session.register(input), 'needs_consent')
  expect(fourth.consent).not.toBe(first.consent)
  expect(sent(world, 'bot_signup')).toBe(3)
  await approve(world, fourth)
  const right = answerTo(world, await openPuzzle(world))
  expectStatus(await world.session.register(right), 'pending')
  expect(done(world, 'bot_signup')).toBe(1)
})

test('a puzzle that expires while the person thinks is replaced under the same consent', async () => {
  const world = await openWorld()
  const { input, consent } = await askedFor(world)
  world.sandbox.clock.advance(11 * minute)
  await approve(world, consent)
  const fresh = expectStatus(await world.session.register(input), 'needs_answer')
  expect(fresh.notice).toContain('expired')
  expect(sent(world, 'bot_signup')).toBe(0)
  expectStatus(await world.session.register(answerTo(world, fresh)), 'pending')
  expect(done(world, 'bot_signup')).toBe(1)
})

test('a nonce that only the service holds for stale is replaced under the same consent', async () => {
  const world = await openWorld()
  const { input, consent } = await askedFor(world)
  await approve(world, consent)
  const stale = { errors: [{ code: '10026', title: 'Challenge', detail: 'The nonce is stale.' }] }
  world.sandbox.faults.add({ name: 'bot_signup', status: 422, body: stale, times: 1 })
  const again = expectStatus(await world.session.register(input), 'needs_answer')
  expect(again.notice).toContain('The nonce is stale.')
  expectStatus(await world.session.register(answerTo(world, again)), 'pending')
})

test('a consent that is older than 15 minutes is asked for again', async () => {
  const world = await openWorld()
  const { input, consent } = await askedFor(world)
  await approve(world, consent)
  world.sandbox.clock.advance(15 * minute)
  const fresh = expectStatus(await world.session.register(input), 'needs_answer')
  const again = await world.session.register(answerTo(world, fresh))
  expect(expectStatus(again, 'needs_consent').consent).not.toBe(consent.consent)
  expect(sent(world, 'bot_signup')).toBe(0)
})

test.each([
  { why: 'missing', fault: { status: 404, body: 'gone' } },
  { why: 'too big', fault: { bodyReplace: 'endless' as const } },
  { why: 'empty', fault: { bodyReplace: 'empty' as const } },
])('terms whose text is $why are shown as unread', async ({ fault }) => {
  const world = await openWorld({ limits: { maxBytes: 100_000 } })
  world.sandbox.faults.add({ name: 'terms', ...fault })
  const { consent } = await askedFor(world)
  const [terms, privacy] = termsOf(consent)
  expect(terms?.textHash).toBeUndefined()
  expect(privacy?.textHash).toMatch(/^[\w-]{43}$/)
  expect(consent.action.summary).toContain(
    'terms-and-conditions-of-service (its text could not be read) and the privacy policy',
  )
})

test('terms at an address that may not be spoken to are shown as unread', async () => {
  const world = await openWorld()
  const { site } = world.sandbox.urls
  world.sandbox.faults.add({
    name: 'bot_challenge',
    status: 200,
    times: 1,
    body: {
      data: {
        nonce: 'n1',
        problem: 'Two plus two?',
        terms_and_conditions_url: 'http://169.254.169.254/terms',
        privacy_policy_url: `${site}/privacy-policy`,
      },
    },
  })
  const input = answerTo(world, await openPuzzle(world), '4')
  const consent = expectStatus(await world.session.register(input), 'needs_consent')
  expect(consent.action.summary).toContain(
    'http://169.254.169.254/terms (its text could not be read)',
  )
})

async function secondPuzzle(world: World) {
  const wrong = answerTo(world, await openPuzzle(world), '123456')
  const consent = expectStatus(await world.session.register(wrong), 'needs_consent')
  await approve(world, consent)
  return { wrong, consent }
}

test('terms that say something else with the next puzzle need a new consent', async () => {
  const world = await openWorld()
  const { wrong, consent } = await secondPuzzle(world)
  const body = '<p>Whoever uses the sandbox owes a hundred coins.</p>'
  const headers = { 'content-type': 'text/html' }
  world.sandbox.faults.add({ name: 'terms', status: 200, body, headers })
  const again = expectStatus(await world.session.register(wrong), 'needs_answer')
  const next = await world.session.register(answerTo(world, again))
  const second = expectStatus(next, 'needs_consent')
  expect(second.consent).not.toBe(consent.consent)
  expect(termsOf(second)[0]?.textHash).not.toBe(termsOf(consent)[0]?.textHash)
  expect(termsOf(second)[1]).toEqual(termsOf(consent)[1])
  expect(done(world, 'bot_signup')).toBe(0)
})

test('a page of terms that differs only in what nobody sees keeps its consent', async () => {
  const world = await openWorld()
  const headers = { 'content-type': 'text/html' }
  const page = (n: number) =>
    `<!-- built > ${n} --><script>t=">${n}"</script><p class="c${n}">Be kind.</p>`
  const first = world.sandbox.faults.add({ name: 'terms', status: 200, headers, body: page(1) })
  const { wrong } = await secondPuzzle(world)
  first.remove()
  world.sandbox.faults.add({ name: 'terms', status: 200, headers, body: page(2) })
  const again = expectStatus(await world.session.register(wrong), 'needs_answer')
  expectStatus(await world.session.register(answerTo(world, again)), 'pending')
})

test('terms that cannot be read a second time stay what was agreed to', async () => {
  const world = await openWorld()
  const { wrong } = await secondPuzzle(world)
  world.sandbox.faults.add({ name: 'terms', status: 503 })
  const again = expectStatus(await world.session.register(wrong), 'needs_answer')
  expectStatus(await world.session.register(answerTo(world, again)), 'pending')
})

test('a person who says no is not asked again for ten minutes, however often the model tries', async () => {
  let asked = 0
  const world = await openWorld({ onPersonNeeded: () => void asked++ })
  const { input, consent } = await askedFor(world)
  await world.auth.people.answer(consent.consent, { approve: false }, { approver: 'kim' })
  for (let tries = 0; tries < 20; tries++) {
    const outcome = await world.session.register(input)
    expect(outcome).toMatchObject({ status: 'refused', code: 'consent_denied' })
  }
  expect(asked).toBe(1)
  expect(sent(world, 'bot_signup')).toBe(0)
  world.sandbox.clock.advance(10 * minute)
  const fresh = expectStatus(await world.session.register(input), 'needs_answer')
  expectStatus(await world.session.register(answerTo(world, fresh)), 'needs_consent')
  expect(asked).toBe(2)
})

test('after a lost key a person agrees to a second one, told that a first may exist', async () => {
  const world = await openWorld()
  const { registration } = await signedUp(world)
  world.sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
  const lost = expectStatus(await world.session.claim({ registration }), 'uncertain')
  expect(lost).toMatchObject({ request: 'api_keys', orphans: [{ request: 'api_keys' }] })
  expect(lost.orphans[0]?.url).toContain(world.sandbox.urls.portal)
  const retry = { service: world.sandbox.urls.api, registration }
  const asked = expectStatus(await world.session.register(retry), 'needs_consent')
  expect(asked.action.summary).toContain('Create a second API key')
  expect(asked.action.summary).toContain('An earlier one may exist already')
  expect(sent(world, 'api_keys')).toBe(1)
  await approve(world, asked)
  expectStatus(await world.session.register(retry), 'ready')
  expect(keysOf(world)).toHaveLength(2)
})

test('a second key is asked for again where the session ended meanwhile, still under its consent', async () => {
  const world = await openWorld()
  const { registration } = await signedUp(world)
  world.sandbox.faults.add({ name: 'api_keys', cut: 'after', times: 1 })
  expectStatus(await world.session.claim({ registration }), 'uncertain')
  world.sandbox.clock.advance(61 * minute)
  const retry = { service: world.sandbox.urls.api, registration }
  await approve(world, await world.session.register(retry))
  // The session is refused, a new link is mailed and opened, and the consent is still good.
  expectStatus(await world.session.register(retry), 'pending')
  expectStatus(await world.session.claim({ registration }), 'ready')
  expect(keysOf(world)).toHaveLength(2)
})
