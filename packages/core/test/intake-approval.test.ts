import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Consent } from '../src/consent/ledger.ts'
import { serveIntake } from '../src/node/intake-server.ts'
import { memoryStore } from '../src/vault/memory-store.ts'
import { hold } from './held.ts'
import { ask, visit } from './intake-world.ts'
import { askedFor, closeWorlds, expectStatus, openWorld, sent } from './world.ts'

afterEach(closeWorlds)

const minute = 60_000
const kim = { approver: 'kim' }
const approve = { fields: { decision: 'approve' } }
const deny = { fields: { decision: 'deny' } }

/** A signup that a person is asked about, and the link to the page where they decide. */
async function linked(...options: Parameters<typeof openWorld>) {
  const store = memoryStore()
  const [given, sandbox] = options
  const world = await openWorld({ store, ...given }, sandbox)
  const { input, consent } = await askedFor(world)
  const intake = await serveIntake(world.auth, { name: 'Acme Operations' })
  onTestFinished(intake.close)
  const { url: link, expires } = await intake.link(consent.consent)
  const row = async () => {
    const { records } = await store.list({ kind: 'consent' })
    const rows = records.map(({ value }) => JSON.parse(value) as Consent)
    return rows.find(({ id }) => id === consent.consent)
  }
  return { ...world, store, intake, input, consent, link, expires, row }
}

describe('the page on which a person decides', () => {
  test('says who asks, where, until when, exactly what, and links the terms', async () => {
    const { link, expires, consent, sandbox, row } = await linked()
    const { page, at } = await visit(link)
    expect(page.status).toBe(200)
    const { host } = new URL(sandbox.urls.api)
    for (const shown of [
      `May the agent do this at ${host}?`,
      'the agent of Acme Operations (acme, user kim)',
      `<time datetime="${new Date(expires).toISOString()}">`,
      ...consent.action.summary
        .split('\n')
        .slice(1)
        .map((line) => `<li>${line}</li>`),
      ...consent.action.effects.flatMap((one) =>
        one.kind === 'accept-terms' ? one.texts.map(({ url }) => `<a href="${url}"`) : [],
      ),
    ]) {
      expect(page.text).toContain(shown)
    }
    expect(page.text).not.toContain('<script')
    expect(page.text).not.toContain('could not be read')
    expect(at).not.toContain(new URL(link).pathname.split('/').at(-1))
    expect(expires).toBe((await row())?.expiresAt)
    const { headers } = page
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; .*frame-ancestors 'none'/,
    )
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('says whether it is the first time at this service', async () => {
    const first = 'This is the first time: nothing has been held'
    const world = await linked()
    expect((await visit(world.link)).page.text).toContain(first)
    const { session, sandbox } = world
    const { api } = sandbox.urls
    const { handle } = await session.import({
      service: api,
      audience: `${api}/v2`,
      secret: 'KEY0SANDBOX0IMPORTED',
    })
    const revoked = await session.revoke({ credential: handle })
    if (revoked.status !== 'needs_consent') throw new Error(revoked.status)
    const { url } = await world.intake.link(revoked.consent)
    const { page } = await visit(url)
    expect(page.status).toBe(200)
    expect(page.text).not.toContain(first)
  })

  test('takes a yes once: the action goes on, and page and link are gone', async () => {
    const world = await linked()
    const { submit, at, cookie } = await visit(world.link)
    const done = await submit('', approve)
    expect([done.status, done.headers.get('set-cookie')]).toEqual([
      200,
      expect.stringContaining('Max-Age=0'),
    ])
    expect(done.text).toContain('<h1>Approved</h1>')
    expect(await world.row()).toMatchObject({
      state: 'approved',
      decision: { approver: 'intake page', channel: 'people' },
    })
    const again = [
      await submit('', deny),
      await ask(world.link),
      await ask(at, { headers: { cookie } }),
    ]
    expect(again.map(({ status }) => status)).toEqual([410, 410, 410])
    expect((await world.row())?.state).toBe('approved')
    expectStatus(await world.session.register(world.input), 'pending')
  })

  test('takes a no: nothing is sent, and nobody is asked for the same again', async () => {
    const world = await linked()
    const { submit } = await visit(world.link)
    expect((await submit('', deny)).text).toContain('<h1>Not approved</h1>')
    const refused = { status: 'refused', code: 'consent_denied' }
    expect(await world.session.register(world.input)).toMatchObject(refused)
    expect(sent(world, 'bot_signup')).toBe(0)
  })

  test('shows what hides in a request as text', async () => {
    const { auth, session, service } = await hold((_, answer) => answer.end())
    const json = { text: '<script>alert(1)</script>\u202e\u200b"&' }
    const input = { service: service.origin, method: 'POST', path: '/x', json }
    const { consent } = expectStatus(await session.use(input), 'needs_consent')
    const intake = await serveIntake(auth)
    onTestFinished(intake.close)
    const { page } = await visit((await intake.link(consent)).url)
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\u200b')
    expect(page.text).not.toMatch(/<script|[\u202e\u200b]/)
  })

  test('says which terms could not be read', async () => {
    const world = await openWorld()
    world.sandbox.faults.add({ name: 'terms', status: 404 })
    const { consent } = await askedFor(world)
    const intake = await serveIntake(world.auth)
    onTestFinished(intake.close)
    const { page } = await visit((await intake.link(consent.consent)).url)
    expect(page.text.match(/could not be read by the agent/g)).toHaveLength(1)
  })
})

describe('decides nothing', () => {
  test.each([
    ['another Origin', { origin: 'https://evil.test' }, 403],
    ['an opaque Origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }, 403],
    ['another Host', { host: 'evil.test' }, 421],
    ['no cookie', { cookie: '' }, 403],
    ['a cookie of another link', { cookie: `authmd_intake=${'A'.repeat(43)}` }, 404],
    ['JSON', { 'content-type': 'application/json' }, 415],
  ] as [string, Record<string, string>, number][])('%s', async (_, headers, status) => {
    const { link, row } = await linked()
    const { submit } = await visit(link)
    expect((await submit('', { ...approve, headers })).status).toBe(status)
    expect((await row())?.state).toBe('asked')
    expect((await submit('', approve)).status).toBe(200)
  })

  test('a form without the token of the page', async () => {
    const { link, intake, consent, row } = await linked()
    const { submit, token } = await visit(link)
    const other = await visit((await intake.link(consent.consent)).url)
    for (const form of ['', other.token, `${token}x`]) {
      const fields = { ...approve.fields, form }
      expect((await submit('', { fields })).status).toBe(403)
    }
    expect((await row())?.state).toBe('asked')
  })

  test.each(['GET', 'HEAD', 'PUT', 'DELETE'])('%s of the form', async (method) => {
    const { link, row } = await linked()
    const { at, cookie, token } = await visit(link)
    const url = `${at}/hand-over?form=${token}&decision=approve`
    expect((await ask(url, { method, headers: { cookie } })).status).toBe(405)
    expect((await row())?.state).toBe('asked')
  })

  test('opening the link, as chats do with it', async () => {
    const { link, row } = await linked()
    for (let times = 0; times < 20; times++) await visit(link)
    expect((await row())?.state).toBe('asked')
  })

  test.each(['', 'yes', 'true', '1', 'Approve', 'approve '])(
    'a decision of %j, and ten of them end the link',
    async (decision) => {
      const { link, row } = await linked()
      const { submit } = await visit(link)
      const said = []
      for (let tries = 0; tries < 10; tries++) said.push(await submit('', { fields: { decision } }))
      expect(said.map(({ status }) => status)).toEqual([...Array(9).fill(422), 410])
      expect(said[0]?.text).toContain('Press one of the two buttons')
      expect((await submit('', approve)).status).toBe(410)
      expect((await row())?.state).toBe('asked')
    },
  )

  test('a form that says both', async () => {
    const { link, row } = await linked()
    const { submit, token } = await visit(link)
    const body = `form=${encodeURIComponent(token)}&decision=approve&decision=deny`
    expect((await submit('', { body })).status).toBe(422)
    expect((await row())?.state).toBe('asked')
  })

  test('a page whose question was decided elsewhere meanwhile, or is too old', async () => {
    const elsewhere = await linked()
    const first = await visit(elsewhere.link)
    await elsewhere.auth.people.answer(elsewhere.consent.consent, { approve: false }, kim)
    expect((await first.submit('', approve)).status).toBe(410)
    expect(await elsewhere.row()).toMatchObject({ state: 'denied', decision: { approver: 'kim' } })
    const old = await linked()
    const second = await visit(old.link)
    old.sandbox.clock.advance(15 * minute)
    expect((await second.submit('', approve)).status).toBe(410)
    expect((await old.row())?.state).toBe('asked')
  })

  test('two who decide at once: one counts, and the other is told', async () => {
    const { link, intake, consent, row } = await linked()
    const yes = await visit(link)
    const no = await visit((await intake.link(consent.consent)).url)
    const answers = await Promise.all([yes.submit('', approve), no.submit('', deny)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410])
    expect((await row())?.state).toBe(answers[0]?.status === 200 ? 'approved' : 'denied')
  })
})

test('there is no link to a question that is none, is decided or is too old', async () => {
  const { auth, intake, consent, sandbox } = await linked()
  const none = { code: 'not_found' }
  await expect(intake.link('cns_unknown_0')).rejects.toMatchObject(none)
  sandbox.clock.advance(15 * minute)
  const over = { code: 'invalid_input' }
  await expect(intake.link(consent.consent)).rejects.toMatchObject(over)
  const { auth: other, session, service } = await hold((_, answer) => answer.end())
  const asked = await session.use({ service: service.origin, method: 'POST', path: '/x' })
  const { consent: id } = expectStatus(asked, 'needs_consent')
  await other.people.answer(id, { approve: true }, kim)
  const page = other.people.intake({ baseUrl: 'https://agents.operator.example' })
  await expect(page.link(id)).rejects.toMatchObject(over)
  await expect(auth.people.intake({ baseUrl: intake.url }).link(id)).rejects.toMatchObject(none)
})
