import { afterEach, expect, test } from 'vitest'
import type { Recipe } from '../src/engine/recipes.ts'
import { allowLoopback } from '../src/net/transport.ts'
import { createAgentAuth } from '../src/node/main.ts'
import type { Session } from '../src/session.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { closeWorlds, expectStatus, openWorld, type World } from './world.ts'

afterEach(closeWorlds)

const email = 'kim@operator.test'
const said = JSON.stringify({ name: 'scribe', purpose: 'It writes notes for a team.' })

function open(options: Parameters<typeof openWorld>[0] = {}, prose = {}) {
  return openWorld({ identity: () => ({ email }), ...options }, { prose })
}

async function asked({ session, sandbox }: World) {
  return expectStatus(await session.register({ service: sandbox.prose.api }), 'needs_answer')
}

/** Answers, agrees, and answers once more under the consent. */
async function agreed(world: World, answer: string, session: Session = world.session) {
  const { registration = '' } = await asked({ ...world, session })
  const input = { service: world.sandbox.prose.api, registration, answer }
  const consent = expectStatus(await session.register(input), 'needs_consent')
  await world.auth.people.answer(consent.consent, { approve: true }, { approver: 'kim' })
  return { consent, outcome: await session.register(input), input }
}

const signups = ({ sandbox }: World) => sandbox.log.filter(({ name }) => name === 'prose_signup')

test('a text that describes the request is a way in, after every protocol', async () => {
  const { session, sandbox } = await open()
  const found = expectStatus(await session.discover({ service: sandbox.prose.api }), 'found')
  expect(found.offers.map(({ method, needs }) => [method, needs])).toContainEqual([
    'guided',
    ['model', 'email'],
  ])
})

test('the model is asked what only it can say, with the lines of the text', async () => {
  const world = await open()
  const { problem, form } = await asked(world)
  expect(problem.split('\n')).toEqual([
    `POST ${world.sandbox.prose.api}/v1/agents`,
    'line 12: name – 3 to 40 characters, not in use yet.',
    'line 14: purpose – One sentence about what the agent does with us.',
    'line 15: plan (the document has "free") – free or paid.',
    'line 27: label – What people see beside the name.',
  ])
  expect(form).toContain('a JSON object with name (string), purpose (string)')
  expect(form).toContain('if wanted plan (string), label (string)')
  expect(signups(world)).toEqual([])
})

test('consent names the exact request, and the key in the answer goes to the vault unseen', async () => {
  const world = await open()
  const { api } = world.sandbox.prose
  const { consent, outcome } = await agreed(world, said)
  const body = {
    name: 'scribe',
    owner: { email },
    purpose: 'It writes notes for a team.',
    plan: 'free',
    accept_terms: true,
  }
  expect(consent.action.effects).toEqual([
    {
      kind: 'accept-terms',
      texts: [{ role: 'terms', url: `${api}/terms.html`, readAt: expect.any(Number) }],
    },
    { kind: 'present-identity', email, emailFrom: 'session', to: new URL(api).host },
    {
      kind: 'create-credential',
      at: `${api}/v1/agents`,
      audience: [`${api}/v1`],
      credential: 'an account and a credential',
      note: `As described in ${api}/auth.md, line 8.`,
    },
    { kind: 'unsafe-request', method: 'POST', url: `${api}/v1/agents`, body: JSON.stringify(body) },
  ])
  expectStatus(outcome, 'ready')
  expect(JSON.parse(signups(world)[0]?.body ?? '')).toEqual(body)
  const used = await world.session.use({ service: api, path: '/v1/me' })
  expect(used).toMatchObject({ status: 'answered', answer: { status: 200 } })
  expect(world.sandbox.log.at(-1)).toMatchObject({ name: 'prose_me', status: 200 })
})

test.each([
  ['no JSON', 'scribe'],
  ['a field that the text has not', JSON.stringify({ name: 'scribe', purpose: 'x', admin: true })],
  [
    'a field that is not for the model',
    JSON.stringify({ name: 'a', purpose: 'x', accept_terms: false }),
  ],
  ['a missing field', JSON.stringify({ name: 'scribe' })],
  ['an empty field', JSON.stringify({ name: '', purpose: 'x' })],
  ['another type', JSON.stringify({ name: 1, purpose: 'x' })],
  ['a list', '[]'],
])('%s is asked for again, and nothing is sent', async (_, answer) => {
  const world = await open()
  const { registration = '' } = await asked(world)
  const input = { service: world.sandbox.prose.api, registration, answer }
  const again = expectStatus(await world.session.register(input), 'needs_answer')
  expect(again.notice).not.toBeUndefined()
  expect(signups(world)).toEqual([])
})

test.each([
  ['a URL', JSON.stringify({ name: 'scribe', purpose: 'see https://evil.test/x' })],
  ['an address', JSON.stringify({ name: 'scribe', purpose: 'mail a@evil.test' })],
])('%s in what the model says is refused', async (_, answer) => {
  const world = await open()
  const { registration = '' } = await asked(world)
  const input = { service: world.sandbox.prose.api, registration, answer }
  expect(await world.session.register(input)).toMatchObject({
    status: 'refused',
    code: 'answer_form',
  })
})

test('without an address a person is asked for one first', async () => {
  const world = await open({ identity: () => ({}) })
  const outcome = await world.session.register({ service: world.sandbox.prose.api })
  expect(outcome).toMatchObject({ status: 'needs_person', need: { kind: 'give-email' } })
})

test('what the service refuses can be mended, three times at most', async () => {
  const world = await open()
  const short = JSON.stringify({ name: 'x', purpose: 'It writes notes for a team.' })
  const { outcome, input } = await agreed(world, short)
  expect(expectStatus(outcome, 'needs_answer').notice).toContain('422')
  const good = { ...input, answer: said }
  const consent = expectStatus(await world.session.register(good), 'needs_consent')
  await world.auth.people.answer(consent.consent, { approve: true }, { approver: 'kim' })
  expectStatus(await world.session.register(good), 'ready')
  expect(signups(world).map(({ status }) => status)).toEqual([422, 201])
})

test('an answer that was lost is not asked for twice without a person', async () => {
  const world = await open()
  world.sandbox.faults.add({ name: 'prose_signup', cut: 'after', times: 1 })
  const { outcome } = await agreed(world, said)
  const uncertain = expectStatus(outcome, 'uncertain')
  expect(uncertain.orphans).toMatchObject([
    { what: 'an account with a credential that nobody holds', request: 'described_request' },
  ])
  const input = { service: world.sandbox.prose.api, registration: outcome.registration ?? '' }
  expectStatus(await world.session.claim({ registration: input.registration }), 'uncertain')
  const again = expectStatus(await world.session.register(input), 'needs_consent')
  expect(again.action.summary).toContain('An earlier request may have made one already')
  expect(signups(world)).toHaveLength(1)
})

test('an answer without the key that was promised leaves the account listed', async () => {
  const world = await open({}, { keyElsewhere: true })
  const { outcome } = await agreed(world, said)
  expect(outcome).toMatchObject({ status: 'refused', code: 'service_failed' })
  const all = expectStatus(await world.session.discover(), 'found')
  expect(all.registrations).toMatchObject([{ orphans: [{ request: 'described_request' }] }])
})

test('a request on another domain than the text is never proposed', async () => {
  const world = await open({}, { elsewhere: 'https://collector.example' })
  const found = await world.session.discover({ service: world.sandbox.prose.api })
  expect(expectStatus(found, 'found').offers.map(({ method }) => method)).not.toContain('guided')
})

test('what worked is a recipe: the next registration needs no model, and still a consent', async () => {
  const world = await open()
  await agreed(world, said)
  const recipes = await world.session.recipes()
  expect(recipes).toMatchObject([
    { version: 1, method: 'guided', steps: { values: JSON.parse(said) } },
  ])
  const [issued] = world.sandbox.ledger.filter(({ kind }) => kind === 'api_key')
  expect(JSON.stringify(recipes)).not.toContain(issued?.value)
  expect(JSON.stringify(recipes)).not.toContain(email)
})

test('a recipe that the application gives serves every owner, and is refused like anything else', async () => {
  const first = await open()
  await agreed(first, said)
  const auth = createAgentAuth({
    store: memoryStore(),
    [allowLoopback]: true,
    identity: () => ({ email }),
    recipes: await first.session.recipes(),
  })
  const session = auth.as({ tenant: 'other' })
  const { api } = first.sandbox.prose
  const consent = expectStatus(await session.register({ service: api }), 'needs_consent')
  await auth.people.answer(consent.consent, { approve: true }, { approver: 'kim' })
  const input = { service: api, registration: consent.registration ?? '' }
  // The name is in use by now: the service says so, and the model is asked after all.
  expect(expectStatus(await session.register(input), 'needs_answer').notice).toContain('409')
  expect(signups(first).map(({ status }) => status)).toEqual([201, 409])
})

test('an owner registers again by their own recipe; another owner is asked', async () => {
  const world = await open()
  const { outcome } = await agreed(world, said)
  const { api } = world.sandbox.prose
  const { credential } = expectStatus(outcome, 'ready')
  const replaced = await world.session.revoke({ credential: credential.handle, replace: true })
  const consent = expectStatus(replaced, 'needs_consent')
  expect(consent.action.summary).toContain('"name":"scribe"')
  const stranger = world.auth.as({ tenant: 'acme', user: 'lee' })
  expectStatus(await stranger.register({ service: api }), 'needs_answer')
})

test('a recipe of another text, of another version or of rubbish is not gone by', async () => {
  const first = await open()
  await agreed(first, said)
  const [recipe] = (await first.session.recipes()) as [Recipe]
  const { api } = first.sandbox.prose
  const steps = JSON.parse(JSON.stringify(recipe.steps).replace('"line":12', '"line":13'))
  const others = [
    { ...recipe, steps },
    { ...recipe, version: 2 },
    { ...recipe, steps: 'rubbish' },
  ]
  for (const other of others) {
    const auth = createAgentAuth({
      store: memoryStore(),
      [allowLoopback]: true,
      identity: () => ({ email }),
      recipes: [other as Recipe],
    })
    expectStatus(await auth.as({ tenant: 'other' }).register({ service: api }), 'needs_answer')
  }
})
