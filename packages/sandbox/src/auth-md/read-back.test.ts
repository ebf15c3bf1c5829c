import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { startSandbox } from '../index.ts'
import { personAt } from './person.ts'

describe.each(['readback', 'hosted'] as const)('%s', (version) => {
  const hosted = version === 'hosted'
  const ids = hosted ? /^agent_reg_/ : /^reg_/

  test('a code read back gives an assertion and a refresh token that is good once', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'service_auth', login_hint: email })
    expect(registered.json).toEqual({
      id: expect.stringMatching(ids),
      type: 'service_auth',
      scopes: { post_claim: ['api.read', 'api.write'] },
      claim: {
        token: expect.stringMatching(/^clm_/),
        expires_at: expect.stringMatching(/Z$/),
        url: hosted ? `${agent.issuer}/claim` : `${agent.issuer}/agent/identity/claim`,
        attempt: {
          verification_uri: expect.stringContaining(
            hosted ? '/claim?token=att_' : '/login?return_to=',
          ),
          expires_at: expect.any(String),
        },
      },
    })
    const claim_token = registered.at('claim.token')
    const early = await agent.complete({ claim_token, user_code: '123456' })
    expect(early).toMatchObject({ status: 409, json: { error: 'claim_not_confirmed' } })
    const ada = personAt(sandbox.authMd[0], email)
    const user_code = await ada.readCode(registered.at('claim.attempt.verification_uri'))
    expect(registered.text + early.text).not.toContain(user_code)
    const wrong = await agent.complete({
      claim_token,
      user_code: user_code === '000000' ? '000001' : '000000',
    })
    expect(wrong).toMatchObject({ status: 401, json: { error: 'invalid_user_code' } })
    const done = await agent.complete({ claim_token, user_code })
    expect(done.json).toEqual({
      id: registered.at('id'),
      status: 'claimed',
      identity: {
        assertion: expect.any(String),
        expires_at: expect.any(String),
        refresh_token: { value: expect.stringMatching(/^art_/), expires_at: expect.any(String) },
      },
    })
    const repeated = await agent.complete({ claim_token, user_code })
    expect(repeated).toMatchObject({ status: 409, json: { error: 'already_claimed' } })
    const token = await agent.exchange(done.at('identity.assertion'))
    expect((await agent.write(token.at('access_token'))).status).toBe(201)

    const refresh_token = done.at('identity.refresh_token.value')
    const [one, two] = await Promise.all([
      agent.register({ type: 'refresh', refresh_token }),
      agent.register({ type: 'refresh', refresh_token }),
    ])
    expect([one.status, two.status].sort()).toEqual([200, 400])
    const [renewed, spent] = one.status === 200 ? [one, two] : [two, one]
    expect(spent.json).toMatchObject({ error: 'invalid_refresh_token' })
    expect(renewed.json).toEqual({
      id: registered.at('id'),
      type: 'refresh',
      identity: {
        assertion: expect.any(String),
        expires_at: expect.any(String),
        refresh_token: { value: expect.any(String), expires_at: expect.any(String) },
      },
    })
    expect((await agent.exchange(renewed.at('identity.assertion'))).status).toBe(200)
    sandbox.clock.advance(30 * 86_400_000)
    const late = await agent.register({
      type: 'refresh',
      refresh_token: renewed.at('identity.refresh_token.value'),
    })
    expect(late).toMatchObject({ status: 400, json: { error: 'invalid_refresh_token' } })
  })

  test('anonymous, claimed later: its tokens end', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'anonymous' })
    expect(registered.json).toEqual({
      id: expect.stringMatching(ids),
      type: 'anonymous',
      identity: { assertion: expect.any(String), expires_at: expect.any(String) },
      scopes: { pre_claim: ['api.read'], post_claim: ['api.read', 'api.write'] },
      claim: {
        token: expect.any(String),
        expires_at: expect.any(String),
        url: expect.any(String),
      },
    })
    const token = (await agent.exchange(registered.at('identity.assertion'))).at('access_token')
    expect((await agent.read(token)).status).toBe(200)
    expect((await agent.write(token)).status).toBe(403)
    const claim_token = registered.at('claim.token')
    const none = await agent.complete({ claim_token, user_code: '123456' })
    expect(none).toMatchObject({ status: 410, json: { error: 'claim_expired' } })
    const started = await agent.claim({ type: 'service_auth', claim_token, login_hint: email })
    expect(started.json).toEqual({
      id: registered.at('id'),
      type: 'service_auth',
      attempt: { verification_uri: expect.any(String), expires_at: expect.any(String) },
    })
    const ada = personAt(sandbox.authMd[0], email)
    const user_code = await ada.readCode(started.at('attempt.verification_uri'))
    expect((await agent.read(token)).status).toBe(200)
    expect((await agent.complete({ claim_token, user_code })).status).toBe(200)
    expect((await agent.read(token)).status).toBe(401)
    const hint = await agent.claim({ type: 'service_auth', claim_token, login_hint: email })
    expect(hint).toMatchObject({ status: 409, json: { error: 'already_claimed' } })
  })

  test('a new link makes the old code worthless, and everything has its end', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const ada = personAt(sandbox.authMd[0], email)
    const registered = await agent.register({ type: 'service_auth', login_hint: email })
    const claim_token = registered.at('claim.token')
    const first = await ada.readCode(registered.at('claim.attempt.verification_uri'))
    const again = await agent.claim({ type: 'service_auth', claim_token, login_hint: email })
    expect((await ada.open(registered.at('claim.attempt.verification_uri'))).status).toBe(410)
    const old = await agent.complete({ claim_token, user_code: first })
    expect(old).toMatchObject({ status: 409, json: { error: 'claim_not_confirmed' } })
    const user_code = await ada.readCode(again.at('attempt.verification_uri'))
    sandbox.clock.advance(600_000)
    const late = await agent.complete({ claim_token, user_code })
    expect(late).toMatchObject({ status: 410, json: { error: 'user_code_expired' } })
    sandbox.clock.advance(86_400_000)
    const over = await agent.claim({ type: 'service_auth', claim_token, login_hint: email })
    expect(over).toMatchObject({ status: 410, json: { error: 'claim_expired' } })
    const gone = await agent.complete({ claim_token, user_code })
    expect(gone).toMatchObject({ status: 410, json: { error: 'claim_expired' } })
  })
})

test('readback: an ID-JAG gives scopes as a list, and a step-up in the nested shape', async () => {
  await using sandbox = await startSandbox({ authMd: { version: 'readback' } })
  const agent = agentAt(sandbox)
  const register = async (who: string) =>
    agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer, email: who }),
    })
  const ada = personAt(sandbox.authMd[0], email)
  await ada.signIn()
  expect((await register('new@agents.example')).json).toEqual({
    id: expect.stringMatching(/^reg_[0-9a-f]{22}$/),
    type: 'identity_assertion',
    identity: { assertion: expect.any(String), expires_at: expect.any(String) },
    scopes: ['api.read', 'api.write'],
  })
  const asked = await register(email)
  expect(asked).toMatchObject({
    status: 401,
    json: {
      error: 'interaction_required',
      type: 'identity_assertion',
      scopes: { post_claim: ['api.read', 'api.write'] },
      claim: { attempt: { verification_uri: expect.any(String) } },
    },
  })
  expect(asked.headers.get('www-authenticate')).toMatch(/^AgentAuth error="interaction_required"/)
  const user_code = await ada.readCode(asked.at('claim.attempt.verification_uri'))
  const claim_token = asked.at('claim.token')
  expect((await agent.complete({ claim_token, user_code })).status).toBe(200)
  expect((await register(email)).status).toBe(200)
})

test('hosted: an access token is a JWT, or an API key where the environment says so', async () => {
  await using sandbox = await startSandbox({
    authMd: [{ version: 'hosted' }, { version: 'hosted', name: 'keys', credential: 'api_key' }],
  })
  const agent = agentAt(sandbox)
  const registered = await agent.register({ type: 'anonymous' })
  const token = (await agent.exchange(registered.at('identity.assertion'))).at('access_token')
  const jwks = (await agent.get(`${agent.issuer}/sso/jwks/client_1`)).json as JSONWebKeySet
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), { issuer: agent.issuer })
  expect(payload).toMatchObject({ sub: registered.at('id'), aud: agent.api, scope: 'api.read' })
  const keys = agentAt(sandbox, { at: 1 })
  const other = await keys.register({ type: 'anonymous' })
  const key = await keys.exchange(other.at('identity.assertion'))
  expect(key.json).toEqual({
    access_token: expect.stringMatching(/^sk_test_/),
    token_type: 'Bearer',
    scope: 'api.read',
  })
  sandbox.clock.advance(86_400_000)
  expect((await keys.read(key.at('access_token'))).status).toBe(200)
  expect((await agent.read(key.at('access_token'))).status).toBe(401)
  const idJag = await agent.register({
    type: 'identity_assertion',
    assertion_type: idJagType,
    assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer }),
  })
  expect(idJag).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
})
