import { signInLink } from '@authmd/sandbox'
import { afterEach, expect, test } from 'vitest'
import {
  approve,
  askedFor,
  closeWorlds,
  email,
  expectStatus,
  keysOf,
  obtain,
  openWorld,
  sent,
  signedUp,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const kim = { approver: 'kim' }

test('discover, register, claim, use, revoke', async () => {
  const { sandbox, auth, session } = await openWorld()
  const found = await session.discover({ service: sandbox.urls.api })
  expect(expectStatus(found, 'found').offers[0]?.method).toBe('telnyx-signup')
  const agree = (id: string) => auth.people.answer(id, { approve: true }, kim)
  const ready = expectStatus(await obtain(sandbox, session, agree), 'ready')
  expect(ready.credential.audience).toEqual([`${sandbox.urls.api}/v2`])
  const used = await session.use({
    service: sandbox.urls.api,
    path: '/v2/available_phone_numbers',
    query: { 'filter[locality]': 'Chicago' },
  })
  expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
  const { handle } = ready.credential
  const asked = expectStatus(await session.revoke({ credential: handle }), 'needs_consent')
  await auth.people.answer(asked.consent, { approve: true }, kim)
  const guided = expectStatus(await session.revoke({ credential: handle }), 'needs_person')
  expect(guided.need.url).toContain(sandbox.urls.portal)
})

test('what a person is asked names every address, the mail and where the key may go', async () => {
  const world = await openWorld()
  const { api, site } = world.sandbox.urls
  const { consent } = await askedFor(world)
  expect(consent.action.summary.split('\n')).toEqual([
    `${api} (first time: nothing has been held there before):`,
    `Accept on your behalf: the terms ${site}/terms-and-conditions-of-service and the privacy policy ${site}/privacy-policy.`,
    `Tell ${new URL(api).host} the address ${email} (the mailbox that the operator set up), to which it may send mail.`,
    `Create an account, unless the address has one, and an API key at ${api}/v2/api_keys, to be used only under ${api}/v2.`,
  ])
  expect(sent(world, 'bot_signup')).toBe(0)
})

test('terms for the EU are an effect of their own, accepted by name', async () => {
  const world = await openWorld({}, { euTerms: true })
  const { input, consent } = await askedFor(world)
  const { site } = world.sandbox.urls
  expect(consent.action.effects.map(({ kind }) => kind)).toEqual([
    'accept-terms',
    'accept-terms',
    'present-identity',
    'create-credential',
  ])
  expect(consent.action.effects[1]).toMatchObject({
    texts: [{ role: 'terms-eu', url: `${site}/terms-and-conditions-of-service-eu` }],
  })
  expect(consent.action.summary).toContain(
    `Accept on your behalf: the terms for the EU ${site}/terms-and-conditions-of-service-eu.`,
  )
  await approve(world, consent)
  expectStatus(await world.session.register(input), 'pending')
  const request = world.sandbox.log.find((entry) => entry.name === 'bot_signup')
  expect(JSON.parse(request?.body ?? '')).toMatchObject({ terms_of_service_eu: true })
})

test('a session that comes after a redirect is found', async () => {
  const world = await openWorld({}, { redirectSession: true })
  const { registration } = await signedUp(world)
  expectStatus(await world.session.claim({ registration }), 'ready')
  expect(sent(world, 'bot_sessions_redirect')).toBe(1)
})

test('signing up an address twice gives a second key of the same account', async () => {
  const world = await openWorld()
  const first = await signedUp(world)
  expectStatus(await world.session.claim({ registration: first.registration }), 'ready')
  const other = { ...world, session: world.auth.as({ tenant: 'acme', user: 'sam' }) }
  const second = await signedUp(other)
  expectStatus(await other.session.claim({ registration: second.registration }), 'ready')
  const [one, two, ...more] = keysOf(world)
  expect(more).toEqual([])
  expect(two?.account).toBe(one?.account)
  expect(two?.value).not.toBe(one?.value)
})

test.each(['math', 'string', 'binary'] as const)(
  'a %s puzzle is shown and solved',
  async (type) => {
    const world = await openWorld({}, { challenge: { types: [type] } })
    const begun = await world.session.register({ service: world.sandbox.urls.api })
    const { form } = expectStatus(begun, 'needs_answer')
    expect(form).toMatch(type === 'math' ? /^one number with (no|\d) ?decimals?$/ : /^one line/)
    const { registration } = await signedUp(world)
    expectStatus(await world.session.claim({ registration }), 'ready')
  },
)

test('an older server, which names neither type nor precision, takes any line', async () => {
  const world = await openWorld({}, { challenge: { older: true } })
  const begun = await world.session.register({ service: world.sandbox.urls.api })
  expect(expectStatus(begun, 'needs_answer').form).toBe('one line of text')
  const { registration } = await signedUp(world)
  expectStatus(await world.session.claim({ registration }), 'ready')
})

test('a puzzle reaches the model cut and without what is hidden', async () => {
  const world = await openWorld()
  const { site } = world.sandbox.urls
  world.sandbox.faults.add({
    name: 'bot_challenge',
    status: 200,
    body: {
      data: {
        nonce: 'n1',
        problem: `Two\u200b plus\u202e two?${' and'.repeat(10_000)}`,
        terms_and_conditions_url: `${site}/terms-and-conditions-of-service`,
        privacy_policy_url: `${site}/privacy-policy`,
      },
    },
  })
  const begun = await world.session.register({ service: world.sandbox.urls.api })
  const { problem } = expectStatus(begun, 'needs_answer')
  expect(problem.startsWith('Two plus two?')).toBe(true)
  expect(problem.length).toBeLessThanOrEqual(2000)
})

test('an address of terms with a second line in it is no address', async () => {
  const world = await openWorld()
  const { site } = world.sandbox.urls
  world.sandbox.faults.add({
    name: 'bot_challenge',
    status: 200,
    body: {
      data: {
        nonce: 'n1',
        problem: 'Two plus two?',
        terms_and_conditions_url: `${site}/terms\nNothing will be created.`,
        privacy_policy_url: `${site}/privacy-policy`,
      },
    },
  })
  const begun = await world.session.register({ service: world.sandbox.urls.api })
  expect(begun).toMatchObject({ status: 'refused', code: 'service_failed' })
})

async function sourceOf(world: World, register: { email?: string }) {
  const { consent } = await askedFor(world, register)
  const effect = consent.action.effects.find(({ kind }) => kind === 'present-identity')
  return { effect, summary: consent.action.summary }
}

test('the address that the application named is taken, never the one of the model', async () => {
  const world = await openWorld({ identity: () => ({ email: 'kim@operator.test' }) })
  const { effect, summary } = await sourceOf(world, { email: 'eve@elsewhere.test' })
  expect(effect).toMatchObject({ email: 'kim@operator.test', emailFrom: 'session' })
  expect(summary).not.toContain('eve@')
})

test('the mailbox comes before the model', async () => {
  const world = await openWorld()
  const { effect } = await sourceOf(world, { email: 'eve@elsewhere.test' })
  expect(effect).toMatchObject({ email, emailFrom: 'mailbox' })
})

test('an address that the model proposed is shown as that, and gives way to a later one', async () => {
  const world = await openWorld({ identity: () => ({}) })
  const { effect, summary } = await sourceOf(world, { email: 'typo@operator.test' })
  expect(effect).toMatchObject({ email: 'typo@operator.test', emailFrom: 'model' })
  expect(summary).toContain('typo@operator.test (proposed by the model: check it)')
  const { api } = world.sandbox.urls
  const again = await world.session.register({ service: api, email: 'right@operator.test' })
  const corrected = expectStatus(
    await world.session.register({
      service: api,
      answer: world.sandbox.answerTo(expectStatus(again, 'needs_answer').problem),
    }),
    'needs_consent',
  )
  expect(corrected.action.summary).toContain('right@operator.test (proposed by the model')
})

test('without any address a person is asked for one, and may hand it over outside the chat', async () => {
  const world = await openWorld({ identity: () => undefined })
  const { api } = world.sandbox.urls
  const asked = expectStatus(await world.session.register({ service: api }), 'needs_person')
  expect(asked.need.kind).toBe('give-email')
  const registration = asked.registration ?? ''
  // Neither looking nor asking again makes a puzzle of it.
  expectStatus(await world.session.claim({ registration }), 'needs_person')
  expectStatus(await world.session.register({ service: api }), 'needs_person')
  await world.auth.people.answer(registration, { email: 'kim@operator.test' }, kim)
  const { effect } = await sourceOf(world, {})
  expect(effect).toMatchObject({ email: 'kim@operator.test', emailFrom: 'person' })
})

test('a refused mail provider asks a person for another address, under a new consent', async () => {
  const world = await openWorld({ identity: () => ({ email: 'kim@refused-mail.test' }) })
  const { api } = world.sandbox.urls
  const { input, consent, registration } = await askedFor(world)
  await approve(world, consent)
  const refused = expectStatus(await world.session.register(input), 'needs_person')
  expect(refused).toMatchObject({ need: { kind: 'give-email' } })
  expect(refused.notice).toContain('kim@refused-mail.test')
  // The refused address is not tried again, whoever looks or asks.
  const challenges = sent(world, 'bot_challenge')
  expectStatus(await world.session.claim({ registration }), 'needs_person')
  expectStatus(await world.session.register({ service: api }), 'needs_person')
  expect(sent(world, 'bot_challenge')).toBe(challenges)

  await world.auth.people.answer(registration, { email: 'kim@operator.test' }, kim)
  const second = await askedFor(world)
  expect(second.consent.consent).not.toBe(consent.consent)
  expect(second.consent.action.summary).toContain('kim@operator.test (given by a person)')
  await approve(world, second.consent)
  expectStatus(await world.session.register(second.input), 'needs_person')
  const mail = await world.sandbox.mail.waitFor('kim@operator.test')
  const ready = await world.auth.people.answer(registration, { link: signInLink(mail) }, kim)
  expect(ready).toMatchObject({ status: 'ready' })
})

test('an address of the mailbox in other letters is still read without a person', async () => {
  const mailbox = { address: email, list: async () => [] }
  const world = await openWorld({ identity: () => ({ email: email.toUpperCase(), mailbox }) })
  const { outcome } = await signedUp(world)
  expectStatus(outcome, 'pending')
})
