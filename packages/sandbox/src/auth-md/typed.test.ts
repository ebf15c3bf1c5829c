import { describe, expect, test } from 'vitest'
import { agentAt, email, idJagType } from '../../test/agent.ts'
import { startSandbox } from '../index.ts'
import { personAt } from './person.ts'

const byMail = {
  'v0.4': { type: 'identity_assertion', assertion_type: 'verified_email', assertion: email },
  'v0.5': { type: 'identity_assertion', assertion_type: 'verified_email', assertion: email },
  'v0.6': { type: 'service_auth', login_hint: email },
  'v0.7': { type: 'service_auth', login_hint: email },
} as const
const claimBody = {
  'v0.4': (hint: string) => ({ email: hint }),
  'v0.5': (hint: string) => ({ email: hint }),
  'v0.6': (hint: string) => ({ login_hint: hint }),
  'v0.7': (hint: string) => ({ type: 'login_hint', login_hint: hint }),
} as const
const versions = ['v0.4', 'v0.5', 'v0.6', 'v0.7'] as const

describe.each(versions)('%s', (version) => {
  const late = version === 'v0.6' || version === 'v0.7'

  test('a mail address: the agent shows a code, the person types it, the agent polls', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const registered = await agent.register(byMail[version])
    expect(registered.json).toEqual({
      registration_id: expect.any(String),
      registration_type: late ? 'service_auth' : 'email-verification',
      claim_url: `${agent.issuer}/agent/identity/claim`,
      claim_token: expect.any(String),
      claim_token_expires: expect.any(String),
      post_claim_scopes: ['api.read', 'api.write'],
      claim: {
        user_code: expect.stringMatching(/^\d{6}$/),
        verification_uri: expect.any(String),
        expires_in: 600,
        interval: 5,
      },
    })
    expect(sandbox.mail.list()).toEqual([])
    const claim_token = registered.at('claim_token')
    expect((await agent.poll(claim_token)).json).toMatchObject({ error: 'authorization_pending' })
    const uri = registered.at('claim.verification_uri')
    await personAt(sandbox.authMd[0], email).typeCode(uri, registered.at('claim.user_code'))
    const paid = await agent.poll(claim_token)
    expect(paid.json).toMatchObject({ token_type: 'Bearer', scope: 'api.read api.write' })
    expect((await agent.write(paid.at('access_token'))).status).toBe(201)
    expect((await agent.exchange(paid.at('identity_assertion'))).status).toBe(200)
  })

  test('anonymous, then a claim by the body of the version and no other', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const registered = await agent.register({ type: 'anonymous' })
    const claim_token = registered.at('claim_token')
    const token = (await agent.exchange(registered.at('identity_assertion'))).at('access_token')
    for (const other of versions.filter((one) => one !== version)) {
      const alike = Object.keys(claimBody[version](email)).every(
        (key) => key in claimBody[other](email),
      )
      const got = await agent.claim({ claim_token, ...claimBody[other](email) })
      expect(got.status, other).toBe(alike ? 200 : 400)
    }
    const started = await agent.claim({ claim_token, ...claimBody[version](email) })
    const ada = personAt(sandbox.authMd[0], email)
    await ada.typeCode(
      started.at('claim_attempt.verification_uri'),
      started.at('claim_attempt.user_code'),
    )
    expect((await agent.poll(claim_token)).status).toBe(200)
    expect((await agent.read(token)).status).toBe(401)
  })

  test('another address at the second claim is taken from v0.6 on', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const claim_token = (await agent.register(byMail[version])).at('claim_token')
    const bob = 'bob@agents.example'
    const started = await agent.claim({ claim_token, ...claimBody[version](bob) })
    expect(started.status).toBe(late ? 200 : 400)
    if (!late) return
    await personAt(sandbox.authMd[0], bob).typeCode(
      started.at('claim_attempt.verification_uri'),
      started.at('claim_attempt.user_code'),
    )
    expect((await agent.poll(claim_token)).status).toBe(200)
  })

  test('an ID-JAG of somebody with an account is linked silently before v0.5, then asked about', async () => {
    await using sandbox = await startSandbox({ authMd: { version } })
    const agent = agentAt(sandbox)
    const ada = personAt(sandbox.authMd[0], email)
    await ada.signIn()
    const register = async (claims = {}) =>
      agent.register({
        type: 'identity_assertion',
        assertion_type: idJagType,
        assertion: await sandbox.identityProvider.idJag({ audience: agent.issuer, email, claims }),
      })
    const stale = await register({ auth_time: undefined })
    const got = await register()
    if (version === 'v0.4') {
      expect(stale.status).toBe(200)
      expect(got).toMatchObject({
        status: 200,
        json: { registration_type: 'agent-provider', scopes: ['api.read', 'api.write'] },
      })
      expect((await agent.exchange(got.at('identity_assertion'))).status).toBe(200)
      return
    }
    expect(stale).toMatchObject({
      status: 401,
      json: { error: 'login_required', error_description: expect.any(String), max_age: 3600 },
    })
    expect(stale.headers.get('www-authenticate')).toBe(
      'AgentAuth error="login_required", max_age="3600", error_description="The person has to sign in at the provider again."',
    )
    expect(got).toMatchObject({ status: 401, json: { error: 'interaction_required' } })
    const page = await ada.open(got.at('claim.verification_uri'))
    expect(page.html.includes('data-advisory')).toBe(late)
    await ada.typeCode(got.at('claim.verification_uri'), got.at('claim.user_code'))
    expect((await agent.poll(got.at('claim_token'))).status).toBe(200)
    expect((await register()).status).toBe(200)
  })
})
