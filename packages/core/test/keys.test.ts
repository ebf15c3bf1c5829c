import { canary } from '@authmd/canary'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveIntake } from '../src/node/intake-server.ts'
import { renderOutcome } from '../src/tools/render.ts'
import { visit } from './intake-world.ts'
import { key, vendor } from './prose-vendor.ts'
import { expectStatus, owner } from './world.ts'

const person = { approver: 'kim' }

const fenced = (...lines: readonly string[]) => ['```', ...lines, '```']
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

describe('a key and what goes beside it', () => {
  const lines = fenced('GET /v1/things', 'X-Api-Key: <key>', 'X-App-Id: <id>', 'X-App-Secret: <s>')
  const accepts = (headers: Record<string, unknown>) =>
    headers['x-api-key'] === key &&
    headers['x-app-id'] === 'app-7' &&
    headers['x-app-secret'] === 'made-up-secret-2'
  const beside = { 'x-app-id': 'app-7', 'x-app-secret': 'made-up-secret-2' }

  it('are handed over together, checked together and sent together', async () => {
    const { auth, session, service, origin, register } = await vendor(lines, accepts)
    canary.watch(beside['x-app-secret'], 'the second key')
    const waiting = expectStatus(await register(), 'needs_person')
    expect(waiting.need).toMatchObject({
      kind: 'paste-key',
      text: expect.stringContaining('and its x-app-id and its x-app-secret'),
      beside: [
        { name: 'x-app-id', label: 'x-app-id', secret: false },
        { name: 'x-app-secret', label: 'x-app-secret', secret: true },
      ],
    })
    const id = waiting.registration ?? ''
    for (const part of [undefined, { 'x-app-id': 'app-7' }, { ...beside, other: '1' }]) {
      const call = auth.people.answer(id, { secret: key, beside: part }, person)
      await expect(call).rejects.toMatchObject({ code: 'invalid_input' })
    }
    const wrong = { ...beside, 'x-app-id': 'app-8' }
    expect(await auth.people.answer(id, { secret: key, beside: wrong }, person)).toMatchObject({
      status: 'needs_person',
      notice: expect.stringContaining('401'),
    })
    const done = await auth.people.answer(id, { secret: key, beside }, person)
    expect(done).toMatchObject({ status: 'ready' })
    const used = await session.use({ service: origin, path: '/v1/things' })
    expect(used).toMatchObject({ answer: { status: 200 } })
    const sent = service.seen.at(-1)?.headers ?? {}
    expect(accepts(sent)).toBe(true)
    expect(JSON.stringify([done, used])).not.toContain('made-up')
  })

  it('on the page, where the id may be seen and the second key not', async () => {
    const { auth, register } = await vendor(lines, accepts)
    const intake = await serveIntake(auth)
    onTestFinished(intake.close)
    const waiting = await register()
    const link = await intake.link(waiting.registration ?? '')
    const browser = await visit(link.url)
    expect(browser.page.text).toMatch(/name="beside.x-app-id" type="text"/)
    expect(browser.page.text).toMatch(/name="beside.x-app-secret" type="password"/)
    const fields = { 'beside.x-app-id': 'app-7', 'beside.x-app-secret': beside['x-app-secret'] }
    expect((await browser.submit(key)).status).toBe(422)
    const taken = await browser.submit(key, { fields })
    expect([taken.status, taken.text]).toEqual([200, expect.stringContaining('Thank you')])
  })
})

it.each([
  ['the key as the user name', ['curl -u $VENDOR_KEY: x'], {}, basic(key, '')],
  ['a fixed user name', ['curl -u api:$VENDOR_KEY x'], {}, basic('api', key)],
  [
    'a user name of the person',
    ['curl -u <email>:<api_key> x'],
    { beside: { user: 'kim@operator.example' } },
    basic('kim@operator.example', key),
  ],
])('Basic with %s', async (_what, code, more, authorization) => {
  const lines = ['Send it by HTTP Basic: `Authorization: Basic <pair>`.', '', ...fenced(...code)]
  const { auth, session, origin, register } = await vendor(
    lines,
    (headers) => headers.authorization === authorization,
  )
  const { registration = '' } = expectStatus(await register(), 'needs_person')
  const done = await auth.people.answer(registration, { secret: key, ...more }, person)
  expect(done).toMatchObject({ status: 'ready' })
  expect(await session.use({ service: origin, path: '/v1/x' })).toMatchObject({
    answer: { status: 200 },
  })
})

it('the query, where the document names nothing else', async () => {
  const inQuery = 'vk_live_made-up-in-query'
  canary.watch(inQuery, 'the key', 'URL')
  const lines = ['Pass the key in the query as `?api_key=`.']
  const { auth, session, origin, register } = await vendor(
    lines,
    (_headers, url) => new URL(url, 'http://x').searchParams.get('api_key') === inQuery,
  )
  const { registration = '' } = expectStatus(await register(), 'needs_person')
  const done = await auth.people.answer(registration, { secret: inQuery }, person)
  const used = await session.use({ service: origin, path: '/v1/x?page=2' })
  expect([done, used]).toMatchObject([{ status: 'ready' }, { answer: { status: 200 } }])
  expect(JSON.stringify([done, used, await session.list()])).not.toContain(inQuery)
})

describe('a key that looks different than the documents say', () => {
  const other = 'made-up-key-0000001'
  const bearer = (headers: Record<string, unknown>) => headers.authorization === `Bearer ${other}`
  const stated = ['Keys begin with `vk_live_`.', '', 'Send it as a Bearer token.']
  const sample = fenced('GET /v1/things', 'Authorization: Bearer vk_your_key')

  it('is not taken where they state it', async () => {
    const { auth, service, register } = await vendor(stated, bearer)
    const { registration = '' } = expectStatus(await register(), 'needs_person')
    const before = service.seen.length
    for (const insist of [false, true]) {
      const call = auth.people.answer(registration, { secret: other, insist }, person)
      await expect(call).rejects.toMatchObject({
        code: 'secret_refused',
        message: expect.stringMatching(/^this is no credential: .* a key begins with vk_live_$/),
      })
    }
    expect(service.seen).toHaveLength(before)
  })

  it('is asked about where a sample says so, and taken where the person insists', async () => {
    const { auth, register } = await vendor(sample, bearer)
    const { registration = '' } = expectStatus(await register(), 'needs_person')
    const call = auth.people.answer(registration, { secret: other }, person)
    await expect(call).rejects.toMatchObject({
      code: 'secret_refused',
      message: expect.not.stringContaining(other),
      details: { doubt: true },
    })
    const insisted = { secret: other, insist: true } as const
    expect(await auth.people.answer(registration, insisted, person)).toMatchObject({
      status: 'ready',
    })
  })

  it('on the page too, by a box that is there only then', async () => {
    const { auth, register } = await vendor(sample, bearer)
    const intake = await serveIntake(auth)
    onTestFinished(intake.close)
    const { registration = '' } = await register()
    const browser = await visit((await intake.link(registration)).url)
    expect(browser.page.text).not.toContain('name="insist"')
    const doubted = await browser.submit(other)
    expect(doubted.text).toContain('name="insist"')
    expect(doubted.text).toContain('begins with vk_')
    expect(doubted.text).not.toContain(other)
    const taken = await browser.submit(other, { fields: { insist: 'yes' } })
    expect(taken.text).toContain('Thank you')
  })
})

describe("the operator's own key", () => {
  const lines = ['Set `VENDOR_API_KEY` in your environment, and send it as a Bearer token.']
  const bearer = (headers: Record<string, unknown>) => headers.authorization === `Bearer ${key}`

  it('is asked for by the service and where it will go, and makes it ready at once', async () => {
    const requests: unknown[] = []
    const { origin, asked, register } = await vendor(lines, bearer, {
      keys: (request) => {
        requests.push(request)
        return key
      },
    })
    expect(await register()).toMatchObject({ status: 'ready' })
    expect(requests).toEqual([
      { owner, service: `${origin}/v1`, audience: [`${origin}/v1`], beside: [] },
    ])
    expect(asked).toEqual([])
  })

  it('is not kept where the service refuses it, and then a person is asked', async () => {
    const { asked, register } = await vendor(lines, bearer, { keys: () => 'made-up-old-key-1' })
    const outcome = expectStatus(await register(), 'needs_person')
    expect(outcome.notice).toContain('401')
    expect(asked).toHaveLength(1)
  })

  it('is never quoted where it is none', async () => {
    const { register } = await vendor(lines, bearer, { keys: () => 'no key at all' })
    const outcome = expectStatus(await register(), 'needs_person')
    expect(outcome.notice).toContain("operator's own key was not taken")
    expect(JSON.stringify(outcome)).not.toContain('at all')
  })

  it('has the name that the documents give it before the operator, and not before the model', async () => {
    const { session, origin, asked, register } = await vendor(lines, bearer)
    const outcome = await register()
    expect(asked).toMatchObject([{ kind: 'need', variables: ['VENDOR_API_KEY'] }])
    const found = await session.discover({ service: origin })
    for (const one of [outcome, await register()]) {
      expect(JSON.stringify(one)).not.toContain('VENDOR_API_KEY')
    }
    for (const one of [outcome, found]) {
      expect(renderOutcome(one)).not.toContain('VENDOR_API_KEY')
    }
  })
})
