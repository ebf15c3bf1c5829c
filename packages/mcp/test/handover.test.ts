import { canary } from '@authmd/canary'
import type { Method, PersonNeed } from '@authmd/core'
import { serveIntake } from '@authmd/core/node'
import { afterEach, describe, expect, test } from 'vitest'
import { type Answer, overHttp, yes } from './client.ts'
import { expectNoSecret, startTapped, type Tapped } from './wire.ts'
import { find, makeKey, solution } from './world.ts'

let world: Tapped
afterEach(() => world.close())

const pages = { form: {}, url: {} }

/** What a person does on the page: opens it, and sends its form. */
async function handOver(link: string, given: string): Promise<string> {
  const entered = await fetch(link, { redirect: 'manual' })
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
  const at = new URL(entered.headers.get('location') ?? '/', link)
  const form = await (await fetch(at, { headers: { cookie } })).text()
  const body = new URLSearchParams({ form: find(form, /(?<=name="form" value=")[^"]+/), given })
  const headers = { cookie, origin: at.origin, 'sec-fetch-site': 'same-origin' }
  return (await fetch(`${at}/hand-over`, { method: 'POST', headers, body })).text()
}

test("a key is pasted on core's own page: it goes over no wire of the client", async () => {
  let intake: Awaited<ReturnType<typeof serveIntake>> | undefined
  world = await startTapped({
    intakeUrl: async (id) => (await intake?.link(id))?.url ?? 'no page',
  })
  intake = await serveIntake(world.auth)
  const key = await makeKey(world)
  let shown = ''
  const answer: Answer = async (params) => {
    if (params.mode === 'url') {
      canary.handedOver(params.url)
      shown = await handOver(params.url, key)
    }
    return yes(params)
  }
  const client = await overHttp(world.url, { answer, elicitation: pages })
  const { service } = world
  const said = await client.text('auth_register', { service, method: 'manual' })
  expect(said).toMatch(
    /^needs_person[\s\S]*opened the page[^\n]*Never ask for a link, a key or a code here/,
  )
  expect(shown).toContain('The key was taken')
  const ready = await client.text('auth_claim', { registration: find(said, /reg_[\w-]+/) })
  expect(ready).toMatch(/^ready/)
  const path = '/v2/debug/echo'
  expect(await client.text('auth_use', { service, method: 'GET', path })).toMatch(/^answered/)
  expect(client.asked.map(({ mode }) => mode)).toEqual(['url'])
  await intake.close()
  await client.close()
  expect(world.sandbox.ledger.map(({ value }) => value)).toContain(key)
  expectNoSecret(world.sandbox, world.wire())
})

/** A way in on which a person is needed, and nothing else happens. */
function waiting(need: Omit<PersonNeed, 'text' | 'url'>): Method {
  const shown = { text: 'Look here.', url: 'https://vendor.example/', ...need }
  const wait = () => ({ state: null, next: { wait: { for: 'person', need: shown } } }) as const
  return {
    id: 'waiting',
    offers: ({ service }) => [
      { method: 'waiting', service, summary: 'wait', needs: ['person'], plan: null, sources: [] },
    ],
    begin: wait,
    next: wait,
  }
}

test.each([
  ['a page of the service', { need: { kind: 'open-link' } }, ''],
  ['a code to type there', { need: { kind: 'enter-code', code: '428117' } }, '428117'],
  [
    'a code that may be read out in the chat',
    { need: { kind: 'read-code' }, codesThroughModel: true },
    'code: "…"',
  ],
] as const)('%s is in the text; nothing is handed over', async (_, { need, ...options }, text) => {
  const intakeUrl = () => 'https://intake.example'
  world = await startTapped({ methods: [waiting(need)], intakeUrl, ...options })
  const client = await overHttp(world.url, { answer: yes, elicitation: pages })
  const said = await client.text('auth_register', { service: world.service })
  expect(said).toMatch(/^needs_person[\s\S]*Look here[\s\S]*vendor\.example/)
  expect(said).toContain(text)
  expect(said).not.toContain('hand')
  expect(client.asked).toEqual([])
  await client.close()
})

test('a code that is read off a page has its page opened, and is not asked for in the chat', async () => {
  const intakeUrl = () => 'https://intake.example'
  world = await startTapped({ methods: [waiting({ kind: 'read-code' })], intakeUrl })
  const client = await overHttp(world.url, { answer: yes, elicitation: pages })
  const said = await client.text('auth_register', { service: world.service })
  expect(said).toMatch(/opened the page[^\n]*Never ask for a link, a key or a code here/)
  expect(said).not.toContain('code:')
  expect(client.asked).toMatchObject([{ mode: 'url', url: 'https://intake.example' }])
  await client.close()
})

describe('what is handed over outside the chat', () => {
  const intakeUrl = (registration: string) => `https://intake.operator.example/${registration}#KEY`

  async function signedUp(options: { answer?: Answer; url?: boolean; intake?: boolean } = {}) {
    const { answer = yes, url = true, intake = true } = options
    world = await startTapped({ mailbox: false, ...(intake ? { intakeUrl } : {}) })
    const elicitation = url ? pages : { form: {} }
    const client = await overHttp(world.url, { answer, elicitation })
    const puzzle = await client.text('auth_register', { service: world.service })
    const signup = solution(world, puzzle)
    return { client, said: await client.text('auth_register', signup), signup }
  }

  test('its page is opened by the client, once, and the model does not see where it is', async () => {
    const { client, said, signup } = await signedUp()
    const { registration } = signup
    expect(said).toMatch(/^needs_person[\s\S]*The person opened the page/)
    const again = await client.text('auth_claim', { registration })
    expect(again).toMatch(/^needs_person[\s\S]*The person was shown the page/)
    expect(said + again).not.toContain('intake.operator.example')
    expect(client.asked).toMatchObject([
      { mode: 'form' },
      { mode: 'url', url: intakeUrl(registration), elicitationId: expect.any(String) },
    ])
    await client.close()
  })

  test('a person who does not open it', async () => {
    const answer: Answer = (params) => (params.mode === 'url' ? { action: 'decline' } : yes(params))
    const { client, said } = await signedUp({ answer })
    expect(said).toMatch(/^needs_person[\s\S]*did not open the page/)
    await client.close()
  })

  test.each([
    ['a client that opens no pages', { url: false }],
    ['an application without a page', { intake: false }],
  ])('%s: the text says how, and no form asks for it', async (_, options) => {
    const { client, said } = await signedUp(options)
    expect(said).toMatch(
      /^needs_person[\s\S]*handed over to the operator[\s\S]*Never ask for a link/,
    )
    expect(said).not.toContain('intake.operator.example')
    expect(client.asked).toMatchObject([{ mode: 'form' }])
    await client.close()
  })

  test('a page that cannot be made does not hide what was done', async () => {
    world = await startTapped({
      mailbox: false,
      intakeUrl: () => {
        throw new Error('intake.operator.example is down')
      },
    })
    const client = await overHttp(world.url, { answer: yes, elicitation: pages })
    const puzzle = await client.text('auth_register', { service: world.service })
    const said = await client.text('auth_register', solution(world, puzzle))
    expect(said).toMatch(/^needs_person[\s\S]*could not be made/)
    expect(said).not.toContain('is down')
    await client.close()
  })
})
