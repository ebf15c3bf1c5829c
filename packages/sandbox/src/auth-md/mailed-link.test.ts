import { describe, expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const roots = {
  'v0.1': '/agent/auth',
  'draft-register': '/agent/register',
  'v0.2': '/agent/identity',
  'v0.3': '/agent/identity',
} as const
const events = {
  'v0.1': '/agent/auth/revoke',
  'draft-register': '/agent/event/notify',
  'v0.2': '/agent/identity/revoke',
  'v0.3': '/agent/event/notify',
} as const
const versions = ['v0.1', 'draft-register', 'v0.2', 'v0.3'] as const

describe.each(versions)('%s', (version) => {
  const direct = version === 'v0.1'
  const where = { root: roots[version], events: events[version] }
  const wants = direct ? { requested_credential_type: 'api_key' } : {}
  const expires = version === 'draft-register' ? 'identity_assertion_expires' : 'assertion_expires'

  test('a mail address: the person reads the code on the mailed page to the agent', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox, where)
    const registered = await agent.register({
      type: 'identity_assertion',
      assertion_type: 'verified_email',
      assertion: email,
      ...wants,
    })
    expect(registered.json).toEqual({
      registration_id: expect.any(String),
      registration_type: 'email-verification',
      claim_url: `${agent.issuer}${where.root}/claim`,
      claim_token: expect.any(String),
      claim_token_expires: expect.any(String),
      post_claim_scopes: ['api.read', 'api.write'],
    })
    const claim_token = registered.at('claim_token')
    const wrongEndpoint = await agent.claim({ claim_token, email })
    expect(wrongEndpoint).toMatchObject({ status: 409, json: { error: 'claimed_or_in_flight' } })
    const early = await agent.complete({ claim_token, otp: '123456' })
    expect(early).toMatchObject({ status: 401, json: { error: 'otp_invalid' } })
    const mail = await sandbox.mail.waitFor(email)
    const ada = personAt(sandbox.authMd[0], email)
    const old = await ada.readCode(mail)
    const otp = await ada.readCode(mail)
    if (old !== otp) {
      const rotated = await agent.complete({ claim_token, otp: old })
      expect(rotated).toMatchObject({ status: 401, json: { error: 'otp_invalid' } })
    }
    const done = await agent.complete({ claim_token, otp })
    expect(done.json).toMatchObject({
      registration_id: registered.at('registration_id'),
      status: 'claimed',
      ...(direct
        ? {
            credential_type: 'api_key',
            credential: expect.stringMatching(/^sk_test_/),
            credential_expires: null,
            scopes: ['api.read', 'api.write'],
          }
        : { identity_assertion: expect.any(String), [expires]: expect.any(String) }),
    })
    const token = direct
      ? done.at('credential')
      : (await agent.exchange(done.at('identity_assertion'))).at('access_token')
    expect((await agent.write(token)).status).toBe(201)
    const repeated = await agent.complete({ claim_token, otp })
    expect(repeated).toMatchObject({ status: 409, json: { error: 'previously_claimed' } })
  })

  test('anonymous, claimed later: the credential from before may do more', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox, where)
    const registered = await agent.register({ type: 'anonymous', ...wants })
    expect(registered.json).toEqual({
      registration_id: expect.any(String),
      registration_type: 'anonymous',
      ...(direct
        ? {
            credential_type: 'api_key',
            credential: expect.stringMatching(/^sk_test_/),
            credential_expires: null,
            scopes: ['api.read'],
          }
        : {
            identity_assertion: expect.any(String),
            [expires]: expect.any(String),
            pre_claim_scopes: ['api.read'],
          }),
      claim_url: `${agent.issuer}${where.root}/claim`,
      claim_token: expect.any(String),
      claim_token_expires: expect.any(String),
      post_claim_scopes: ['api.read', 'api.write'],
    })
    const token = direct
      ? registered.at('credential')
      : (await agent.exchange(registered.at('identity_assertion'))).at('access_token')
    const claim_token = registered.at('claim_token')
    const started = await agent.claim({ claim_token, email })
    expect(started.json).toEqual({
      registration_id: registered.at('registration_id'),
      claim_attempt_id: expect.stringMatching(/^cla_/),
      status: 'initiated',
      expires_at: expect.any(String),
    })
    expect((await agent.claim({ claim_token, email })).json).toEqual(started.json)
    expect(sandbox.mail.list()).toHaveLength(1)
    expect((await agent.write(token)).status).toBe(403)
    const ada = personAt(sandbox.authMd[0], email)
    const otp = await ada.readCode(await sandbox.mail.waitFor(email))
    expect((await agent.write(token)).status).toBe(403)
    const done = await agent.complete({ claim_token, otp })
    expect(done.json).toEqual({
      registration_id: registered.at('registration_id'),
      status: 'claimed',
    })
    expect((await agent.write(token)).status).toBe(201)
    const again = await agent.claim({ claim_token, email })
    expect(again).toMatchObject({ status: 409, json: { error: 'claimed_or_in_flight' } })
  })

  test('a provider vouches for a user and ends it again', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox, where)
    const { identityProvider: idp } = sandbox
    const register = async () =>
      agent.register({
        type: 'identity_assertion',
        assertion_type: idJagType,
        assertion: await idp.idJag({ audience: agent.issuer, email }),
        ...(direct ? { requested_credential_type: 'access_token' } : {}),
      })
    const registered = await register()
    expect(registered).toMatchObject({
      status: 200,
      json: {
        registration_type: 'agent-provider',
        scopes: ['api.read', 'api.write'],
        ...(direct
          ? { credential_type: 'access_token', credential_expires: expect.stringMatching(/Z$/) }
          : { [expires]: expect.any(String) }),
      },
    })
    expect((await register()).at('registration_id')).toBe(registered.at('registration_id'))
    const token = direct
      ? registered.at('credential')
      : (await agent.exchange(registered.at('identity_assertion'))).at('access_token')
    expect((await agent.write(token)).status).toBe(201)
    const logout = version === 'v0.1' || version === 'v0.2'
    const typ = logout ? 'logout+jwt' : 'secevent+jwt'
    const event = await idp.event({ audience: agent.issuer, email, typ })
    const told = await agent.tell(event, typ)
    expect(told.status).toBe(logout ? 200 : 202)
    if (logout) expect(told.json).toEqual({ revoked: direct ? 2 : 1 })
    expect((await agent.write(token)).status).toBe(401)
    if (direct) return
    const dead = await agent.exchange(registered.at('identity_assertion'))
    expect(dead).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    if (version === 'draft-register') return
    const revived = await register()
    expect(revived.at('registration_id')).toBe(registered.at('registration_id'))
    expect((await agent.exchange(revived.at('identity_assertion'))).status).toBe(200)
  })

  test('links and codes grow old, and a newer link ends the older', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox, where)
    const ada = personAt(sandbox.authMd[0], email)
    const registered = await agent.register({ type: 'anonymous', ...wants })
    const claim_token = registered.at('claim_token')
    await agent.claim({ claim_token, email })
    const first = await sandbox.mail.waitFor(email)
    await agent.claim({ claim_token, email: 'bob@agents.example' })
    const token = first.html.match(/token=([^"]+)/)?.[1]
    const ask = (claim_attempt_token: unknown) =>
      agent.post(`${where.root}/claim/attempt/challenge`, { claim_attempt_token })
    const superseded = await ask(token)
    expect(superseded).toMatchObject({ status: 410, json: { error: 'claim_superseded' } })
    const second = await sandbox.mail.waitFor('bob@agents.example')
    const otp = await ada.readCode(second)
    sandbox.clock.advance(600_000)
    const late = await agent.complete({ claim_token, otp })
    expect(late).toMatchObject({ status: 410, json: { error: 'otp_expired' } })
    const newer = second.html.match(/token=([^"]+)/)?.[1]
    expect(await ask(newer)).toMatchObject({ status: 410, json: { error: 'claim_expired' } })
    const view = `${agent.issuer}${where.root}/claim/view`
    for (const [query, status] of [
      ['', 400],
      ['?token=cvt_unknown', 404],
      [`?token=${newer}`, 410],
    ] as const) {
      expect((await ada.open(view + query)).status, query).toBe(status)
    }
    await agent.claim({ claim_token, email })
    const third = await sandbox.mail.waitFor(email, { after: first.id })
    await agent.complete({ claim_token, otp: await ada.readCode(third) })
    const done = await ask(third.html.match(/token=([^"]+)/)?.[1])
    expect(done).toMatchObject({ status: 409, json: { error: 'claim_completed' } })
    sandbox.clock.advance(86_400_000)
    const fresh = await agent.register({ type: 'anonymous', ...wants })
    sandbox.clock.advance(86_400_000)
    const body = { claim_token: fresh.at('claim_token'), email, otp: '123456' }
    for (const got of [await agent.claim(body), await agent.complete(body)]) {
      expect(got).toMatchObject({ status: 410, json: { error: 'claim_expired' } })
    }
  })
})

test('draft-register: a step-up has its own kind, and its token endpoint knows scopes', async () => {
  await using sandbox = await startSandbox({
    authMd: [
      { version: 'draft-register' },
      { version: 'draft-register', profile: 'as-sample', name: 'sample' },
    ],
  })
  for (const [at, site] of sandbox.authMd.entries()) {
    const agent = agentAt(sandbox, { at, root: '/agent/register' })
    const ada = personAt(site, email)
    await ada.signIn()
    const asked = await agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer, email }),
    })
    expect(asked.json).toMatchObject({
      registration_type: 'id-jag-step-up',
      claim_token: expect.any(String),
    })
    const step = at === 0 ? {} : { error: 'interaction_required', message: expect.any(String) }
    expect(asked).toMatchObject({ status: at === 0 ? 200 : 401, json: step })
    const [mail] = sandbox.mail.list(email).slice(-1)
    const otp = await ada.readCode(mail ?? { html: '' })
    const done = await agent.complete({ claim_token: asked.at('claim_token'), otp })
    const expires = at === 0 ? 'identity_assertion_expires' : 'assertion_expires'
    expect(done.json).toMatchObject({ [expires]: expect.any(String) })
    const assertion = done.at('identity_assertion')
    const read = await agent.exchange(assertion, { scope: 'api.read openid' })
    expect(read.json).toMatchObject({ scope: 'api.read' })
    if (at === 0) expect((await agent.write(read.at('access_token'))).status).toBe(403)
    const none = await agent.exchange(assertion, { scope: 'openid' })
    expect(none).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
  }
})
