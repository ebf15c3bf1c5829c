import { expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { fetch, send } from '../../test/client.ts'
import { type Sandbox, startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const bob = 'bob@agents.example'

const idJag = ({ identityProvider, authMd: [{ issuer }] }: Sandbox) =>
  identityProvider.idJag({ audience: issuer, email })

const vouched = async (sandbox: Sandbox) =>
  agentAt(sandbox).register({
    type: 'identity_assertion',
    assertion_type: idJagType,
    assertion: await idJag(sandbox),
  })

/** Sends both and lets the service have them at the same moment. */
async function together<T>(sandbox: Sandbox, name: string, ...sent: (() => Promise<T>)[]) {
  const fault = sandbox.faults.add({ name, hold: 'before' })
  const answers = Promise.all(sent.map((send) => send()))
  await expect.poll(() => fault.held.length).toBe(sent.length)
  fault.remove()
  return answers
}

test.each(['invalid_request', 'invalid_target'] as const)(
  'a resource is refused with %s where that is set, and only that',
  async (refusesResource) => {
    await using sandbox = await startSandbox({ authMd: { refusesResource } })
    const agent = agentAt(sandbox)
    const assertion = (await agent.register({ type: 'anonymous' })).at('identity_assertion')
    const refused = await agent.exchange(assertion, { resource: agent.api })
    expect([refused.status, refused.at('error')]).toEqual([400, refusesResource])
    expect((await agent.exchange(assertion)).status).toBe(200)
  },
)

test('of two claims at once only one is taken', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const claim_token = (await agent.register({ type: 'anonymous' })).at('claim_token')
  const claims = [await idJag(sandbox), await idJag(sandbox)].map(
    (assertion) => () => agent.claim({ type: 'identity_assertion', claim_token, assertion }),
  )
  const got = await together(sandbox, 'agent_claim', ...claims)
  expect(got.map(({ status }) => status).sort()).toEqual([200, 409])
})

test('of two identical ID-JAGs at once only one is taken', async () => {
  await using sandbox = await startSandbox({ authMd: { profile: 'as-sample' } })
  const agent = agentAt(sandbox)
  const assertion = await idJag(sandbox)
  const body = { type: 'identity_assertion', assertion_type: idJagType, assertion }
  const register = () => agent.register(body)
  const got = await together(sandbox, 'agent_register', register, register)
  expect(got.map(({ status }) => status).sort()).toEqual([200, 400])
})

test('of two polls at once only one is paid out', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'service_auth', login_hint: email })
  await personAt(sandbox.authMd[0], email).typeCode(
    registered.at('claim.verification_uri'),
    registered.at('claim.user_code'),
  )
  const poll = () => agent.poll(registered.at('claim_token'))
  const got = await together(sandbox, 'agent_token', poll, poll)
  expect(got.map(({ status }) => status).sort()).toEqual([200, 400])
})

test('an old login does not use up the jti, a missing address does', async () => {
  await using sandbox = await startSandbox({ authMd: { profile: 'as-sample' } })
  const agent = agentAt(sandbox)
  const register = async (claims: Record<string, unknown>) =>
    agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer, claims }),
    })
  const stale = await register({ jti: 'one', auth_time: 0 })
  expect(stale.json).toMatchObject({ error: 'login_required' })
  expect((await register({ jti: 'one' })).status).toBe(200)
  const nobody = await register({ jti: 'two', email_verified: false })
  expect(nobody.json).toMatchObject({ error: 'missing_verified_email' })
  expect((await register({ jti: 'two' })).json).toMatchObject({ error: 'replay_detected' })
  const phone = { email: undefined, phone_number: '+15550100', phone_number_verified: true }
  expect((await register({ jti: 'three', ...phone, sub: 'phone' })).status).toBe(200)
})

test('a step-up stays with its account, whatever hint the agent sends', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const ada = personAt(sandbox.authMd[0], email)
  await ada.signIn()
  const claim_token = (await vouched(sandbox)).at('claim_token')
  const again = await agent.claim({ type: 'login_hint', claim_token, login_hint: bob })
  const uri = again.at('claim_attempt.verification_uri')
  const code = again.at('claim_attempt.user_code')
  const other = personAt(sandbox.authMd[0], bob)
  expect((await other.open(uri)).status).toBe(403)
  expect((await ada.typeCode(uri, code)).status).toBe(200)
})

test('a claim that goes on with another person forgets whom the provider meant', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  await personAt(sandbox.authMd[0], email).signIn()
  const claim_token = (await agent.register({ type: 'anonymous' })).at('claim_token')
  const assertion = await idJag(sandbox)
  await agent.claim({ type: 'identity_assertion', claim_token, assertion })
  const again = await agent.claim({ type: 'login_hint', claim_token, login_hint: bob })
  await personAt(sandbox.authMd[0], bob).typeCode(
    again.at('claim_attempt.verification_uri'),
    again.at('claim_attempt.user_code'),
  )
  expect((await agent.poll(claim_token)).status).toBe(200)
  expect((await vouched(sandbox)).status).toBe(401)
})

test('the event is known with and without /auth, and others are taken and ignored', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const { identityProvider: idp } = sandbox
  const root = 'https://schemas.workos.com/events/agent'
  for (const [path, status] of [
    ['/identity/assertion/granted', 200],
    ['/identity/assertion/revoked', 400],
    ['/auth/identity/assertion/revoked', 400],
  ] as const) {
    const sub = path
    const registered = await agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await idp.idJag({
        audience: agent.issuer,
        sub,
        email: `${status}${path.length}@x.example`,
      }),
    })
    const event = await idp.event({ audience: agent.issuer, sub, event: root + path })
    expect((await agent.tell(event)).status).toBe(202)
    const got = await agent.exchange(registered.at('identity_assertion'))
    expect(got.status, path).toBe(status)
  }
})

test('a provider ends what a user has confirmed, not what still waits for somebody', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  await personAt(sandbox.authMd[0], email).signIn()
  const registered = await agent.register({ type: 'anonymous' })
  const claim_token = registered.at('claim_token')
  const assertion = await idJag(sandbox)
  const asked = await agent.claim({ type: 'identity_assertion', claim_token, assertion })
  expect(asked.at('status')).toBe('initiated')
  const event = await sandbox.identityProvider.event({ audience: agent.issuer, email })
  expect((await agent.tell(event)).status).toBe(202)
  expect((await agent.exchange(registered.at('identity_assertion'))).status).toBe(200)
})

test('what was refused stays refused, until the agent asks anew', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'service_auth', login_hint: email })
  const claim_token = registered.at('claim_token')
  const ada = personAt(sandbox.authMd[0], email)
  const uri = registered.at('claim.verification_uri')
  await ada.refuse(uri)
  expect((await ada.open(uri)).status).toBe(410)
  const again = await agent.claim({ type: 'login_hint', claim_token, login_hint: email })
  await ada.typeCode(
    again.at('claim_attempt.verification_uri'),
    again.at('claim_attempt.user_code'),
  )
  expect((await agent.poll(claim_token)).status).toBe(200)
})

test('revocation ends access tokens of this service and nothing else', async () => {
  await using sandbox = await startSandbox({ authMd: [{ version: 'readback' }, {}] })
  const [agent, other] = [agentAt(sandbox), agentAt(sandbox, { at: 1 })]
  const registered = await agent.register({ type: 'service_auth', login_hint: email })
  const ada = personAt(sandbox.authMd[0], email)
  const user_code = await ada.readCode(registered.at('claim.attempt.verification_uri'))
  const done = await agent.complete({ claim_token: registered.at('claim.token'), user_code })
  const token = (await agent.exchange(done.at('identity.assertion'))).at('access_token')
  const refresh_token = done.at('identity.refresh_token.value')
  for (const kept of [refresh_token, done.at('identity.assertion')]) {
    expect((await agent.form('/oauth2/revoke', { token: kept })).status).toBe(200)
  }
  expect((await other.form('/oauth2/revoke', { token })).status).toBe(200)
  expect((await agent.read(token)).status).toBe(200)
  expect((await agent.form('/oauth2/revoke', { token })).status).toBe(200)
  expect((await agent.read(token)).status).toBe(401)
  expect((await agent.exchange(done.at('identity.assertion'))).status).toBe(200)
  expect((await agent.register({ type: 'refresh', refresh_token })).status).toBe(200)
})

test('a sign-in leads nowhere but back to this site', async () => {
  await using sandbox = await startSandbox()
  const { issuer } = sandbox.authMd[0]
  for (const return_to of ['//evil.example', '/\\evil.example', 'https://evil.example', '']) {
    const got = await fetch(`${issuer}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ email, return_to }).toString(),
    })
    expect([got.status, got.headers.get('location')], return_to).toEqual([400, null])
  }
})

test('a parameter that comes twice is refused, and so is a body cut off', async () => {
  await using sandbox = await startSandbox()
  const { issuer } = sandbox.authMd[0]
  const twice = await fetch(`${issuer}/oauth2/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'token=a&token=b',
  })
  expect(await twice.json()).toMatchObject({ error: 'invalid_request' })
  const cut = await fetch(`${issuer}/agent/identity`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"type":"anonymous"',
  })
  expect([cut.status, await cut.json()]).toMatchObject([400, { error: 'invalid_request' }])
  const big = await send('POST', `${issuer}/agent/identity`, { json: { type: 'x'.repeat(1e6) } })
  expect(big.status).toBe(413)
})

test('the ID of an ID-JAG registration is the same for the same user and service', async () => {
  await using sandbox = await startSandbox()
  const first = await vouched(sandbox)
  const second = await vouched(sandbox)
  expect(first.at('registration_id')).toMatch(/^reg_[0-9a-f]{22}$/)
  expect(second.at('registration_id')).toBe(first.at('registration_id'))
})

test('what a page shows is escaped, and a session of one service opens nothing at another', async () => {
  await using sandbox = await startSandbox({ authMd: [{}, { version: 'readback' }] })
  const agent = agentAt(sandbox)
  const odd = '"<i>ada</i>"@agents.example'
  const registered = await agent.register({ type: 'service_auth', login_hint: odd })
  const page = await personAt(sandbox.authMd[0], odd).open(registered.at('claim.verification_uri'))
  expect(page.status).toBe(200)
  expect(page.html).toContain('&lt;i&gt;ada')
  expect(page.html).not.toContain('<i>ada')
  const session = sandbox.ledger.find(({ kind }) => kind === 'browser_session')
  const other = sandbox.authMd[1]?.issuer ?? ''
  const got = await send('GET', `${other}/claim?claim_attempt_token=cvt_1`, {
    headers: { cookie: `sandbox_session=${session?.value}` },
  })
  expect(got.headers.get('location')).toContain('/login?return_to=')
})
