import { describe, expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { type AuthMdProfile, startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const profiles: readonly AuthMdProfile[] = ['strict-spec', 'as-sample']

// The number is the row in the table of contradictions between documents and sample.
describe.each(profiles)('%s', (profile) => {
  const sample = profile === 'as-sample'

  test('11: polling too fast', async () => {
    await using sandbox = await startSandbox({ authMd: { profile } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'service_auth', login_hint: email })
    const claimToken = registered.at('claim_token')
    await agent.poll(claimToken)
    const second = await agent.poll(claimToken)
    expect(second.at('error')).toBe(sample ? 'authorization_pending' : 'slow_down')
  })

  test('12: polling again after the claim was paid out', async () => {
    await using sandbox = await startSandbox({ authMd: { profile } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'service_auth', login_hint: email })
    await personAt(sandbox.authMd[0], email).typeCode(
      registered.at('claim.verification_uri'),
      registered.at('claim.user_code'),
    )
    const claimToken = registered.at('claim_token')
    const first = await agent.poll(claimToken)
    const second = await agent.poll(claimToken)
    expect(second.status).toBe(sample ? 200 : 400)
    if (!sample) return
    expect(second.at('access_token')).not.toBe(first.at('access_token'))
    expect((await agent.read(second.at('access_token'))).status).toBe(200)
  })

  test('10: the assertion from before the claim', async () => {
    await using sandbox = await startSandbox({ authMd: { profile } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'anonymous' })
    const started = await agent.claim({
      type: 'login_hint',
      claim_token: registered.at('claim_token'),
      login_hint: email,
    })
    await personAt(sandbox.authMd[0], email).typeCode(
      started.at('claim_attempt.verification_uri'),
      started.at('claim_attempt.user_code'),
    )
    const got = await agent.exchange(registered.at('identity_assertion'))
    expect(got.json).toMatchObject(
      sample ? { scope: 'api.read api.write' } : { error: 'invalid_grant' },
    )
  })

  test('13: the attempt of the first answer', async () => {
    await using sandbox = await startSandbox({ authMd: { profile, version: 'v0.1' } })
    const agent = agentAt(sandbox, { root: '/agent/auth' })
    const registered = await agent.register({
      type: 'anonymous',
      requested_credential_type: 'api_key',
    })
    const body = { claim_token: registered.at('claim_token'), email }
    const first = await agent.claim(body)
    const second = await agent.claim(body)
    const id = registered.at('registration_id')
    expect(first.at('claim_attempt_id') === id).toBe(sample)
    expect(second.at('claim_attempt_id')).not.toBe(id)
  })

  test('23: an ID-JAG claim during a ceremony', async () => {
    await using sandbox = await startSandbox({ authMd: { profile } })
    const agent = agentAt(sandbox)
    const claim_token = (await agent.register({ type: 'anonymous' })).at('claim_token')
    await agent.claim({ type: 'login_hint', claim_token, login_hint: email })
    const assertion = await sandbox.identityProvider.idJag({ audience: agent.issuer })
    const refused = await agent.claim({ type: 'identity_assertion', claim_token, assertion })
    const code = sample ? 'ceremony_in_flight' : 'claimed_or_in_flight'
    expect(refused).toMatchObject({ status: 409, json: { error: code } })
    const burnt = await agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion,
    })
    expect(burnt.status).toBe(sample ? 400 : 200)
    if (!sample) return
    expect(burnt.json).toMatchObject({ error: 'replay_detected' })
    // The refused claim has linked the user, so nobody is asked although there is an account.
    await personAt(sandbox.authMd[0], email).signIn()
    const again = await agent.register({
      type: 'identity_assertion',
      assertion_type: idJagType,
      assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer }),
    })
    expect(again.status).toBe(200)
  })

  test('24: an old assertion while a revived registration waits for its person', async () => {
    await using sandbox = await startSandbox({ authMd: { profile, version: 'readback' } })
    const agent = agentAt(sandbox)
    const register = async () =>
      agent.register({
        type: 'identity_assertion',
        assertion_type: idJagType,
        assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer }),
      })
    const old = (await register()).at('identity.assertion')
    await agent.tell(await sandbox.identityProvider.event({ audience: agent.issuer }))
    expect((await agent.exchange(old)).status).toBe(400)
    expect((await register()).status).toBe(401)
    expect((await agent.exchange(old)).status).toBe(sample ? 200 : 400)
  })

  test('the API of the sample looks at no scopes', async () => {
    await using sandbox = await startSandbox({ authMd: { profile } })
    const agent = agentAt(sandbox)
    const assertion = (await agent.register({ type: 'anonymous' })).at('identity_assertion')
    const token = (await agent.exchange(assertion)).at('access_token')
    expect((await agent.write(token)).status).toBe(sample ? 201 : 403)
  })

  test('the sample of v0.1 ends an anonymous key when its claim comes too late', async () => {
    await using sandbox = await startSandbox({ authMd: { profile, version: 'v0.1' } })
    const agent = agentAt(sandbox, { root: '/agent/auth' })
    const registered = await agent.register({
      type: 'anonymous',
      requested_credential_type: 'api_key',
    })
    sandbox.clock.advance(86_400_000)
    const key = registered.at('credential')
    expect((await agent.read(key)).status).toBe(200)
    await agent.claim({ claim_token: registered.at('claim_token'), email })
    expect((await agent.read(key)).status).toBe(sample ? 401 : 200)
  })

  test('5: v0.6 takes the field of the changelog or that of the server', async () => {
    await using sandbox = await startSandbox({ authMd: { profile, version: 'v0.6' } })
    const agent = agentAt(sandbox)
    const claim_token = (await agent.register({ type: 'anonymous' })).at('claim_token')
    expect((await agent.claim({ claim_token, email })).status).toBe(sample ? 200 : 400)
    expect((await agent.claim({ claim_token, login_hint: email })).status).toBe(sample ? 400 : 200)
  })

  test('1: the audience is the issuer, or the resource where the service says so', async () => {
    await using sandbox = await startSandbox({
      authMd: [{ profile }, { profile, name: 'other', audience: 'resource' }],
    })
    for (const [at, own] of (['issuer', 'resource'] as const).entries()) {
      const agent = agentAt(sandbox, { at })
      for (const audience of [agent.issuer, agent.api]) {
        const got = await agent.register({
          type: 'identity_assertion',
          assertion_type: idJagType,
          assertion: await sandbox.identityProvider.idJag({
            audience,
            email: `${at}-${audience.length}@agents.example`,
          }),
        })
        const right = audience === (own === 'issuer' ? agent.issuer : agent.api)
        expect(got.status, audience).toBe(right ? 200 : 400)
      }
    }
  })
})
