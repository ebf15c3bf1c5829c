import { afterEach, expect, test } from 'vitest'
import type { Effect } from '../src/consent/action.ts'
import type { Json, Method, Offer, RequestPlan, Transition } from '../src/methods/method.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { Secret } from '../src/vault/secret.ts'
import { approve, closeWorlds, expectStatus, openWorld, sent, type World } from './world.ts'

afterEach(closeWorlds)

type Step = Transition<Json>

/** A method that does one thing wrong, or one thing only. */
function method(
  begin: (offer: Offer) => Step,
  next: () => Step = () => begin({} as Offer),
): Method {
  return {
    id: 'own',
    offers: ({ service }) => [
      { method: 'own', service, summary: 'Mine.', needs: ['nothing'], plan: {}, sources: [] },
    ],
    begin: (_, offer) => begin(offer),
    next,
  }
}

function creates(url: string, binds?: readonly Effect[]): RequestPlan {
  return {
    name: 'make',
    request: { method: 'POST', url, json: {} },
    effect: 'creates',
    ifLost: 'uncertain',
    ...(binds ? { binds } : {}),
  }
}

function binding(at: string): Effect {
  return { kind: 'create-credential', at, audience: [at], credential: 'a key' }
}

async function worldWith(make: (signup: string) => Method): Promise<World> {
  const methods: Method[] = []
  const world = await openWorld({ methods })
  methods.push(make(`${world.sandbox.urls.api}/v2/bot_challenge`))
  return world
}

test('a method that sends something that creates without a consent is refused', async () => {
  const world = await worldWith((url) =>
    method(() => ({ state: {}, next: { send: [creates(url)] } })),
  )
  const { api } = world.sandbox.urls
  await expect(world.session.register({ service: api })).rejects.toMatchObject({
    code: 'method_failed',
    message: expect.stringContaining('make would be sent without a consent'),
  })
  expect(sent(world, 'bot_challenge')).toBe(0)
})

test('a consent covers no second request that creates', async () => {
  const world = await worldWith((url) =>
    method(
      () => ({ state: {}, next: { send: [creates(url, [binding(url)])] } }),
      () => ({ state: {}, next: { send: [creates(url)] } }),
    ),
  )
  const { api } = world.sandbox.urls
  const asked = await world.session.register({ service: api })
  await approve(world, asked)
  await expect(world.session.register({ service: api })).rejects.toMatchObject({
    code: 'method_failed',
  })
  expect(sent(world, 'bot_challenge')).toBe(1)
})

test('what a method asks for at its beginning waits for the consent, in every call', async () => {
  const world = await worldWith((url) =>
    method(
      () => ({ state: {}, next: { send: [creates(url, [binding(url)])] } }),
      () => ({ state: {}, next: { failed: { code: 'service_refused', reason: 'Enough.' } } }),
    ),
  )
  const { api } = world.sandbox.urls
  await world.session.discover({ service: api })
  const previewed = await world.session.preview('register', { service: api })
  const asked = expectStatus(await world.session.register({ service: api }), 'needs_consent')
  expect(asked.action).toEqual(previewed)
  const { registration = '' } = asked
  const claimed = expectStatus(await world.session.claim({ registration }), 'needs_consent')
  expect(claimed.consent).toBe(asked.consent)
  await approve(world, asked)
  expect(await world.session.claim({ registration })).toMatchObject({ reason: 'Enough.' })
  expect(sent(world, 'bot_challenge')).toBe(1)
})

test('a method that keeps a secret in its state is refused before the state is written', async () => {
  const secret = 'canary-0123456789'
  const store = memoryStore()
  const leak = { state: { copied: `x${secret}x` }, secrets: { token: new Secret(secret) } }
  const wait = { for: 'time', at: 0, reason: 'r' } as const
  const world = await openWorld({ store, methods: [method(() => ({ ...leak, next: { wait } }))] })
  const { api } = world.sandbox.urls
  const failure = await world.session.register({ service: api }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'method_failed', message: 'own keeps token in its state' })
  expect(JSON.stringify(failure)).not.toContain(secret)
  expect((await store.list({ kind: 'registration' })).records).toEqual([])
})

test('a method that never comes to rest is stopped', async () => {
  const world = await worldWith((url) => {
    const read = { ...creates(url), effect: 'none', ifLost: 'repeat' } as const
    return method(() => ({ state: {}, next: { send: [read] } }))
  })
  await expect(world.session.register({ service: world.sandbox.urls.api })).rejects.toMatchObject({
    code: 'method_failed',
  })
  expect(sent(world, 'bot_challenge')).toBeLessThanOrEqual(20)
})

test('an address that may not be spoken to ends the registration, and nothing is sent', async () => {
  const world = await worldWith(() => {
    const url = 'http://169.254.169.254/latest'
    const read = { ...creates(url), effect: 'none', ifLost: 'repeat' } as const
    return method(() => ({ state: {}, next: { send: [read] } }))
  })
  const outcome = await world.session.register({ service: world.sandbox.urls.api })
  expect(outcome).toMatchObject({ status: 'refused', code: 'request_refused' })
  const { registration = '' } = outcome
  expectStatus(await world.session.claim({ registration }), 'refused')
})
