import { expect, test } from 'vitest'
import { obtainKey, send, signUp, signupBody } from '../../test/client.ts'
import { signInLink, startSandbox } from '../index.ts'

const email = 'ada@agents.example'
const minute = 60_000

test('bot_challenge gives what the facts say, with or without a body', async () => {
  await using sandbox = await startSandbox({ challenge: { types: ['math'] } })
  const { api, site } = sandbox.urls
  const data = {
    nonce: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    challenge_type: 'math',
    problem: expect.stringMatching(/ Round the answer to \d decimal places?\.$/),
    precision: expect.any(Number),
    terms_and_conditions_url: `${site}/terms-and-conditions-of-service`,
    privacy_policy_url: `${site}/privacy-policy`,
  }
  const first = await send('POST', `${api}/v2/bot_challenge`)
  expect(first).toMatchObject({ status: 200, json: { data } })
  const json = { llm_model_name: 'none of your business' }
  const second = await send('POST', `${api}/v2/bot_challenge`, { json })
  expect(second.json).toEqual({ data })
  expect(second.at('data.nonce')).not.toBe(first.at('data.nonce'))
  expect((await send('POST', `${api}/v2/bot_challenge`, { json: [] })).status).toBe(400)
  expect((await send('GET', `${api}/v2/bot_challenge`)).status).toBe(404)
})

test('precision comes with math only, and older servers leave it and the type out', async () => {
  await using strings = await startSandbox({ challenge: { types: ['string', 'binary'] } })
  const plain = await send('POST', `${strings.urls.api}/v2/bot_challenge`)
  expect(plain.json).not.toHaveProperty('data.precision')
  expect(plain.at('data.challenge_type')).toMatch(/^(string|binary)$/)

  await using older = await startSandbox({ challenge: { types: ['math'], older: true } })
  const { json } = await send('POST', `${older.urls.api}/v2/bot_challenge`)
  expect(Object.keys((json as { data: object }).data)).toEqual([
    'nonce',
    'problem',
    'terms_and_conditions_url',
    'privacy_policy_url',
  ])
})

test('bot_signup sends a sign-in link', async () => {
  await using sandbox = await startSandbox()
  const json = await signupBody(sandbox, email)
  const answer = await send('POST', `${sandbox.urls.api}/v2/bot_signup`, { json })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ success: true, message: expect.any(String) })

  const mail = await sandbox.mail.waitFor(email)
  expect(mail.subject).toBe('Your Single Use Telnyx Portal sign-in link')
  const link = new URL(signInLink(mail))
  expect(link.origin + link.pathname).toBe(`${sandbox.urls.api}/v2/bot_sessions`)
  expect(link.searchParams.size).toBeGreaterThanOrEqual(2)
  const token = link.searchParams.get('token') ?? ''
  expect(token).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  // Read as it stands in the HTML, without decoding, the link has lost its token.
  expect(mail.html).toContain(`&amp;token=${token}`)
  expect(mail.html).not.toContain(`&token=${token}`)
  expect(mail.html).toContain(`href="${sandbox.urls.portal}/#/login/sign-in"`)
  expect(mail.text).toContain(link.href)
})

test.each<[string, Record<string, unknown>]>([
  ['terms not accepted', { terms_of_service: false }],
  ['terms accepted in words', { terms_of_service: 'true' }],
  ['terms left out', { terms_of_service: undefined }],
  ['another terms URL', { terms_and_conditions_url: 'http://telnyx.localhost/terms' }],
  ['another privacy URL', { privacy_policy_url: '' }],
  ['no nonce', { bot_challenge_nonce: undefined }],
  ['no answer', { bot_challenge_answer: undefined }],
  ['no address', { email: undefined }],
  ['not an address', { email: 'ada' }],
])('bot_signup refuses with 400: %s', async (_, change) => {
  await using sandbox = await startSandbox()
  const right = await signupBody(sandbox, email)
  const url = `${sandbox.urls.api}/v2/bot_signup`
  const refused = await send('POST', url, { json: { ...right, ...change } })
  expect(refused.status).toBe(400)
  expect(refused.json).toEqual({
    errors: [{ code: '10015', title: expect.any(String), detail: expect.any(String) }],
  })
  expect(sandbox.mail.list()).toEqual([])
  expect(sandbox.log.at(-1)?.effect).toBe(false)
  // Such a request was not looked at any further, so the nonce is still good.
  expect((await send('POST', url, { json: right })).status).toBe(200)
})

test('a wrong answer spends the nonce', async () => {
  await using sandbox = await startSandbox()
  const right = await signupBody(sandbox, email)
  const url = `${sandbox.urls.api}/v2/bot_signup`
  const wrong = { ...right, bot_challenge_answer: 'no idea' }
  expect((await send('POST', url, { json: wrong })).status).toBe(422)
  expect((await send('POST', url, { json: right })).status).toBe(422)
  expect(sandbox.mail.list()).toEqual([])
})

test('a right answer spends the nonce too, and ten minutes make it stale', async () => {
  await using sandbox = await startSandbox()
  const url = `${sandbox.urls.api}/v2/bot_signup`
  const once = await signupBody(sandbox, email)
  expect((await send('POST', url, { json: once })).status).toBe(200)
  expect((await send('POST', url, { json: once })).status).toBe(422)

  const [early, late] = [await signupBody(sandbox, email), await signupBody(sandbox, email)]
  sandbox.clock.advance(10 * minute - 1)
  expect((await send('POST', url, { json: early })).status).toBe(200)
  sandbox.clock.advance(1)
  expect((await send('POST', url, { json: late })).status).toBe(422)
  const json = { ...late, bot_challenge_nonce: 'never given' }
  expect((await send('POST', url, { json })).status).toBe(422)
})

test('EU terms have to be accepted where the challenge names them', async () => {
  await using sandbox = await startSandbox({ euTerms: true })
  const { api, site } = sandbox.urls
  const challenge = await send('POST', `${api}/v2/bot_challenge`)
  const url = challenge.at('data.terms_and_conditions_eu_url')
  expect(url).toBe(`${site}/terms-and-conditions-of-service-eu`)
  expect((await send('GET', url)).status).toBe(200)
  const signup = async (eu: object) =>
    (
      await send('POST', `${api}/v2/bot_signup`, {
        json: { ...(await signupBody(sandbox, email)), ...eu },
      })
    ).status
  expect(await signup({})).toBe(400)
  expect(await signup({ terms_of_service_eu: true })).toBe(400)
  expect(await signup({ terms_and_conditions_eu_url: url })).toBe(400)
  const eu = { terms_of_service_eu: true, terms_and_conditions_eu_url: url }
  expect(await signup({ ...eu, terms_of_service: false })).toBe(400)
  expect(await signup(eu)).toBe(200)
})

test('without address only where placeholders are allowed', async () => {
  await using sandbox = await startSandbox({ placeholderEmail: true })
  const { email: _, ...json } = await signupBody(sandbox, email)
  expect((await send('POST', `${sandbox.urls.api}/v2/bot_signup`, { json })).status).toBe(200)
  const [mail] = sandbox.mail.list()
  expect(mail?.to).toMatch(/^agent-[0-9a-f]+@placeholder\.telnyx\.test$/)
})

test('a refused mail provider is code 10027', async () => {
  await using sandbox = await startSandbox()
  await using other = await startSandbox({ refusedMailDomains: ['agents.example'] })
  const attempt = async (at: typeof sandbox, address: string) => {
    const json = await signupBody(at, address)
    return send('POST', `${at.urls.api}/v2/bot_signup`, { json })
  }
  expect(await attempt(sandbox, 'ada@Refused-Mail.test')).toMatchObject({
    status: 422,
    json: { errors: [{ code: '10027' }] },
  })
  expect((await attempt(sandbox, email)).status).toBe(200)
  expect((await attempt(other, email)).status).toBe(422)
  expect((await attempt(other, 'ada@refused-mail.test')).status).toBe(200)
})

test('limits per network address and per domain end with the hour', async () => {
  await using perIp = await startSandbox({ limits: { signupsPerIp: 1 } })
  await using perDomain = await startSandbox({ limits: { signupsPerDomain: 1 } })
  const attempt = async (at: typeof perIp, address: string) => {
    const json = await signupBody(at, address)
    return send('POST', `${at.urls.api}/v2/bot_signup`, { json })
  }
  expect((await attempt(perIp, email)).status).toBe(200)
  perIp.clock.advance(10 * minute)
  const refused = await attempt(perIp, 'ada@other.example')
  expect(refused).toMatchObject({ status: 429, json: { errors: [{ title: expect.any(String) }] } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(49 * 60)
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(50 * 60)
  perIp.clock.advance(50 * minute)
  expect((await attempt(perIp, 'ada@other.example')).status).toBe(200)

  expect((await attempt(perDomain, email)).status).toBe(200)
  expect((await attempt(perDomain, 'bob@Agents.example')).status).toBe(429)
  expect((await attempt(perDomain, 'bob@other.example')).status).toBe(200)
})

test('an address that has an account gets a link and no second account', async () => {
  await using sandbox = await startSandbox()
  await obtainKey(sandbox, email)
  await obtainKey(sandbox, 'ADA@agents.example')
  expect(sandbox.mail.list(email)).toHaveLength(2)
  const keys = sandbox.ledger.filter(({ kind }) => kind === 'api_key')
  expect(keys).toHaveLength(2)
  expect(keys[0]?.account).toBe(keys[1]?.account)
})

test('resending: one answer for all, 60 seconds between two, at most three', async () => {
  await using sandbox = await startSandbox()
  const link = await signUp(sandbox, email)
  const resend = (json: unknown) =>
    send('POST', `${sandbox.urls.api}/v2/bot_signup/resend_magic_link`, { json })
  const count = () => sandbox.mail.list(email).length
  const answer = await resend({ email })
  expect(answer.status).toBe(200)
  expect(count()).toBe(2)
  expect(sandbox.log.at(-1)).toMatchObject({ name: 'resend_magic_link', effect: true })
  const same = async (json: unknown, mails: number) => {
    const again = await resend(json)
    expect([again.status, again.text]).toEqual([200, answer.text])
    expect(count()).toBe(mails)
  }
  await same({ email: 'nobody@agents.example' }, 2)
  await same({}, 2)
  sandbox.clock.advance(minute - 1)
  await same({ email }, 2)
  expect(sandbox.log.at(-1)?.effect).toBe(false)
  sandbox.clock.advance(1)
  await same({ email: email.toUpperCase() }, 3)
  sandbox.clock.advance(minute)
  await same({ email }, 4)
  sandbox.clock.advance(minute)
  await same({ email }, 4)
  expect(sandbox.mail.list('nobody@agents.example')).toEqual([])

  // Each mail has a link of its own, and the one before it still works.
  const links = sandbox.mail.list(email).map(signInLink)
  expect(new Set(links).size).toBe(4)
  expect((await send('GET', link)).status).toBe(200)
  expect((await send('GET', links[3] ?? '')).status).toBe(200)
})
