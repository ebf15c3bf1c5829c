import { expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { startSandbox } from '../index.ts'
import { personAt } from './person.ts'

test('anonymous, claimed by a code that the person types: what came before ends', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'anonymous' })
  expect(registered).toMatchObject({
    status: 200,
    json: {
      registration_id: expect.stringMatching(/^reg_/),
      registration_type: 'anonymous',
      assertion_expires: expect.stringMatching(/Z$/),
      pre_claim_scopes: ['api.read'],
      claim_url: `${agent.issuer}/agent/identity/claim`,
      claim_token: expect.stringMatching(/^clm_/),
      claim_token_expires: expect.any(String),
      post_claim_scopes: ['api.read', 'api.write'],
    },
  })
  expect(registered.json).not.toHaveProperty('claim')
  const before = registered.at('identity_assertion')
  const token = (await agent.exchange(before)).at('access_token')
  expect(await agent.read(token)).toMatchObject({ status: 200, json: { user: null } })
  const refused = await agent.write(token)
  expect(refused).toMatchObject({ status: 403, json: { error: 'insufficient_scope' } })
  expect(refused.headers.get('www-authenticate')).toMatch(
    /^Bearer error="insufficient_scope", scope="api.write", resource_metadata="/,
  )

  const claim_token = registered.at('claim_token')
  const started = await agent.claim({ type: 'login_hint', claim_token, login_hint: email })
  expect(started.json).toEqual({
    registration_id: registered.at('registration_id'),
    claim_attempt_id: expect.stringMatching(/^cla_/),
    status: 'initiated',
    expires_at: expect.any(String),
    claim_attempt: {
      user_code: expect.stringMatching(/^\d{6}$/),
      verification_uri: expect.stringContaining('/login?return_to='),
      expires_in: 600,
      interval: 5,
    },
  })
  const pending = await agent.poll(claim_token)
  expect(pending).toMatchObject({ status: 400, json: { error: 'authorization_pending' } })
  const page = await personAt(sandbox.authMd[0], email).typeCode(
    started.at('claim_attempt.verification_uri'),
    started.at('claim_attempt.user_code'),
  )
  expect(page).toMatchObject({ status: 200, html: expect.stringContaining('Confirmed') })

  const paid = await agent.poll(claim_token)
  expect(paid.json).toEqual({
    access_token: expect.stringMatching(/^at_/),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'api.read api.write',
    identity_assertion: expect.any(String),
    assertion_expires: expect.any(String),
  })
  expect(paid.headers.get('cache-control')).toBe('no-store')
  expect((await agent.read(token)).status).toBe(401)
  expect((await agent.write(paid.at('access_token'))).json).toMatchObject({ user: { email } })
  const next = await agent.exchange(paid.at('identity_assertion'))
  expect(next.json).toMatchObject({ token_type: 'Bearer', scope: 'api.read api.write' })
  expect(await agent.exchange(before)).toMatchObject({ json: { error: 'invalid_grant' } })
})

test('an access token ends by the clock and by revocation, the assertion outlives both', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const assertion = (await agent.register({ type: 'anonymous' })).at('identity_assertion')
  const first = (await agent.exchange(assertion)).at('access_token')
  const gone = await agent.form('/oauth2/revoke', { token: first, token_type_hint: 'access_token' })
  expect(gone).toMatchObject({ status: 200, text: '' })
  expect((await agent.read(first)).status).toBe(401)
  const unknown = await agent.form('/oauth2/revoke', { token: 'at_unknown' })
  expect(unknown).toMatchObject({ status: 200, text: '' })

  sandbox.clock.advance(3_000_000)
  const second = (await agent.exchange(assertion)).at('access_token')
  sandbox.clock.advance(3_600_000)
  expect((await agent.read(second)).status).toBe(401)
  expect((await agent.exchange(assertion)).json).toMatchObject({ error: 'invalid_grant' })
})

test('a user whom a provider vouches for is let in, and asked once where there is an account', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const { identityProvider: idp } = sandbox
  const register = async (who: { email?: string; sub?: string }) =>
    agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await idp.idJag({ audience: agent.issuer, ...who }),
    })
  const fresh = await register({ email: 'new@agents.example' })
  expect(fresh).toMatchObject({
    status: 200,
    json: { registration_type: 'identity_assertion', scopes: ['api.read', 'api.write'] },
  })
  expect(fresh.json).not.toHaveProperty('claim_token')

  const ada = personAt(sandbox.authMd[0], email)
  await ada.signIn()
  const asked = await register({ email })
  expect(asked).toMatchObject({
    status: 401,
    json: {
      error: 'interaction_required',
      error_description: expect.any(String),
      registration_type: 'identity_assertion',
      claim: { user_code: expect.any(String), interval: 5 },
    },
  })
  expect(asked.headers.get('www-authenticate')).toBe(
    'AgentAuth error="interaction_required", error_description="The person has to confirm this."',
  )
  const again = await register({ email })
  expect(again.at('registration_id')).toBe(asked.at('registration_id'))
  expect((await agent.poll(asked.at('claim_token'))).json).toMatchObject({ error: 'invalid_grant' })
  const page = await ada.open(again.at('claim.verification_uri'))
  expect(page.html).toContain('data-advisory="first_time_provider"')
  expect(page.html).toContain('Sandbox Identity')
  await ada.typeCode(again.at('claim.verification_uri'), again.at('claim.user_code'))
  expect((await agent.poll(again.at('claim_token'))).status).toBe(200)
  const silent = await register({ email })
  expect(silent).toMatchObject({ status: 200, json: { scopes: ['api.read', 'api.write'] } })
  expect(silent.at('registration_id')).toBe(asked.at('registration_id'))

  const event = await idp.event({ audience: agent.issuer, email })
  expect(await agent.tell(event)).toMatchObject({ status: 202, text: '' })
  expect((await agent.exchange(silent.at('identity_assertion'))).json).toMatchObject({
    error: 'invalid_grant',
  })
  const revived = await register({ email })
  expect(revived).toMatchObject({ status: 401, json: { error: 'interaction_required' } })
  expect(revived.at('registration_id')).toBe(asked.at('registration_id'))
  await ada.typeCode(revived.at('claim.verification_uri'), revived.at('claim.user_code'))
  expect((await agent.poll(revived.at('claim_token'))).status).toBe(200)
  const old = await agent.exchange(silent.at('identity_assertion'))
  expect(old.json).toMatchObject({ error: 'invalid_grant' })
})

test('an anonymous registration is claimed by an ID-JAG, at once or after the person is asked', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const claim = async (claim_token: string, who: string) =>
    agent.claim({
      type: 'identity_assertion',
      claim_token,
      assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer, email: who }),
    })
  const first = await agent.register({ type: 'anonymous' })
  const token = (await agent.exchange(first.at('identity_assertion'))).at('access_token')
  const clean = await claim(first.at('claim_token'), 'new@agents.example')
  expect(clean).toMatchObject({
    status: 200,
    json: {
      registration_id: first.at('registration_id'),
      registration_type: 'identity_assertion',
      status: 'claimed',
    },
  })
  const nothingToPoll = await agent.poll(first.at('claim_token'))
  expect(nothingToPoll).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect((await agent.read(token)).status).toBe(401)
  const paid = await agent.exchange(clean.at('identity_assertion'))
  expect(paid.json).toMatchObject({ scope: 'api.read api.write' })

  const ada = personAt(sandbox.authMd[0], email)
  await ada.signIn()
  const second = await agent.register({ type: 'anonymous' })
  const asked = await claim(second.at('claim_token'), email)
  expect(asked).toMatchObject({
    status: 200,
    json: { registration_type: 'identity_assertion', status: 'initiated' },
  })
  await ada.typeCode(
    asked.at('claim_attempt.verification_uri'),
    asked.at('claim_attempt.user_code'),
  )
  expect((await agent.poll(second.at('claim_token'))).status).toBe(200)
})

test('a new code takes the place of the one before, and only the person meant may type it', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'service_auth', login_hint: ` ${email} ` })
  expect(registered).toMatchObject({
    status: 200,
    json: { registration_type: 'service_auth', claim: { expires_in: 600 } },
  })
  const claim_token = registered.at('claim_token')
  const again = await agent.claim({ type: 'login_hint', claim_token, login_hint: email })
  const ada = personAt(sandbox.authMd[0], email)
  const old = await ada.open(registered.at('claim.verification_uri'))
  expect(old.status).toBe(410)
  const uri = again.at('claim_attempt.verification_uri')
  const code = again.at('claim_attempt.user_code')
  const wrong = code === '000000' ? '000001' : '000000'
  expect((await ada.typeCode(uri, wrong)).status).toBe(401)
  const bob = personAt(sandbox.authMd[0], 'bob@agents.example')
  expect((await bob.open(uri)).status).toBe(403)
  expect((await ada.typeCode(uri, code)).status).toBe(200)
  expect((await ada.open(uri)).status).toBe(409)
  expect((await agent.poll(claim_token)).status).toBe(200)
  const claimed = await agent.claim({ type: 'login_hint', claim_token, login_hint: email })
  expect(claimed).toMatchObject({ status: 409, json: { error: 'claimed_or_in_flight' } })
})

test('ledger and log tell of everything, and a lost answer leaves its registration behind', async () => {
  await using sandbox = await startSandbox()
  const agent = agentAt(sandbox)
  sandbox.faults.add({ name: 'agent_register', cut: 'before', times: 1 })
  await expect(agent.register({ type: 'anonymous' })).rejects.toThrow()
  expect(sandbox.ledger.filter(({ kind }) => kind === 'claim_token')).toEqual([])
  sandbox.faults.add({ name: 'agent_register', cut: 'after', times: 1 })
  await expect(agent.register({ type: 'service_auth', login_hint: email })).rejects.toThrow()
  const made = sandbox.ledger.filter(({ request }) => request === 2)
  expect(made.map(({ kind }) => kind)).toEqual(['claim_token', 'claim_attempt_token', 'user_code'])
  expect(sandbox.log.map(({ name, effect, status }) => [name, effect, status])).toEqual([
    ['agent_register', false, undefined],
    ['agent_register', true, undefined],
  ])
  const [token] = made
  sandbox.faults.add({ name: 'agent_token', cut: 'after', times: 1 })
  await personAt(sandbox.authMd[0], email).typeCode(
    `${agent.issuer}/claim?claim_attempt_token=${made[1]?.value}`,
    made[2]?.value ?? '',
  )
  await expect(agent.poll(token?.value ?? '')).rejects.toThrow()
  const lost = await agent.poll(token?.value ?? '')
  expect(lost).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  expect(lost.headers.get('pragma')).toBe('no-cache')
})
